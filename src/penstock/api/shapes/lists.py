"""How does a list come? A page at a time, with a cursor to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from penstock.errors.api import BadRequest

T = TypeVar("T")

Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[str, Meta(max_length=4096, description="The `next` of the page before; empty: the first page.")]
Namespace = Annotated[str, Meta(max_length=200, description="In this namespace or below it.")]
Text = Annotated[str, Meta(max_length=200, description="With this text in it, upper or lower case.")]
Label = Annotated[str, Meta(pattern="^[^=]+=")]
Labels = Annotated[tuple[Label, ...], Meta(max_length=50, description="With each of these labels: `name=value`.")]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; `next` is the cursor of the part after it, empty after the last one."""

    items: list[T]
    next: str = ""


class Everything(msgspec.Struct, Generic[T], frozen=True):
    """A list that is short by nature, whole."""

    items: list[T]


def labels(several: Iterable[str]) -> dict[str, str]:
    """Labels that are written as `name=value`. Raises BadRequest."""
    found = {}
    for each in several:
        name, sign, value = each.partition("=")
        if not sign or not name:
            raise BadRequest(f'"{each[:100]}" is no label.', hint="Write `name=value`.")
        found[name] = value
    return found
