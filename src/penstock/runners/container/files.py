"""How do files get into a container and out of it? As a stream of tar, made and read bit by bit."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Final

BLOCK: Final = tarfile.BLOCKSIZE
PIECE: Final = 1 << 20
# A container's user may be anybody: what is laid in can be read and changed by all that is in it.
FOLDER_MODE: Final = 0o777
FILE_MODE: Final = 0o666


def pack(folders: Mapping[str, Path]) -> Iterator[bytes]:
    """A stream of tar with local folders under absolute names."""
    made: set[str] = set()
    for name, folder in folders.items():
        inner = PurePosixPath(name.lstrip("/"))
        for parent in reversed([inner, *inner.parents][:-1]):
            if str(parent) not in made:
                made.add(str(parent))
                yield _header(str(parent), tarfile.DIRTYPE, FOLDER_MODE if parent == inner else 0o755)
        yield from _tree(folder, inner)
    yield bytes(2 * BLOCK)


def unpack(stream: IO[bytes], folder: Path, *, mirror: bool) -> list[str]:
    """Write what a stream of tar holds below its one folder; `mirror` removes what it does not hold. Links that lead
    out and whatever else is no file are left out, and told.
    """
    seen: set[Path] = set()
    left: list[str] = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts[1:]
            path = folder.joinpath(*parts)
            if not parts:
                continue
            if ".." in parts or not path.parent.resolve().is_relative_to(folder.resolve()):
                left.append(member.name)
            elif _write(archive, member, path, folder):
                seen.add(path)
            else:
                left.append(member.name)
    if mirror:
        _remove_others(folder, seen)
    return left


def _tree(folder: Path, inner: PurePosixPath) -> Iterator[bytes]:
    for root, folders, names in os.walk(folder):
        below = inner / Path(root).relative_to(folder).as_posix()
        for name in folders:
            if (Path(root) / name).is_symlink():
                names.append(name)
            else:
                yield _header(str(below / name), tarfile.DIRTYPE, FOLDER_MODE)
        for name in names:
            yield from _file(Path(root) / name, str(below / name))


def _file(path: Path, name: str) -> Iterator[bytes]:
    if path.is_symlink():
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
        yield info.tobuf(tarfile.PAX_FORMAT)
        return
    if not path.is_file():
        return
    with path.open("rb") as source:
        stat = os.fstat(source.fileno())
        yield _header(name, tarfile.REGTYPE, FILE_MODE | stat.st_mode & 0o111, stat.st_size, stat.st_mtime)
        left = stat.st_size
        while left and (piece := source.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
        yield bytes(left + -stat.st_size % BLOCK)


def _header(name: str, kind: bytes, mode: int, size: int = 0, changed: float = 0.0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.mtime = kind, mode, size, changed
    return info.tobuf(tarfile.PAX_FORMAT)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, folder: Path) -> bool:
    """Make one member's file, folder or link; whether it could be made safely."""
    if member.isdir():
        if path.is_symlink():
            return False
        path.mkdir(parents=True, exist_ok=True)
        return True
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    if path.is_symlink() or path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        target = (path.parent / member.linkname).resolve()
        if PurePosixPath(member.linkname).is_absolute() or not target.is_relative_to(folder.resolve()):
            return False
        path.symlink_to(member.linkname)
        return True
    if member.islnk():
        first = folder.joinpath(*PurePosixPath(member.linkname).parts[1:])
        if not first.is_file() or not first.resolve().is_relative_to(folder.resolve()):
            return False
        shutil.copyfile(first, path)
        return True
    source = archive.extractfile(member) if member.isfile() else None
    if source is None:
        return False
    with path.open("wb") as target_file:
        shutil.copyfileobj(source, target_file, PIECE)
    path.chmod(member.mode & 0o777 | 0o600)
    return True


def _remove_others(folder: Path, seen: Iterable[Path]) -> None:
    kept = set(seen)
    for root, folders, names in os.walk(folder, topdown=False):
        for name in [*names, *folders]:
            path = Path(root) / name
            if path in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
