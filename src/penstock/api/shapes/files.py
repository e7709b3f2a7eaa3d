"""What is told of stored files: which there are, what one holds?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit

Address = Annotated[str, Meta(min_length=1, max_length=1000, description="The file's address: `penstock:///…`.")]


class FilesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list of files."""

    limit: Limit = 100
    cursor: Cursor = ""


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file: its address, its name below the run, its size in bytes, when it was kept."""

    uri: str
    name: str
    size: int
    at: str


class FileAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which file; `inline` lets a browser show images and plain text instead of keeping them."""

    uri: Address
    inline: bool = False


class PreviewAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which file is looked into, and how many rows of it are told."""

    uri: Address
    rows: Annotated[int, Meta(ge=1, le=1000, description="At most so many rows.")] = 50
