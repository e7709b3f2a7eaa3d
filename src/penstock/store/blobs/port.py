"""What may be asked of a blob store? An address is `blob:///key`, the same wherever the blobs are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from penstock.errors.store import BadBlobAddress

SCHEME: Final = "blob:///"
LONGEST_KEY: Final = 900
LONGEST_PART: Final = 250
PART: Final = re.compile(r"[^\x00-\x1f\x7f/\\]+")


class Found(msgspec.Struct, frozen=True):
    """A blob in a list; `at` is when it was written, in microseconds since 1970 UTC."""

    uri: str
    key: str
    size: int
    at: int


class BlobStore(Protocol):
    """Files by key; a blob is there whole or not at all, and never changes once its address was handed on."""

    def put(self, source: Path | bytes | BinaryIO, key: str) -> str:
        """Keep a file, bytes or a stream under a key and give its address; StoreFull when there is no room."""

    def get(self, uri: str) -> bytes:
        """Give a whole blob; BlobMissing when there is none."""

    def open(self, uri: str) -> BinaryIO:
        """Open a blob for reading, from any place in it; BlobMissing when there is none."""

    def delete(self, uris: Iterable[str]) -> None:
        """Remove blobs; those that are not there are no error."""

    def list(self, prefix: str = "") -> Iterator[Found]:
        """Give the blobs whose keys begin with `prefix`, by key."""

    def close(self) -> None:
        """Let go of what is held; safe to call twice."""


def address(key: str) -> str:
    """Give the address of a key; BadBlobAddress when it cannot be one."""
    parts = key.split("/")
    for part in parts:
        if part in (".", "..") or not PART.fullmatch(part) or len(part.encode()) > LONGEST_PART:
            raise BadBlobAddress(f'"{key}" cannot name a blob: no empty part, ".", "..", backslash or control sign.')
    if len(key.encode()) > LONGEST_KEY:
        raise BadBlobAddress(f"The key of a blob may have {LONGEST_KEY} bytes, this one has {len(key.encode())}.")
    return SCHEME + key


def key_of(uri: str) -> str:
    """Give the key in an address; BadBlobAddress when it is none."""
    if not uri.startswith(SCHEME):
        raise BadBlobAddress(f'"{uri}" is not the address of a blob: those begin with "{SCHEME}".')
    address(uri[len(SCHEME) :])
    return uri[len(SCHEME) :]
