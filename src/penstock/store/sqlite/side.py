"""How are the bare tables of an SQLite store read and filled? Alone: nobody else may have its files open meanwhile."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from penstock.clock import Clock
from penstock.errors.store import NotAStore, StoreInUse
from penstock.store import codec
from penstock.store.carrying import DONE, Table
from penstock.store.migrations import marks
from penstock.store.migrations.marks import Mark
from penstock.store.port import Row
from penstock.store.sqlite.faults import is_busy, told
from penstock.store.sqlite.logs import SCHEMA, logs_path
from penstock.store.sqlite.session import make_closed

LOGS: Final = "log_chunks"
# As long as a command that only looks may have it open.
MOMENT: Final = 2.0
PROGRESS: Final = "CREATE TABLE IF NOT EXISTS moving (name TEXT PRIMARY KEY, reached TEXT NOT NULL) STRICT"
REACHED: Final = "INSERT INTO moving VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET reached = excluded.reached"
AUTOMATIC: Final = "AUTOINCREMENT"
BATCH: Final = "SELECT {columns} FROM {table}{behind} ORDER BY {key} LIMIT {limit}"
PUT: Final = "INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values})"
NEWEST: Final = "SELECT max(id) FROM {table}"
EMPTY: Final = "DELETE FROM {table}"
OURS: Final = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
    "AND name NOT IN ('schema_migrations', 'moving') ORDER BY name"
)
KNOWN: Final = "SELECT 'worker ' || id || ' (process ' || pid || ' on ' || host || ')' FROM workers ORDER BY id"


class SqliteSide:
    """The files of a store, locked as long as this is open; closes with `close`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.where = str(path)
        self._clock = clock
        with told(path):
            self._state = alone(path)
            try:
                self._logs = alone(logs_path(path))
                for statement in SCHEMA.split(";"):
                    self._logs.execute(statement)
            except BaseException:
                self._state.close()
                raise

    def mark(self) -> Mark | None:
        """What keeps it shut."""
        asked = "SELECT name, checksum FROM schema_migrations WHERE version >= ?"
        row = self._state.execute(asked, (marks.FIRST,)).fetchone()
        return marks.read(str(row[0]), str(row[1])) if row else None

    def set_mark(self, mark: Mark | None) -> None:
        """Shut it, or open it."""
        with self._written(self._state):
            self._mark(mark)

    def tables(self) -> list[Table]:
        """All its tables but that of migrations, by name."""
        names = [str(name) for name, _ in self._state.execute(OURS)]
        return [self._table(name) for name in sorted([*names, LOGS])]

    def batch(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """The rows behind a key, in its order."""
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        behind = f" WHERE ({key}) > ({', '.join('?' * len(table.key))})" if after else ""
        asked = BATCH.format(columns=columns, table=table.name, behind=behind, key=key, limit=limit)
        with told(self.path):
            return self._of(table.name).execute(asked, after or ()).fetchall()

    def put(self, table: Table, rows: Sequence[Row], reached: str) -> None:
        """Add rows, and remember how far that is: logs, which are a file of their own, may come twice."""
        columns, values = ", ".join(table.columns), ", ".join("?" * len(table.columns))
        with self._written(self._of(table.name)) as session:
            session.executemany(PUT.format(table=table.name, columns=columns, values=values), rows)
            if session is self._state:
                session.execute(REACHED, (table.name, reached))
        if table.name == LOGS:
            self.note(table.name, reached)

    def progress(self) -> dict[str, str]:
        """How far each table has come, and what else was noted."""
        there = self._state.execute("SELECT 1 FROM sqlite_master WHERE name = 'moving'").fetchone()
        rows = self._state.execute("SELECT name, reached FROM moving").fetchall() if there else []
        return {str(name): str(text) for name, text in rows}

    def note(self, name: str, text: str) -> None:
        """Remember something beside how far the tables have come."""
        with self._written(self._state) as session:
            session.execute(PROGRESS)
            session.execute(REACHED, (name, text))

    def counters(self) -> dict[str, int]:
        """The newest number that was given out, by table."""
        found: dict[str, int] = {}
        given = dict(self._state.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        for table in self.tables():
            if table.key == ("id",) and self._counts(table.name):
                newest = self._state.execute(NEWEST.format(table=table.name)).fetchone()[0]
                found[table.name] = max(newest or 0, codec.number(given.get(table.name, 0)))
        return found

    def set_counters(self, counters: dict[str, int]) -> set[str]:
        """Give out higher numbers only, and name the tables for which that is kept; elsewhere the newest row tells."""
        with self._written(self._state) as session:
            kept = {str(name) for name, sql in session.execute(OURS) if AUTOMATIC in sql and name in counters}
            for name in kept:
                session.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
                session.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, counters[name]))
        return kept

    def finish(self, move: str) -> None:
        """Open it, and remember which move has ended, in one."""
        with self._written(self._state) as session:
            session.execute(REACHED, (DONE, move))
            self._mark(None)

    def empty(self) -> None:
        """Remove every row, and how far they had come."""
        with self._written(self._logs) as session:
            session.execute(EMPTY.format(table=LOGS))
        with self._written(self._state) as session:
            for name, _ in session.execute(OURS).fetchall():
                session.execute(EMPTY.format(table=name))
            session.execute("DROP TABLE IF EXISTS moving")
            session.execute(PROGRESS)

    def forget(self) -> None:
        """Remove what was remembered of a move."""
        with self._written(self._state) as session:
            session.execute("DROP TABLE IF EXISTS moving")

    def check(self) -> None:
        """See that the files are whole, page by page. Raises NotAStore."""
        for session in (self._state, self._logs):
            with told(self.path):
                ((found,), *_) = session.execute("PRAGMA integrity_check").fetchall()
            if found != "ok":
                raise NotAStore(f"{self.where} is damaged: {found}.")

    def keep(self, path: Path) -> list[Path]:
        """Copy its files as they are now, logs beside state, and name what was made."""
        made = []
        for session, target in ((self._logs, logs_path(path)), (self._state, path)):
            make_closed(target)
            with told(target), contextlib.closing(sqlite3.connect(target)) as copy:
                session.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            made.append(target)
        return made

    def replace(self, other: SqliteSide) -> None:
        """Become what another one is, its marks included: the logs first, then the state, in one."""
        with told(self.path):
            other._logs.backup(self._logs)
            other._state.backup(self._state)

    def lease_now(self) -> int:
        """Microseconds since boot."""
        return self._clock.steady()

    def close(self) -> None:
        """Let others have the files."""
        self._state.close()
        self._logs.close()

    def _of(self, table: str) -> sqlite3.Connection:
        return self._logs if table == LOGS else self._state

    def _table(self, name: str) -> Table:
        rows = self._of(name).execute(f"PRAGMA table_info({name})").fetchall()
        key = sorted((place, column) for _, column, _, _, _, place in rows if place)
        return Table(name, tuple(column for _, column, *_ in rows), tuple(column for _, column in key))

    def _counts(self, name: str) -> bool:
        """Whether SQLite numbers the rows of a table."""
        kinds = {column: kind for _, column, kind, *_ in self._state.execute(f"PRAGMA table_info({name})")}
        return bool(kinds["id"] == "INTEGER")

    def _mark(self, mark: Mark | None) -> None:
        session = self._state
        session.execute("DELETE FROM schema_migrations WHERE version >= ?", (marks.FIRST,))
        version = session.execute("SELECT max(version) FROM schema_migrations").fetchone()[0]
        if mark is not None:
            version = marks.FIRST
            add = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)"
            session.execute(add, (version, mark.name, mark.text, self._clock.now()))
        session.execute(f"PRAGMA user_version = {version}")

    @contextlib.contextmanager
    def _written(self, session: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with told(self.path):
            session.execute("BEGIN IMMEDIATE")
            try:
                yield session
                session.execute("COMMIT")
            except BaseException:
                if session.in_transaction:
                    session.execute("ROLLBACK")
                raise


def alone(path: Path) -> sqlite3.Connection:
    """Open a file that nobody else has open, and keep everybody out of it. Raises StoreInUse."""
    make_closed(path)
    session = sqlite3.connect(path, timeout=MOMENT, isolation_level=None)
    try:
        session.execute("PRAGMA locking_mode = EXCLUSIVE")
        session.execute("PRAGMA journal_mode = WAL")
        # With the first access the lock is taken that only closing gives back.
        session.execute("BEGIN IMMEDIATE")
        session.execute("SELECT 1 FROM sqlite_master").fetchone()
        session.execute("COMMIT")
    except sqlite3.Error as error:
        session.close()
        if is_busy(error):
            raise StoreInUse(f"Somebody works with {path}{_known(path)}.") from None
        raise
    except BaseException:
        session.close()
        raise
    return session


def _known(path: Path) -> str:
    """The workers that it knows of, as part of a sentence."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as session:
        if names := [str(name) for (name,) in session.execute(KNOWN)]:
            return f"; it knows {', '.join(names)}"
    return ""
