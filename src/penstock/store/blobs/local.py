"""How are blobs kept in a folder? One file each, written beside and renamed, so that none is ever seen half."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from penstock.errors.store import BlobFailed, BlobMissing, StoreFull
from penstock.store.blobs.port import Found, address, key_of

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BEING_WRITTEN = ".being-written"
BUFFER = 1 << 20


def open_folder(folder: Path) -> FolderBlobs:
    """Open a folder for blobs, made when absent."""
    with _told(folder):
        (folder / BEING_WRITTEN).mkdir(parents=True, exist_ok=True)
    return FolderBlobs(folder)


class FolderBlobs:
    """Blobs in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: Path | bytes | BinaryIO, key: str) -> str:
        """Keep a file, bytes or a stream under a key and give its address; on the disk when this returns."""
        uri = address(key)
        target = self._folder / key
        with _told(target):
            descriptor, name = tempfile.mkstemp(dir=self._folder / BEING_WRITTEN)
            fresh = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    _copy(source, file)
                    file.flush()
                    os.fsync(file.fileno())
                self._move(fresh, target)
            finally:
                fresh.unlink(missing_ok=True)
        return uri

    def get(self, uri: str) -> bytes:
        """Give a whole blob."""
        with self.open(uri) as file, _told(self._folder):
            return file.read()

    def open(self, uri: str) -> BinaryIO:
        """Open a blob for reading."""
        path = self._folder / key_of(uri)
        try:
            with _told(path):
                return path.open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as missing:
            raise BlobMissing(f"There is no blob {uri}.") from missing

    def delete(self, uris: Iterable[str]) -> None:
        """Remove blobs, and folders that are empty after it."""
        for uri in uris:
            path = self._folder / key_of(uri)
            with _told(path):
                path.unlink(missing_ok=True)
            for above in path.parents:
                if above == self._folder:
                    break
                try:
                    above.rmdir()
                except OSError:
                    break

    def list(self, prefix: str = "") -> Iterator[Found]:
        """Give the blobs whose keys begin with `prefix`, by key."""
        # Only below the folder that the prefix names: there may be many others.
        for path in sorted((self._folder / prefix.rpartition("/")[0]).rglob("*")):
            key = path.relative_to(self._folder).as_posix()
            if key.startswith(BEING_WRITTEN) or not key.startswith(prefix):
                continue
            # It may be deleted while we look.
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if path.is_file():
                    yield Found(address(key), key, status.st_size, status.st_mtime_ns // 1000)

    def close(self) -> None:
        """Nothing is held."""

    def _move(self, fresh: Path, target: Path) -> None:
        # A delete beside us may remove the folder between making it and using it.
        for left in (2, 1, 0):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                fresh.rename(target)
            except FileNotFoundError:
                if not left:
                    raise
            else:
                break
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _copy(source: Path | bytes | BinaryIO, file: BinaryIO) -> None:
    if isinstance(source, bytes):
        file.write(source)
    elif isinstance(source, Path):
        with source.open("rb") as given:
            shutil.copyfileobj(given, file, BUFFER)
    else:
        shutil.copyfileobj(source, file, BUFFER)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise
    except OSError as error:
        if error.errno in FULL:
            raise StoreFull(f"There is no room left for {path}.") from error
        raise BlobFailed(f"{path} cannot be used: {error.strerror}.") from error
