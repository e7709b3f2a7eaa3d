"""What is new about a run since somebody looked last? Statuses and log lines, for whoever shows it while it goes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from penstock.services.core import Core
from penstock.services.document import RunDocument, document
from penstock.store import runs
from penstock.store.chunks import Level, Piece, Stream, cut, unpack

LAST_LOOKS = 3


class LogLine(msgspec.Struct, frozen=True):
    """One line that an attempt wrote."""

    at: int
    step: str
    attempt: int
    stream: Stream
    level: Level
    text: str


def lines_of(core: Core, run_id: str, step: str | None = None, attempt: int | None = None) -> Iterator[LogLine]:
    """What has been logged of a run, a step or an attempt, in the order written."""
    for chunk in core.store.logs.read(run_id, step, attempt):
        for piece in unpack(chunk):
            yield from _lines(chunk.step, chunk.attempt, piece)


class Watch:
    """A reader's place in a run; `look` tells what has come since the last look."""

    def __init__(self, core: Core, run_id: str) -> None:
        self._core = core
        self._run_id = run_id
        self._version = -1
        self._told: RunDocument | None = None
        self._places: dict[tuple[str, int], int] = {}
        self._left: dict[tuple[str, int], int] = {}

    def pass_by(self) -> RunDocument:
        """Take what has ended before now as seen: a restart shows what is new, not the whole story again."""
        told = self.look()
        for step in told.steps:
            for attempt in step.attempts:
                if attempt.status != "running":
                    key = (step.key, attempt.number)
                    self._left[key] = 0
                    self._places[key] = self._core.store.logs.size(self._run_id, *key)
        return told

    def look(self) -> RunDocument:
        """The run as it stands; read anew only when it has changed, or work is being held."""
        run = self._core.store.read(lambda tx: runs.load(tx, self._run_id))
        version = run.version if run else -1
        if self._told is None or version != self._version or not self._told_end():
            self._told = document(self._core, self._run_id, whole=True)
            self._version = version
        return self._told

    def lines(self, told: RunDocument) -> Iterator[LogLine]:
        """Log lines that have come, attempt by attempt; an ended attempt is looked at some more times and then left."""
        for step in told.steps:
            for attempt in step.attempts:
                key = (step.key, attempt.number)
                left = self._left.get(key, LAST_LOOKS)
                if left <= 0:
                    continue
                yield from self._of(key)
                if attempt.status != "running":
                    self._left[key] = left - 1

    def all_lines(self, told: RunDocument) -> Iterator[LogLine]:
        """What is left of the logs of every attempt, once the run has ended and they are kept."""
        for step in told.steps:
            for attempt in step.attempts:
                yield from self._of((step.key, attempt.number))

    def _of(self, key: tuple[str, int]) -> Iterator[LogLine]:
        step, attempt = key
        start = self._places.get(key, 0)
        for piece in cut(self._core.store.logs.read(self._run_id, step, attempt, start), start):
            start += len(piece.text)
            yield from _lines(step, attempt, piece)
        self._places[key] = start

    def _told_end(self) -> bool:
        return self._told is not None and self._told.end is not None


def _lines(step: str, attempt: int, piece: Piece) -> Iterator[LogLine]:
    for text in piece.text.decode(errors="replace").removesuffix("\n").split("\n"):
        yield LogLine(piece.at, step, attempt, piece.stream, piece.level, text.removesuffix("\r"))
