"""How does a flow work on the files of a namespace? It keeps files there, takes copies, deletes them."""

from __future__ import annotations

import enum
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Final, cast

from msgspec import Meta, field

from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskFailed, TaskType

NAMESPACE: Final = "Namespace whose files are meant; the flow's own unless given."


class Conflict(enum.StrEnum):
    """What becomes of a file that is there already."""

    OVERWRITE = "OVERWRITE"
    ERROR = "ERROR"
    SKIP = "SKIP"


class Upload(TaskType, frozen=True, kw_only=True):
    """Keep files for the flows of a namespace; those of the project stay as they are."""

    type_name: ClassVar[str] = "namespace.upload_files"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.namespace.UploadFiles",
        "io.kestra.core.tasks.namespace.UploadFiles",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"files": "Paths of the files, with their addresses."}
    example: ClassVar[dict[str, object]] = {"filesMap": {"data/orders.csv": "{{ outputs.write.uri }}"}}

    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    files: Annotated[
        list[str] | dict[str, str],
        Meta(description="Globs of files in the working directory, or a map as `filesMap`.", examples=[["*.csv"]]),
    ] = field(default_factory=list)
    files_map: Annotated[dict[str, str], Meta(description="Path → address of the stored file.")] = field(
        default_factory=dict
    )
    destination: Annotated[str, Meta(description="Folder that they go to.")] = "/"
    conflict: Annotated[Conflict, Meta(description="What becomes of a file that is there.")] = Conflict.OVERWRITE

    def run(self, context: Context) -> dict[str, object]:
        """Put them there."""
        given = {name: context.fetch(uri) for name, uri in self._stored().items()}
        for glob in self.files if isinstance(self.files, list) else ():
            inside = PurePosixPath(glob)
            if inside.is_absolute() or ".." in inside.parts:
                raise TaskFailed(f'The glob "{glob}" would lead outside of the working directory.')
            found = [path for path in sorted(context.workdir.glob(glob)) if path.is_file()]
            given |= {path.relative_to(context.workdir).as_posix(): path for path in found}
        done: dict[str, object] = {}
        for name, path in given.items():
            target = str(PurePosixPath(self.destination.strip("/")) / name.lstrip("/"))
            file = path.relative_to(context.workdir).as_posix()
            context.ask(Ask.PROJECT_PUT, path=target, file=file, conflict=self.conflict.value, namespace=self.namespace)
            done[target] = f"nsfile:///{target}"
        return {"files": done}

    def _stored(self) -> dict[str, str]:
        return {**(self.files if isinstance(self.files, dict) else {}), **self.files_map}


class Download(TaskType, frozen=True, kw_only=True):
    """Store copies of files of a namespace, or of the project."""

    type_name: ClassVar[str] = "namespace.download_files"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.namespace.DownloadFiles",
        "io.kestra.core.tasks.namespace.DownloadFiles",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"files": "Address of each stored copy, by the file's name behind a `/`."}
    example: ClassVar[dict[str, object]] = {"files": ["**.sql"]}

    files: Annotated[str | list[str], Meta(description="Globs of the files.", examples=[["sql/*.sql"]])]
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    destination: Annotated[str, Meta(description="Read and not used: copies are stored, and go into no folder.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Store them."""
        done: dict[str, object] = {}
        for name in named(context, self.files, self.namespace):
            copy = str(context.ask(Ask.PROJECT_GET, path=name, namespace=self.namespace))
            uri = context.store(copy, PurePosixPath(name).name)
            done[f"/{name}"] = uri
        return {"files": done}


class Delete(TaskType, frozen=True, kw_only=True):
    """Delete files of a namespace, or of the project."""

    type_name: ClassVar[str] = "namespace.delete_files"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.namespace.DeleteFiles",
        "io.kestra.core.tasks.namespace.DeleteFiles",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"files": "Names of the files that are gone."}
    example: ClassVar[dict[str, object]] = {"files": ["data/*.csv"]}

    files: Annotated[str | list[str], Meta(description="Globs of the files.", examples=[["data/*.csv"]])]
    namespace: Annotated[str, Meta(description=NAMESPACE)] = ""
    delete_parent_folder: Annotated[bool, Meta(description="Read and not used: empty folders are no files.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Delete them."""
        names = named(context, self.files, self.namespace)
        gone = [name for name in names if context.ask(Ask.PROJECT_DELETE, path=name, namespace=self.namespace)]
        return {"files": gone}


def named(context: Context, files: str | list[str], namespace: str) -> list[str]:
    """The files that globs mean."""
    globs = [files] if isinstance(files, str) else files
    asked = context.ask(Ask.PROJECT_LIST, include=globs, exclude=[], namespace=namespace)
    return cast("list[str]", asked)
