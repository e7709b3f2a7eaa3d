"""How does a flow compress stored files and pack them together, and undo both?"""

from __future__ import annotations

import bz2
import enum
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import IO, Annotated, ClassVar, Final, Literal, cast

from msgspec import Meta, field

from penstock.plugins.scripts.options import check_name
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Size

BLOCK: Final = 1024 * 1024
FROM: Final = "Address of the file."
LARGEST: Final = Size(10 * 1024**3)


class Compression(enum.StrEnum):
    """How bytes are made fewer."""

    GZIP = "GZIP"
    BZIP2 = "BZIP2"
    XZ = "XZ"
    ZSTD = "ZSTD"


class Archive(enum.StrEnum):
    """How files are packed together."""

    ZIP = "ZIP"
    TAR = "TAR"


SUFFIX: Final = {Compression.GZIP: ".gz", Compression.BZIP2: ".bz2", Compression.XZ: ".xz", Compression.ZSTD: ".zst"}


class Compress(TaskType, frozen=True, kw_only=True):
    """Compress a stored file."""

    type_name: ClassVar[str] = "files.compress"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.compress.FileCompress",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the compressed file."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.write.uri }}", "compression": "GZIP"}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.write.uri }}"])] = field(name="from")
    compression: Annotated[Compression, Meta(description="The method.")] = Compression.GZIP

    def run(self, context: Context) -> dict[str, object]:
        """Compress it."""
        source = context.fetch(self.from_)
        target = context.workdir / "compressed.out"
        with source.open("rb") as reader, opened(target, "wb", self.compression) as writer:
            shutil.copyfileobj(reader, writer, BLOCK)
        return {"uri": context.store(target, source.name + SUFFIX[self.compression])}


class Decompress(TaskType, frozen=True, kw_only=True):
    """Undo a stored file's compression."""

    type_name: ClassVar[str] = "files.decompress"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.compress.FileDecompress",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "compression": "GZIP"}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.download.uri }}"])] = field(name="from")
    compression: Annotated[Compression, Meta(description="The method.")] = Compression.GZIP
    max_size: Annotated[Size, Meta(description="A larger result is a failure.", extra={"unit": "bytes"})] = LARGEST

    def run(self, context: Context) -> dict[str, object]:
        """Undo it."""
        source = context.fetch(self.from_)
        target = context.workdir / "decompressed.out"
        with opened(source, "rb", self.compression) as reader, target.open("wb") as writer:
            pour(reader, writer, self.max_size)
        name = source.name.removesuffix(SUFFIX[self.compression])
        return {"uri": context.store(target, name)}


class Pack(TaskType, frozen=True, kw_only=True):
    """Pack stored files into one archive."""

    type_name: ClassVar[str] = "files.pack"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.compress.ArchiveCompress",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the archive."}
    example: ClassVar[dict[str, object]] = {"from": {"report.csv": "{{ outputs.write.uri }}"}, "algorithm": "ZIP"}

    from_: Annotated[dict[str, str], Meta(description="Name in the archive → address of the file.")] = field(
        name="from"
    )
    algorithm: Annotated[Archive, Meta(description="The kind of archive.")] = Archive.ZIP
    compression: Annotated[Compression | None, Meta(description="Of a TAR as a whole; a ZIP has its own.")] = None

    def run(self, context: Context) -> dict[str, object]:
        """Pack them."""
        for name in self.from_:
            check_name(name)
        target = context.workdir / "packed.out"
        if self.algorithm is Archive.ZIP:
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, uri in self.from_.items():
                    archive.write(context.fetch(uri), name)
            return {"uri": context.store(target, "archive.zip")}
        with opened(target, "wb", self.compression) as raw, tarfile.open(fileobj=raw, mode="w|") as tar:
            for name, uri in self.from_.items():
                tar.add(context.fetch(uri), name)
        suffix = SUFFIX[self.compression] if self.compression else ""
        return {"uri": context.store(target, f"archive.tar{suffix}")}


class Unpack(TaskType, frozen=True, kw_only=True):
    """Take the files out of an archive; names that lead outside of it are refused."""

    type_name: ClassVar[str] = "files.unpack"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.compress.ArchiveDecompress",)
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"files": "Address of each file, by its name in the archive."}
    example: ClassVar[dict[str, object]] = {"from": "{{ outputs.download.uri }}", "algorithm": "ZIP"}

    from_: Annotated[str, Meta(description=FROM, examples=["{{ outputs.download.uri }}"])] = field(name="from")
    algorithm: Annotated[Archive, Meta(description="The kind of archive.")] = Archive.ZIP
    compression: Annotated[Compression | None, Meta(description="Of a TAR as a whole.")] = None
    max_size: Annotated[Size, Meta(description="More bytes in all are a failure.", extra={"unit": "bytes"})] = LARGEST

    def run(self, context: Context) -> dict[str, object]:
        """Take them out."""
        source = context.fetch(self.from_)
        files: dict[str, object] = {}
        left = int(self.max_size)
        part = context.workdir / "part.out"
        if self.algorithm is Archive.ZIP:
            with zipfile.ZipFile(source) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir():
                        with archive.open(entry) as reader:
                            left -= self._take(context, reader, part, left)
                        files[entry.filename] = _stored(context, part, entry.filename)
            return {"files": files}
        with opened(source, "rb", self.compression) as raw, tarfile.open(fileobj=raw, mode="r|") as tar:
            for member in tar:
                inside = tar.extractfile(member) if member.isfile() else None
                if inside is not None:
                    left -= self._take(context, inside, part, left)
                    files[member.name] = _stored(context, part, member.name)
        return {"files": files}

    @staticmethod
    def _take(context: Context, reader: IO[bytes], part: Path, left: int) -> int:
        with part.open("wb") as writer:
            return pour(reader, writer, left)


def opened(path: Path, mode: Literal["rb", "wb"], compression: Compression | None) -> IO[bytes]:
    """A file whose bytes are read or written through a compression."""
    match compression:
        case None:
            return path.open(mode)
        case Compression.GZIP:
            return cast("IO[bytes]", gzip.open(path, mode))
        case Compression.BZIP2:
            return cast("IO[bytes]", bz2.open(path, mode))
        case Compression.XZ:
            return cast("IO[bytes]", lzma.open(path, mode))
        case Compression.ZSTD:
            import zstandard

            return cast("IO[bytes]", zstandard.open(path, mode))


def pour(reader: IO[bytes], writer: IO[bytes] | io.BufferedWriter, most: int) -> int:
    """Copy at most so many bytes; TaskFailed when there are more."""
    done = 0
    while block := reader.read(BLOCK):
        done += len(block)
        if done > most:
            raise TaskFailed("What comes out is larger than maxSize allows.")
        writer.write(block)
    return done


def _stored(context: Context, part: Path, name: str) -> str:
    check_name(name)
    return context.store(part, Path(name).name)
