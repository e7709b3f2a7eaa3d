"""How does a flow write, read, measure and delete stored files?"""

from __future__ import annotations

import shutil
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, field

from penstock.plugins.scripts.options import check_name
from penstock.sdk.context import Ask, Context
from penstock.sdk.launch import is_stored
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Size as Bytes


class Write(TaskType, frozen=True, kw_only=True):
    """Store a text as a file."""

    type_name: ClassVar[str] = "files.write"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.storage.Write",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file."}
    example: ClassVar[dict[str, object]] = {"content": "a,b\n1,2\n", "extension": ".csv"}

    content: Annotated[str, Meta(description="The text.", examples=["a,b\n1,2\n"])]
    extension: Annotated[str, Meta(description="How the file's name ends.", examples=[".csv"])] = ".txt"
    name: Annotated[str, Meta(description="The file's name, in place of `content` and the extension.")] = ""
    output: Annotated[str, Meta(description="A further name under which the address is handed on.")] = ""
    keep_empty: Annotated[bool, Meta(description="Whether an empty text becomes a file.")] = True

    def run(self, context: Context) -> dict[str, object]:
        """Store it."""
        if not (self.content or self.keep_empty):
            return {}
        name = self.name or f"content{dotted(self.extension)}"
        check_name(name)
        path = context.workdir / "content.tmp"
        path.write_text(self.content, encoding="utf-8", newline="")
        uri = context.store(path, name)
        return {"uri": uri, **({self.output: uri} if self.output else {})}


class Read(TaskType, frozen=True, kw_only=True):
    """Hand on the text of a stored file; for small files."""

    type_name: ClassVar[str] = "files.read"
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"content": "The text.", "size": "Bytes in the file."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.write.uri }}"}

    from_: Annotated[str, Meta(description="Address of the file.", examples=["{{ outputs.write.uri }}"])] = field(
        name="from"
    )
    charset: Annotated[str, Meta(description="How its bytes are text.", examples=["utf-8"])] = "utf-8"
    max_size: Annotated[Bytes, Meta(description="A larger file is a failure.", extra={"unit": "bytes"})] = Bytes(
        1024 * 1024
    )

    def run(self, context: Context) -> dict[str, object]:
        """Read it."""
        path = context.fetch(self.from_)
        size = path.stat().st_size
        if size > self.max_size:
            raise TaskFailed(f"The file has {size} bytes; at most {int(self.max_size)} are read (maxSize).")
        return {"content": path.read_bytes().decode(self.charset), "size": size}


class Size(TaskType, frozen=True, kw_only=True):
    """Tell how large a stored file is."""

    type_name: ClassVar[str] = "files.size"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.storage.Size", "io.kestra.core.tasks.storages.Size")
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"size": "Bytes in the file."}
    example: ClassVar[dict[str, object]] = {"uri": "{{ outputs.write.uri }}"}

    uri: Annotated[str, Meta(description="Address of the file.", examples=["{{ outputs.write.uri }}"])]

    def run(self, context: Context) -> dict[str, object]:
        """Tell it."""
        return {"size": context.ask(Ask.FILE_SIZE, uri=self.uri)}


class Delete(TaskType, frozen=True, kw_only=True):
    """Delete a stored file."""

    type_name: ClassVar[str] = "files.delete"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.Delete",
        "io.kestra.core.tasks.storages.Delete",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file.", "deleted": "Whether it was there."}
    example: ClassVar[dict[str, object]] = {"uri": "{{ outputs.write.uri }}"}

    uri: Annotated[str, Meta(description="Address of the file.", examples=["{{ outputs.write.uri }}"])]
    error_on_missing: Annotated[bool, Meta(description="Whether a missing file is a failure.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete it."""
        deleted = bool(context.ask(Ask.FILE_DELETE, uri=self.uri))
        if not deleted and self.error_on_missing:
            raise TaskFailed(f'There is no file "{self.uri}" to delete.')
        return {"uri": self.uri, "deleted": deleted}


def dotted(extension: str) -> str:
    """An extension with its dot."""
    return extension if not extension or extension.startswith(".") else f".{extension}"


class Local(TaskType, frozen=True, kw_only=True):
    """Write files into the working directory and store others of it; `inputFiles` and `outputFiles` have taken over."""

    type_name: ClassVar[str] = "files.local"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.LocalFiles",
        "io.kestra.core.tasks.storages.LocalFiles",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {
        "uris": "Address of each stored file, by name.",
        "outputFiles": "The same.",
    }
    example: ClassVar[dict[str, object]] = {"inputs": {"hello.txt": "Hello", "data.csv": "{{ outputs.write.uri }}"}}

    inputs: Annotated[
        str | dict[str, str], Meta(description="Name in the working directory → text, or address of a stored file.")
    ] = field(default_factory=dict)
    outputs_: Annotated[list[str], Meta(description="Globs of the files to store.")] = field(
        name="outputs", default_factory=list
    )

    def run(self, context: Context) -> dict[str, object]:
        """Write and store them."""
        for name, content in self._given().items():
            check_name(name)
            path = context.workdir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_stored(content.strip()):
                shutil.copyfile(context.fetch(content.strip()), path)
            else:
                path.write_text(content)
        found: dict[str, object] = {}
        for glob in self.outputs_:
            check_name(glob)
            for path in sorted(context.workdir.glob(glob)):
                if path.is_file():
                    found[path.relative_to(context.workdir).as_posix()] = context.store(path)
        return {"uris": found, "outputFiles": found}

    def _given(self) -> dict[str, str]:
        if isinstance(self.inputs, dict):
            return self.inputs
        try:
            return msgspec.json.decode(self.inputs, type=dict[str, str])
        except msgspec.MsgspecError as error:
            raise TaskFailed(f"`inputs` is no map of texts: {error}.") from None
