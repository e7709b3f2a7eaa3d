"""What is told of the files of a namespace, and what is said to change them?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit
from penstock.store.namespace_files import Kind

Path = Annotated[str, Meta(min_length=1, max_length=1000, description="The path: `sql/daily.sql`.")]


class NamespaceFilesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which files of a namespace a list shows."""

    prefix: Annotated[str, Meta(max_length=1000, description="Whose paths begin so (`sql/`).")] = ""
    limit: Limit = 100
    cursor: Cursor = ""


class NamespaceFileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a namespace, its size in bytes and the SHA-256 of them; or a folder, whose path ends with a slash.

    What was `gone` at a revision is told in the history alone.
    """

    path: str
    kind: Kind
    revision: int
    size: int
    digest: str
    changed: str
    changed_by: str


class PathAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which file or folder."""

    path: Path


class ContentAsked(PathAsked, frozen=True, kw_only=True):
    """Which file; `inline` lets a browser show images and plain text instead of keeping them."""

    revision: Annotated[
        Annotated[int, Meta(ge=1, le=2**31)] | None, Meta(description="This revision instead of the newest.")
    ] = None
    inline: bool = False


class FileHistoryAsked(PathAsked, frozen=True, kw_only=True):
    """Which part of the history of a path."""

    limit: Limit = 50
    cursor: Cursor = ""


class FolderAsked(msgspec.Struct, frozen=True, kw_only=True):
    """In which folder."""

    folder: Annotated[str, Meta(max_length=1000, description="A folder; else the top.")] = ""


class FolderPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder to make."""

    path: Path


class MovePut(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}
):
    """What is moved where; a folder goes with all that is in it."""

    source: Path
    target: Path
