"""How does a list come? A page at a time, with a cursor to the next."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")

Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[str, Meta(max_length=4096, description="The `next` of the page before; empty: the first page.")]
Namespace = Annotated[str, Meta(max_length=200, description="In this namespace or below it.")]
Text = Annotated[str, Meta(max_length=200, description="With this text in it, upper or lower case.")]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; `next` is the cursor of the part after it, empty after the last one."""

    items: list[T]
    next: str = ""


class Everything(msgspec.Struct, Generic[T], frozen=True):
    """A list that is short by nature, whole."""

    items: list[T]
