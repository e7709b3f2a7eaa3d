"""How do services and tasks hold files? By addresses `penstock:///…`, whichever blob store is behind them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from penstock.errors.store import BadBlobAddress, BlobMissing
from penstock.store.blobs.port import SCHEME as BLOB
from penstock.store.blobs.port import BlobStore, Found

OURS: Final = "penstock:///"
# `kestra:///` is how flows moved from there may still write an address.
SCHEMES: Final = (OURS, "kestra:///", BLOB)
BUFFER: Final = 1 << 20


class Stored:
    """The files of a store; closes with the blob store behind it."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def put(self, key: str, data: bytes) -> str:
        """Keep bytes under a key and give their address."""
        return _ours(self._blobs.put(data, key))

    def get(self, uri: str) -> bytes:
        """Give back the bytes of an address; BlobMissing when there are none."""
        return self._blobs.get(_theirs(uri))

    def open(self, uri: str) -> BinaryIO:
        """Open what stands at an address for reading, from any place in it; BlobMissing when there is nothing."""
        return self._blobs.open(_theirs(uri))

    def put_stream(self, key: str, stream: BinaryIO) -> str:
        """Keep what a stream gives under a key and give its address."""
        return _ours(self._blobs.put(stream, key))

    def below(self, prefix: str) -> Iterator[Found]:
        """The files whose keys begin so, by key, with the addresses that people know."""
        for each in self._blobs.list(prefix):
            yield msgspec.structs.replace(each, uri=_ours(each.uri))

    def put_file(self, key: str, path: Path) -> str:
        """Keep a file under a key and give its address."""
        return _ours(self._blobs.put(path, key))

    def get_file(self, uri: str, path: Path) -> None:
        """Write what stands at an address to a local file."""
        with self._blobs.open(_theirs(uri)) as kept, path.open("wb") as file:
            shutil.copyfileobj(kept, file, BUFFER)

    def delete(self, uri: str) -> bool:
        """Forget what stands at an address; whether there was anything."""
        try:
            self._blobs.open(_theirs(uri)).close()
        except BlobMissing:
            return False
        self._blobs.delete([_theirs(uri)])
        return True

    def size(self, uri: str) -> int:
        """Count the bytes at an address."""
        with self._blobs.open(_theirs(uri)) as kept:
            return kept.seek(0, 2)

    def forget(self, prefixes: Iterable[str]) -> int:
        """Forget everything whose key begins with one of these, and tell how much it was."""
        found = [each.uri for prefix in prefixes for each in self._blobs.list(prefix)]
        self._blobs.delete(found)
        return len(found)

    def clear(self, prefix: str, kept: str) -> list[str]:
        """Forget what has a key that begins so and a name other than `kept`; gives the addresses."""
        found = [each.uri for each in self._blobs.list(prefix) if each.key.rpartition("/")[2] != kept]
        self._blobs.delete(found)
        return [_ours(uri) for uri in found]

    def close(self) -> None:
        """Let go of the blob store; safe to call twice."""
        self._blobs.close()


def _ours(uri: str) -> str:
    return OURS + uri.removeprefix(BLOB)


def _theirs(uri: str) -> str:
    for scheme in SCHEMES:
        if uri.startswith(scheme):
            return BLOB + uri.removeprefix(scheme)
    raise BadBlobAddress(f'"{uri}" is not the address of a stored file: those begin with "{OURS}".')
