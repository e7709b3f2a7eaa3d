"""What was logged, a page at a time? Lines in the order written or against it, from a level on, with a text in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.services.core import Core
from penstock.store.chunks import BEFORE_ALL, BEHIND_ALL, Level, LogChunk, Selected, Spot, Stream, cut, spot, unpack

TOGETHER = 4
MOST_BYTES = 32 * 1024 * 1024


class Line(msgspec.Struct, frozen=True):
    """One line that an attempt wrote: when (microseconds), from which stream, how much it matters."""

    at: int
    step: str
    attempt: int
    stream: Stream
    level: Level
    text: str


class LogAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines: of a step, of an attempt, of at least a level, with a text in them; at most `limit`."""

    selected: Selected = Selected()
    text: str = ""
    limit: int = 200


class LogPlace(msgspec.Struct, frozen=True):
    """Where a page ended: in which chunk, and how many of its lines had been seen."""

    spot: Spot
    seen: Annotated[int, Meta(ge=0)] = 0


def lines_after(core: Core, run_id: str, asked: LogAsked, place: LogPlace | None) -> tuple[list[Line], LogPlace | None]:
    """Lines from a place on, and where the next ones are; None when there are none.

    A page may have fewer lines than there are, or none: what is looked through for one page is limited.
    """
    backwards = asked.selected.backwards
    here = place or LogPlace(BEHIND_ALL if backwards else BEFORE_ALL)
    found: list[Line] = []
    looked = 0
    while True:
        chunks = core.store.logs.page(run_id, here.spot, asked.selected, TOGETHER)
        for chunk in chunks:
            seen = here.seen if spot(chunk) == here.spot else 0
            lines = list(lines_in(chunk))
            for number, line in enumerate(reversed(lines) if backwards else lines):
                if number < seen:
                    continue
                if len(found) == asked.limit:
                    return found, LogPlace(spot(chunk), number)
                if _fits(line, asked):
                    found.append(line)
            here = LogPlace(spot(chunk), len(lines))
            looked += chunk.length
        if len(chunks) < TOGETHER:
            return found, None
        if looked >= MOST_BYTES or len(found) == asked.limit:
            return found, here


def text_of(
    core: Core, run_id: str, step: str | None, attempt: int | None, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """The text as it came, chunk by chunk; `start` and `end` are bytes of an attempt's."""
    chunks = core.store.logs.read(run_id, step, attempt, start, end)
    whole = step is not None and attempt is not None
    for chunk in chunks:
        pieces = cut([chunk], start, end) if whole else unpack(chunk)
        yield b"".join(piece.text for piece in pieces)


def lines_in(chunk: LogChunk) -> Iterator[Line]:
    """The lines of a chunk in order."""
    for piece in unpack(chunk):
        for text in piece.text.decode(errors="replace").removesuffix("\n").split("\n"):
            yield Line(piece.at, chunk.step, chunk.attempt, piece.stream, piece.level, text.removesuffix("\r"))


def _fits(line: Line, asked: LogAsked) -> bool:
    return line.level >= asked.selected.least and (not asked.text or asked.text.lower() in line.text.lower())
