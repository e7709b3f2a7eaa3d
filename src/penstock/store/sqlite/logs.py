"""Where do logs stand on SQLite? In a file of their own: they never wait for a state change, nor it for them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from penstock.store.port import Tx
from penstock.store.sqlite.faults import told, translate
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
) STRICT;
CREATE INDEX IF NOT EXISTS log_chunks_in_order ON log_chunks (run_id, first_at, step, attempt, seq)
"""


def logs_path(path: Path) -> Path:
    """Where the logs of a store stand: in a file beside it."""
    return path.with_name(f"{path.stem}-logs.db")


class LogFile:
    """The log database; opened when the first chunk is written or read."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._session: sqlite3.Connection | None = None
        self._ticket: Ticket | None = None

    def transact(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in a transaction and commit it."""
        with self._lock:
            try:
                return self._transact(self._open(), work)
            except sqlite3.Error as error:
                raise translate(error, self.path or ":memory:") from error

    def look(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that only reads; it waits for no writer of another process."""
        with self._lock, told(self.path or ":memory:"):
            session = self._open()
            session.execute("BEGIN")
            try:
                return work(SqliteTx(session))
            finally:
                session.execute("ROLLBACK")

    def compact(self) -> None:
        """Give room that is not used any more back to the disk."""
        with self._lock, told(self.path or ":memory:"):
            self._open().execute("VACUUM")

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        with self._lock:
            if self._session:
                self._session.close()
            if self._ticket:
                self._ticket.close()
            self._session = self._ticket = None

    def _transact(self, session: sqlite3.Connection, work: Callable[[Tx], T]) -> T:
        try:
            if self._ticket:
                self._ticket.take()
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
            self._session = connect(self.path, synchronous="NORMAL")
            self._ticket = Ticket(self.path.with_name(f".{self.path.name}-ticket")) if self.path else None
            for statement in SCHEMA.split(";"):
                self._session.execute(statement)
        return self._session
