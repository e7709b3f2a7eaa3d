"""How is a connection to SQLite set up, and what is a transaction on it?"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.store import codec
from penstock.store.port import Row
from penstock.store.statements import statement

BUSY_SECONDS = 5.0


def connect(path: Path | None, *, synchronous: str = "FULL") -> sqlite3.Connection:
    """Open a connection that any thread may use, one at a time; nothing for a database in memory."""
    if path:
        make_closed(path)
    session = sqlite3.connect(
        path or ":memory:",
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        if path:
            # FULL, so that what was committed survives power loss; logs may lose their last moment.
            session.execute("PRAGMA journal_mode = WAL")
            session.execute(f"PRAGMA synchronous = {synchronous}")
            session.execute("PRAGMA journal_size_limit = 67108864")
        session.execute("PRAGMA temp_store = MEMORY")
        session.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        session.close()
        raise
    return session


def make_closed(path: Path) -> None:
    """Make a file that is not there for its owner alone; what SQLite puts beside it is as closed as the file itself."""
    with contextlib.suppress(OSError):  # SQLite says better what is wrong with it
        # never one that is there: closing it would take the locks away that this process holds on it
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


class SqliteTx:
    """An open transaction on one connection."""

    kind = "sqlite"

    def __init__(self, session: sqlite3.Connection) -> None:
        self._session = session
        self.wakes = False

    def one(self, query: str, **params: object) -> Row | None:
        """Run a query and give its first row, or nothing."""
        # All rows are fetched: a statement left in the middle would hold its transaction open.
        rows = self.all(query, **params)
        return rows[0] if rows else None

    def all(self, query: str, **params: object) -> list[Row]:
        """Run a query and give every row."""
        return self._execute(query, params).fetchall()

    def run(self, query: str, **params: object) -> int:
        """Run a statement and tell how many rows it touched."""
        return self._execute(query, params).rowcount

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run one statement for each of `rows`."""
        found = statement("sqlite", query)
        if found.lists:
            rows = [{**row, **{name: codec.text(row[name]) for name in found.lists}} for row in rows]
        self._session.executemany(found.text, rows)

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        """Run a statement and tell, when that is asked for, how many rows it touched."""
        touched = self.run(query, **params)
        return lambda: touched

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        """Leave a query to the caller: there is no round trip to be spared."""
        return lambda: None

    def wake(self) -> None:
        """Wake workers that sleep, once this is committed."""
        self.wakes = True

    def _execute(self, query: str, params: dict[str, object]) -> sqlite3.Cursor:
        found = statement("sqlite", query)
        for name in found.lists:
            params[name] = codec.text(params[name])
        return self._session.execute(found.text, params)
