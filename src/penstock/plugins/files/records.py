"""How does a flow join, split and turn round stored files, record by record? Memory does not grow with the file."""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.files.whole import dotted
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Size

BLOCK: Final = 1024 * 1024
MOST_PARTS: Final = 10_000
FROM: Final = "Address of the file."


class Concat(TaskType, frozen=True, kw_only=True):
    """Join stored files, in order, into one."""

    type_name: ClassVar[str] = "files.concat"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.Concat",
        "io.kestra.core.tasks.storages.Concat",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the joined file."}
    example: ClassVar[dict[str, object]] = {
        "files": ["{{ outputs.a.uri }}", "{{ outputs.b.uri }}"],
        "extension": ".csv",
    }

    files: Annotated[list[str], Meta(description="Addresses of the files.", examples=[["{{ outputs.a.uri }}"]])]
    separator: Annotated[str, Meta(description="Text put after every file.")] = ""
    extension: Annotated[str, Meta(description="How the new file's name ends.")] = ".tmp"

    def run(self, context: Context) -> dict[str, object]:
        """Join them."""
        target = context.workdir / "joined.out"
        with target.open("wb") as joined:
            for number, uri in enumerate(self.files, 1):
                with context.fetch(uri).open("rb") as source:
                    shutil.copyfileobj(source, joined, BLOCK)
                joined.write(self.separator.encode())
                context.progress(number, len(self.files), "files")
        return {"uri": context.store(target, f"concat{dotted(self.extension)}")}


class Split(TaskType, frozen=True, kw_only=True):
    """Split a stored file into several, never inside a record."""

    type_name: ClassVar[str] = "files.split"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.storage.Split", "io.kestra.core.tasks.storages.Split")
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {
        "uris": "Addresses of the parts, in order.",
        "splits": "Address of a file with these, one in a line, where `listed` asks for it.",
    }
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.write.uri }}", "rows": 1000}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.write.uri }}"])] = field(name="from")
    rows: Annotated[int | None, Meta(description="Records in a part.")] = None
    size: Annotated[
        Size | None, Meta(description="A part that holds as much is full.", extra={"unit": "bytes, or 10 MiB"})
    ] = field(default=None, name="bytes")
    partitions: Annotated[int | None, Meta(description="How many parts; records are dealt to them in turn.")] = None
    separator: Annotated[str, Meta(description="What stands after each record.")] = "\n"
    listed: Annotated[bool, Meta(description="Whether a file with the addresses is stored, too.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Split it."""
        wanted = [number for number in (self.rows, self.size, self.partitions) if number is not None]
        if len(wanted) != 1 or wanted[0] < 1:
            raise TaskFailed("Exactly one of rows, bytes and partitions must be given, and be at least 1.")
        source = context.fetch(self.from_)
        parts = self._deal(source, context.workdir) if self.partitions else self._fill(source, context.workdir)
        uris = [context.store(part, f"{number}{source.suffix}") for number, part in enumerate(parts, 1)]
        if not self.listed:
            return {"uris": uris}
        names = context.workdir / "names.out"
        names.write_text("".join(f"{uri}\n" for uri in uris), encoding="utf-8")
        return {"uris": uris, "splits": context.store(names, "splits")}

    def _fill(self, source: Path, folder: Path) -> list[Path]:
        end = self.separator.encode()
        parts: list[Path] = []
        part = None
        rows = size = 0
        try:
            for record in records(source, end):
                if part is None or self._full(rows, size):
                    if part is not None:
                        part.close()
                    parts.append(folder / f"part-{len(parts)}.out")
                    part = parts[-1].open("wb")
                    rows = size = 0
                size += part.write(record) + part.write(end)
                rows += 1
        finally:
            if part is not None:
                part.close()
        return parts

    def _full(self, rows: int, size: int) -> bool:
        return rows >= self.rows if self.rows is not None else size >= (self.size or 1)

    def _deal(self, source: Path, folder: Path) -> list[Path]:
        count = min(self.partitions or 1, MOST_PARTS)
        paths = [folder / f"part-{number}.out" for number in range(count)]
        end = self.separator.encode()
        waiting: list[list[bytes]] = [[] for _ in paths]
        for path in paths:
            path.touch()
        held = 0
        for number, record in enumerate(records(source, end)):
            waiting[number % count].append(record + end)
            held += len(record)
            if held > BLOCK:
                self._write(paths, waiting)
                held = 0
        self._write(paths, waiting)
        return [path for path in paths if path.stat().st_size]

    @staticmethod
    def _write(paths: list[Path], waiting: list[list[bytes]]) -> None:
        for path, lines in zip(paths, waiting, strict=True):
            with path.open("ab") as part:
                part.writelines(lines)
            lines.clear()


class Reverse(TaskType, frozen=True, kw_only=True):
    """Turn the order of a stored file's records round."""

    type_name: ClassVar[str] = "files.reverse"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.storage.Reverse",
        "io.kestra.core.tasks.storages.Reverse",
    )
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the new file."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.write.uri }}"}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.write.uri }}"])] = field(name="from")
    separator: Annotated[str, Meta(description="What stands after each record.")] = "\n"
    charset: Annotated[str, Meta(description="How the separator is bytes.")] = "utf-8"

    def run(self, context: Context) -> dict[str, object]:
        """Turn it round."""
        source = context.fetch(self.from_)
        target = context.workdir / "reversed.out"
        end = self.separator.encode(self.charset)
        with target.open("wb") as turned:
            for record in backwards(source, end):
                turned.write(record + end)
        return {"uri": context.store(target, f"reversed{source.suffix}")}


def records(path: Path, separator: bytes) -> Iterator[bytes]:
    """The records of a file, without what separates them; one at the end that has no separator counts."""
    rest = b""
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            *whole, rest = (rest + block).split(separator)
            yield from whole
    if rest:
        yield rest


def backwards(path: Path, separator: bytes) -> Iterator[bytes]:
    """The records of a file, the last one first."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as view:
        end = len(view) - (len(separator) if view[-len(separator) :] == separator else 0)
        while end >= 0:
            start = view.rfind(separator, 0, end)
            yield view[start + len(separator) : end] if start >= 0 else view[:end]
            end = start
