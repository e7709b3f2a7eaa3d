"""How do logs and numbers get into the store without anyone waiting? A thread packs what has come, and appends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.errors import PenstockError
from penstock.services.secrets.masks import Masks
from penstock.store import metrics
from penstock.store.chunks import LogChunk, Piece, Tail, pack
from penstock.store.metrics import Metric
from penstock.store.port import Store, Tx

CHUNK: Final = 1024 * 1024
FULL: Final = 32 * 1024 * 1024
LINGER: Final = 0.05
RETRY: Final = 0.5
GIVE_UP: Final = 20


class Log:
    """One attempt's log on its way to the store."""

    def __init__(self, run: str, step: str, attempt: int, masks: Masks | None = None) -> None:
        self.run = run
        self.step = step
        self.attempt = attempt
        self.masks = masks
        self.tail: Tail | None = None
        self.pieces: list[Piece] = []


class LogWriter:
    """The thread that packs and appends; opens with `start`, closes when all that came is kept.

    `full` is set while so much waits that whoever reads from processes should pause; `relieved` is called after it.
    """

    def __init__(self, store: Store, relieved: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._relieved = relieved
        self._lock = threading.Condition()
        self._waiting: dict[Log, None] = {}
        self._numbers: list[tuple[str, Metric]] = []
        self._bytes = 0
        self._asked = self._done = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="penstock-logs", daemon=True)
        self.trouble = ""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether readers should pause."""
        return self._bytes > FULL

    def put(self, log: Log, piece: Piece) -> None:
        """Take a piece of an attempt's log."""
        with self._lock:
            log.pieces.append(piece)
            self._bytes += len(piece.text)
            if log not in self._waiting:
                self._waiting[log] = None
                if len(self._waiting) == 1:
                    self._lock.notify_all()

    def put_number(self, run: str, number: Metric) -> None:
        """Take a number that an attempt of a run reported."""
        with self._lock:
            self._numbers.append((run, number))
            if len(self._numbers) == 1:
                self._lock.notify_all()

    def flush(self, seconds: float = 10.0) -> bool:
        """Wait until everything that came before is kept; False when it is not within `seconds`."""
        with self._lock:
            self._asked += 1
            mine = self._asked
            self._lock.notify_all()
            return self._lock.wait_for(lambda: self._done >= mine or not self._thread.is_alive(), seconds)

    def close(self) -> None:
        """Keep what is left and end the thread; safe to call twice."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting or self._numbers or self._closing or self._asked > self._done)
                if self._bytes < CHUNK and not self._closing and self._asked == self._done:
                    # A moment more makes one batch of what many attempts say.
                    self._lock.wait(LINGER)
                asked = self._asked
                taken = [(log, log.pieces) for log in self._waiting]
                for log, _ in taken:
                    log.pieces = []
                self._waiting.clear()
                numbers, self._numbers = self._numbers, []
            if not taken and not numbers and self._closing:
                return
            chunks: list[LogChunk] = []
            while not self._append(taken, chunks, numbers):
                failures += 1
                if self._closing and failures >= GIVE_UP:
                    break
                time.sleep(RETRY)
            failures = 0
            with self._lock:
                was_full = self.full
                self._bytes -= sum(chunk.length for chunk in chunks)
                self._done = asked
                self._lock.notify_all()
            if was_full and not self.full:
                self._relieved()

    def _append(
        self, taken: list[tuple[Log, list[Piece]]], chunks: list[LogChunk], numbers: list[tuple[str, Metric]]
    ) -> bool:
        """Pack what is not packed yet and append it all; False when the store cannot take it now."""
        try:
            for log, pieces in taken:
                if pieces:
                    chunks += self._chunks(log, _hidden(log.masks, pieces))
                    pieces.clear()
            if chunks:
                self._store.logs.append(chunks)
            if numbers:
                self._store.aside(lambda tx: _append_numbers(tx, numbers))
                numbers.clear()
        except (PenstockError, OSError) as error:
            # The disk may be full or the database away: attempts go on, readers pause once too much waits.
            self.trouble = str(error)
            return False
        self.trouble = ""
        return True

    def _chunks(self, log: Log, pieces: list[Piece]) -> list[LogChunk]:
        """Pack pieces into chunks of about CHUNK bytes of text."""
        if log.tail is None:
            # The attempt may have been handed back by a worker that had begun it.
            log.tail = Tail()
            for chunk in self._store.logs.read(log.run, log.step, log.attempt):
                log.tail = Tail(chunk.seq + 1, chunk.offset + chunk.length)
        made: list[LogChunk] = []
        start = size = 0
        for index, piece in enumerate(pieces):
            size += len(piece.text)
            if size >= CHUNK or index == len(pieces) - 1:
                chunk, log.tail = pack(log.run, log.step, log.attempt, log.tail, pieces[start : index + 1])
                made.append(chunk)
                start, size = index + 1, 0
        return made


def _hidden(masks: Masks | None, pieces: list[Piece]) -> list[Piece]:
    """What comes to be kept, looked through once more: a secret may have become known since it was printed."""
    if not masks:
        return pieces
    return [msgspec.structs.replace(piece, text=masks.hide(piece.text)) for piece in pieces]


def _append_numbers(tx: Tx, numbers: list[tuple[str, Metric]]) -> None:
    for run in {run for run, _ in numbers}:
        metrics.append(tx, run, [number for owner, number in numbers if owner == run])
