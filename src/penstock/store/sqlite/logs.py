"""Where do logs stand on SQLite? In a file of their own: they never wait for a state change, nor it for them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from penstock.store import logs
from penstock.store.chunks import LogChunk, Tail
from penstock.store.port import Tx
from penstock.store.sqlite.faults import translate
from penstock.store.sqlite.session import SqliteTx, connect
from penstock.store.sqlite.ticket import Ticket

T = TypeVar("T")
SCHEMA = """
CREATE TABLE IF NOT EXISTS log_chunks (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    streams INTEGER NOT NULL,
    levels INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run_id, step, attempt, seq)
) STRICT
"""


class SqliteLogs:
    """The log database; opened when the first chunk is written or read."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._session: sqlite3.Connection | None = None
        self._ticket: Ticket | None = None

    def append(self, chunks: Sequence[LogChunk]) -> None:
        """Keep chunks; said twice is said once."""
        self._do(lambda tx: logs.append(tx, chunks))

    def read(
        self, run_id: str, step: str | None = None, attempt: int | None = None, start: int = 0, end: int | None = None
    ) -> Iterator[LogChunk]:
        """Give the chunks, in the order written, that hold any byte of `start` to `end` of what was selected."""
        wanted = logs.Wanted(run_id, step, attempt, start, end)
        for key in self._do(lambda tx: logs.keys(tx, wanted)):
            if chunk := self._one(run_id, key):
                yield chunk

    def size(self, run_id: str, step: str | None = None, attempt: int | None = None) -> int:
        """Count the bytes of text that were logged."""
        return self._do(lambda tx: logs.size(tx, logs.Wanted(run_id, step, attempt)))

    def tail(self, run_id: str, step: str, attempt: int) -> Tail:
        """Tell where an attempt's next chunk goes on."""
        return self._do(lambda tx: logs.tail(tx, run_id, step, attempt))

    def delete(self, run_ids: Sequence[str]) -> int:
        """Forget the logs of these runs, and tell how many chunks that was."""
        return self._do(lambda tx: logs.delete(tx, run_ids))

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        with self._lock:
            if self._session:
                self._session.close()
            if self._ticket:
                self._ticket.close()
            self._session = self._ticket = None

    def _one(self, run_id: str, key: tuple[str, int, int]) -> LogChunk | None:
        return self._do(lambda tx: logs.one(tx, run_id, key))

    def _do(self, work: Callable[[Tx], T]) -> T:
        with self._lock:
            try:
                return self._transact(self._open(), work)
            except sqlite3.Error as error:
                raise translate(error, self.path or ":memory:") from error

    def _transact(self, session: sqlite3.Connection, work: Callable[[Tx], T]) -> T:
        if self._ticket:
            self._ticket.take()
        try:
            session.execute("BEGIN IMMEDIATE")
            try:
                result = work(SqliteTx(session))
                session.execute("COMMIT")
            except BaseException:
                if session.in_transaction:
                    session.execute("ROLLBACK")
                raise
            return result
        finally:
            if self._ticket:
                self._ticket.leave()

    def _open(self) -> sqlite3.Connection:
        if self._session is None:
            self._session = connect(self.path, durable=False)
            self._ticket = Ticket(self.path.with_name(f".{self.path.name}-ticket")) if self.path else None
            self._session.execute(SCHEMA)
        return self._session
