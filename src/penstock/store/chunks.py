"""How are log lines kept together? In chunks: what one attempt wrote within a moment, framed by read and compressed.

A chunk's body is one zstd frame over records, a record being what one read of one stream gave:

    varint  microseconds since the record before (of the first: since the chunk's `first_at`)
    byte    stream (low 4 bits) and level (high 4 bits)
    varint  length of the text in bytes
    bytes   the text as it came, line ends included

Text is counted in bytes as it came, so a byte range of an attempt's log means the same before and after compression.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
import zstandard
from msgspec import Meta

LEVEL = 3


class Stream(enum.IntEnum):
    """Where text came from: the process's own outputs, the task's logger, or Penstock itself."""

    OUT = 1
    ERR = 2
    LOG = 3
    SYSTEM = 4


class Level(enum.IntEnum):
    """How much a line matters; text of a stream has none."""

    NONE = 0
    TRACE = 1
    DEBUG = 2
    INFO = 3
    WARNING = 4
    ERROR = 5


class Piece(msgspec.Struct, frozen=True):
    """What one read of one stream gave: whole lines (but for one that was split), when, from where."""

    at: int
    stream: Stream
    text: bytes
    level: Level = Level.NONE


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one attempt's log; `seq` counts its chunks, `offset` and `length` are bytes of text, `body` compressed.

    `streams` and `levels` are bit sets (1 << value) of what is inside, so that a reader can pass a chunk by.
    """

    run_id: str
    step: str
    attempt: int
    seq: int
    first_at: int
    last_at: int
    offset: int
    length: int
    lines: int
    streams: int
    levels: int
    body: bytes


class Tail(msgspec.Struct, frozen=True):
    """Where an attempt's next chunk goes on."""

    seq: int = 0
    offset: int = 0


class Spot(msgspec.Struct, frozen=True):
    """Where a chunk stands in the order written: when it began, whose it is, which of that attempt's it is."""

    at: Annotated[int, Meta(ge=0, le=2**62)]
    step: str
    attempt: Annotated[int, Meta(ge=0, le=2**31)]
    seq: Annotated[int, Meta(ge=0, le=2**31)]


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """Which chunks of a run: of a step, of an attempt, with a line of at least a level; `backwards` newest first."""

    step: str | None = None
    attempt: int | None = None
    least: Level = Level.NONE
    backwards: bool = False

    def clauses(self) -> tuple[str, dict[str, object]]:
        """The clauses that this needs, with their values."""
        params: dict[str, object] = {}
        if self.step is not None:
            params["step"] = self.step
        if self.attempt is not None:
            params["attempt"] = self.attempt
        if self.least:
            params["mask"] = sum(1 << level for level in Level if level >= self.least)
        return "".join(f"+{name}" for name in params), params


BEFORE_ALL = Spot(0, "", 0, 0)
BEHIND_ALL = Spot(2**62, "\U0010ffff", 2**31, 2**31)


def spot(chunk: LogChunk) -> Spot:
    """Where a chunk stands."""
    return Spot(chunk.first_at, chunk.step, chunk.attempt, chunk.seq)


def pack(run_id: str, step: str, attempt: int, tail: Tail, pieces: Iterable[Piece]) -> tuple[LogChunk, Tail]:
    """Make the next chunk of an attempt's log out of at least one piece, and tell where the one after it goes on."""
    raw = bytearray()
    last, first, length, lines, streams, levels = None, 0, 0, 0, 0, 0
    for piece in pieces:
        if last is None:
            first = last = piece.at
        # Pieces of two streams may come out of order by a moment; a chunk's time never runs backwards.
        at = max(piece.at, last)
        _varint(raw, at - last)
        raw.append(piece.stream | piece.level << 4)
        _varint(raw, len(piece.text))
        raw += piece.text
        last = at
        length += len(piece.text)
        lines += piece.text.count(b"\n") or 1
        streams |= 1 << piece.stream
        levels |= 1 << piece.level
    chunk = LogChunk(
        run_id=run_id,
        step=step,
        attempt=attempt,
        seq=tail.seq,
        first_at=first,
        last_at=first if last is None else last,
        offset=tail.offset,
        length=length,
        lines=lines,
        streams=streams,
        levels=levels,
        body=zstandard.ZstdCompressor(level=LEVEL).compress(bytes(raw)),
    )
    return chunk, Tail(tail.seq + 1, tail.offset + length)


def unpack(chunk: LogChunk) -> Iterator[Piece]:
    """Give a chunk's pieces again, in order."""
    raw = zstandard.ZstdDecompressor().decompress(chunk.body)
    place, at = 0, chunk.first_at
    while place < len(raw):
        delta, place = _read_varint(raw, place)
        mark = raw[place]
        size, place = _read_varint(raw, place + 1)
        at += delta
        yield Piece(at, Stream(mark & 15), raw[place : place + size], Level(mark >> 4))
        place += size


def cut(chunks: Iterable[LogChunk], start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """Give the pieces of one attempt's chunks between two bytes of its text, the first and last one cut to fit."""
    for chunk in chunks:
        place = chunk.offset
        for piece in unpack(chunk):
            left = max(0, start - place)
            right = len(piece.text) if end is None else min(len(piece.text), end - place)
            if left < right:
                whole = left == 0 and right == len(piece.text)
                yield piece if whole else msgspec.structs.replace(piece, text=piece.text[left:right])
            place += len(piece.text)


def _varint(raw: bytearray, number: int) -> None:
    while number > 127:
        raw.append(number & 127 | 128)
        number >>= 7
    raw.append(number)


def _read_varint(raw: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = raw[place]
        place += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, place
