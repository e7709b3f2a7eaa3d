"""How does a list go on where its last page ended? By an opaque text that holds the last row's place."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from penstock.api.asked import NUL
from penstock.errors.api import Unfitting

T = TypeVar("T")
LONGEST = 4096


def written(place: object) -> str:
    """A place as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(cursor: str, kind: type[T]) -> T | None:
    """The place in a cursor; None for the empty one. Raises Unfitting."""
    if not cursor:
        return None
    try:
        if len(cursor) > LONGEST:
            raise ValueError(cursor[:20])
        body = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if NUL.search(body):
            raise ValueError(cursor[:20])
        return msgspec.json.decode(body, type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        hint = "A cursor is the `next` of an earlier page of the same list."
        raise Unfitting("The cursor is not one of this list.", hint=hint) from None
