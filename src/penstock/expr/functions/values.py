"""Which functions make or read values? Ranges, extremes, JSON."""

from __future__ import annotations

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.expr.operators import counted, less
from penstock.expr.registry import function


@function("min")
def least(first: object, *values: object) -> object:
    """The least of the values."""
    found = first
    for value in values:
        if less(value, found, "min"):
            found = value
    return found


@function("max")
def greatest(first: object, *values: object) -> object:
    """The greatest of the values."""
    found = first
    for value in values:
        if less(found, value, "max"):
            found = value
    return found


@function("range")
def range_(start: object, end: object, increment: int = 1) -> list[object]:
    """The whole numbers (or characters) from start to end, both included."""
    return counted(start, end, increment)


@function("fromJson", "json")
def from_json(json: str | None) -> object:
    """The value that the JSON text holds; null of null."""
    if json is None:
        return None
    try:
        return msgspec.json.decode(json)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ExprFailed(f"This is no JSON: {error}.") from None
