"""What is told of the values that flows keep for each other?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit
from penstock.api.shapes.runs import Instant


class KeysAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys of a namespace a list shows."""

    prefix: Annotated[str, Meta(max_length=200, description="Whose names begin so.")] = ""
    limit: Limit = 100
    cursor: Cursor = ""


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key in a list, without its value."""

    key: str
    version: int
    changed: str
    expires: str | None


class KeyValue(KeyRow, frozen=True, kw_only=True):
    """A kept value; `version` counts its changes."""

    value: object


class KeyPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value to be kept, until an instant where one is given."""

    value: object
    expires: Instant | None = None
