"""Which tests can follow `is`? `defined`, `empty`, `even` and their like."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.errors.expr import ExprFailed
from penstock.expr.documents import read_json
from penstock.expr.operators import equal
from penstock.expr.registry import test
from penstock.expr.scope import ABSENT


@test("defined", missing=True)
def defined(value: object) -> bool:
    """True when there is such a name and its value is not null."""
    return value is not None


@test("null")
def null(value: object) -> bool:
    """True when the value is null."""
    return value is None


@test("empty")
def empty(value: object) -> bool:
    """True for null, for text without anything but blanks, and for lists and maps with nothing in them."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
        case list() | tuple() | Mapping():
            return len(value) == 0
        case _:
            return False


@test("even")
def even(value: int) -> bool:
    """True when a whole number can be halved."""
    return value % 2 == 0


@test("odd")
def odd(value: int) -> bool:
    """True when a whole number cannot be halved."""
    return value % 2 != 0


@test("iterable")
def iterable(value: object) -> bool:
    """True for a list: what `for` can go over, maps apart."""
    return isinstance(value, (list, tuple))


@test("map")
def is_map(value: object) -> bool:
    """True for a map."""
    return isinstance(value, Mapping)


@test("equals", "equalTo")
def equals(value: object, other: object) -> bool:
    """True when both are equal, as `==` tells."""
    return equal(value, other)


@test("json")
def json(value: str) -> bool:
    """True for text that can be read as JSON, and for text without anything but blanks."""
    try:
        return not value.strip() or read_json(value) is not ABSENT
    except ExprFailed:
        return False


@test("string")
def string(value: object) -> bool:
    """True for text."""
    return isinstance(value, str)


@test("number")
def number(value: object) -> bool:
    """True for a number, whole or not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@test("boolean")
def boolean(value: object) -> bool:
    """True for true and false."""
    return isinstance(value, bool)
