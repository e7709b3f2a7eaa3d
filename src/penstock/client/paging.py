"""How does a list come from a server? A page at a time, as somebody goes through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import msgspec

from penstock.client.wire import Ask, Wire

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; `next` is the cursor of the part after it, empty after the last one."""

    items: list[T]
    next: str = ""


class Everything(msgspec.Struct, Generic[T], frozen=True):
    """A list that is short by nature, whole."""

    items: list[T]


def paged(wire: Wire, path: str, query: Mapping[str, object], shape: type[Page[T]]) -> Iterator[T]:
    """What a list holds, asked for a page at a time."""
    cursor = ""
    while True:
        page = wire.ask(Ask(method="GET", path=path, query={**query, "cursor": cursor}, safe=True), shape)
        yield from page.items
        if not (cursor := page.next):
            return


def whole(wire: Wire, path: str, query: Mapping[str, object], shape: type[Everything[T]]) -> tuple[T, ...]:
    """What a short list holds."""
    return tuple(wire.ask(Ask(method="GET", path=path, query=query, safe=True), shape).items)
