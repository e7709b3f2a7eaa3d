"""How are the bare tables of a store on PostgreSQL read and filled? On one connection, while nobody else is there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, LiteralString

from penstock.clock import Clock
from penstock.errors.store import StoreError, StoreInUse
from penstock.store import codec
from penstock.store.carrying import DONE, Table
from penstock.store.migrations import marks
from penstock.store.migrations.marks import Mark
from penstock.store.port import Row
from penstock.store.postgres.faults import place, translate
from penstock.store.postgres.session import connect, settled

if TYPE_CHECKING:
    from penstock.store.postgres.session import Session

PROGRESS: Final = "CREATE TABLE IF NOT EXISTS moving (name TEXT PRIMARY KEY, reached TEXT NOT NULL)"
REACHED: Final = "INSERT INTO moving VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET reached = excluded.reached"
OURS: Final = """
SELECT relname, (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
       (SELECT array_agg(attname::text ORDER BY array_position(i.indkey::int2[], attnum)) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum = ANY(i.indkey))
FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname NOT IN ('schema_migrations', 'moving')
ORDER BY relname COLLATE "C"
"""
SEQUENCES: Final = """
SELECT relname, pg_get_serial_sequence(c.oid::regclass::text, attname) FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND pg_get_serial_sequence(c.oid::regclass::text, attname) IS NOT NULL
"""
GIVEN: Final = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"
BATCH: Final = "SELECT {columns} FROM {table}{behind} ORDER BY {key} LIMIT {limit}"
BEATS: Final = """
SELECT count(*) FROM workers WHERE beat_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 30000000
"""
OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (application_name = %s OR starts_with(application_name, %s))
"""
LOOKS: Final = 10
PAUSE: Final = 0.1
LEASE_CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class PostgresSide:
    """A store in a database; opens a connection of its own, closes with `close`. Raises StoreInUse."""

    def __init__(self, dsn: str, clock: Clock) -> None:
        self.where = place(dsn)
        self._clock = clock
        with self._told():
            self._session: Session = connect(dsn)
        try:
            self._look_round(dsn)
        except BaseException:
            self._session.close()
            raise

    def mark(self) -> Mark | None:
        """What keeps it shut."""
        asked = "SELECT name, checksum FROM schema_migrations WHERE version >= %s"
        with self._told(), self._begun() as session:
            row = session.execute(asked, [marks.FIRST]).fetchone()
        return marks.read(str(row[0]), str(row[1])) if row else None

    def set_mark(self, mark: Mark | None) -> None:
        """Shut it, or open it."""
        with self._told(), self._begun() as session:
            self._mark(session, mark)

    def tables(self) -> list[Table]:
        """All its tables but that of migrations, by name."""
        with self._told(), self._begun() as session:
            rows = session.execute(OURS).fetchall()
        return [Table(str(name), _names(columns), _names(key)) for name, columns, key in rows]

    def batch(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """The rows behind a key, in its order."""
        columns, key = ", ".join(table.columns), ", ".join(table.key)
        behind = f" WHERE ({key}) > ({', '.join(['%s'] * len(table.key))})" if after else ""
        asked = BATCH.format(columns=columns, table=table.name, behind=behind, key=key, limit=limit)
        with self._told(), self._begun() as session:
            return session.execute(asked.encode(), after or None).fetchall()

    def put(self, table: Table, rows: Sequence[Row], reached: str) -> None:
        """Add rows, and remember how far that is, together."""
        text = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with self._told(), self._begun() as session:
            with session.cursor() as cursor, cursor.copy(text.encode()) as copying:
                for row in rows:
                    copying.write_row(row)
            session.execute(REACHED, [table.name, reached])

    def progress(self) -> dict[str, str]:
        """How far each table has come, and what else was noted."""
        with self._told(), self._begun() as session:
            there = session.execute("SELECT to_regclass('moving') IS NOT NULL").fetchone()
            rows = session.execute("SELECT name, reached FROM moving").fetchall() if there and there[0] else []
        return {str(name): str(text) for name, text in rows}

    def note(self, name: str, text: str) -> None:
        """Remember something beside how far the tables have come."""
        with self._told(), self._begun() as session:
            session.execute(PROGRESS)
            session.execute(REACHED, [name, text])

    def counters(self) -> dict[str, int]:
        """The newest number that was given out, by table."""
        found: dict[str, int] = {}
        with self._told(), self._begun() as session:
            for table, sequence in session.execute(SEQUENCES).fetchall():
                ((number,),) = session.execute(GIVEN.format(sequence=sequence).encode()).fetchall()
                found[str(table)] = codec.number(number)
        return found

    def set_counters(self, counters: dict[str, int]) -> set[str]:
        """Give out higher numbers only, and name the tables for which that is kept."""
        kept: set[str] = set()
        with self._told(), self._begun() as session:
            for table, sequence in session.execute(SEQUENCES).fetchall():
                if (number := counters.get(str(table), 0)) > 0:
                    session.execute("SELECT setval(%s::regclass, %s)", [sequence, number])
                    kept.add(str(table))
        return kept

    def finish(self, move: str) -> None:
        """Open it, and remember which move has ended, in one."""
        with self._told(), self._begun() as session:
            session.execute(REACHED, [DONE, move])
            self._mark(session, None)

    def empty(self) -> None:
        """Remove every row, and how far they had come."""
        names = ", ".join(table.name for table in self.tables())
        with self._told(), self._begun() as session:
            session.execute(f"TRUNCATE {names}".encode())
            session.execute("DROP TABLE IF EXISTS moving")
            session.execute(PROGRESS)

    def forget(self) -> None:
        """Remove what was remembered of a move."""
        with self._told(), self._begun() as session:
            session.execute("DROP TABLE IF EXISTS moving")

    def lease_now(self) -> int:
        """Microseconds of the server's clock."""
        with self._told():
            row = self._session.execute(LEASE_CLOCK).fetchone()
        assert row is not None
        return codec.number(row[0])

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _look_round(self, dsn: str) -> None:
        """Refuse a store that others are connected to: they would go on in it."""
        if self._session.pooled:
            raise StoreError(
                f"A pooler stands before {self.where}, and hides who works there.",
                hint="Name the address of the server itself.",
            )
        own = self._session.schema
        if "schema=" in dsn:
            names = [f"penstock {own}", f"penstock {own} "]
        else:
            names = ["penstock", f"penstock {own} "]
        for _ in range(LOOKS):
            count = self._number(OTHERS, names)
            if not count:
                break
            time.sleep(PAUSE)  # a connection that was closed is there for a moment more
        else:
            raise StoreInUse(f"Somebody works with {self.where}: {count} connections of Penstock are there.")
        # One whose way is cut for a moment would come back and go on here.
        if count := self._number(BEATS, []):
            raise StoreInUse(f"{count} workers said within the last 30 seconds that they work with {self.where}.")

    def _number(self, asked: LiteralString, values: list[str]) -> int:
        with self._told(), self._begun() as session:
            row = session.execute(asked, values).fetchone()
        return codec.number(row[0]) if row else 0

    def _mark(self, session: Session, mark: Mark | None) -> None:
        session.execute("DELETE FROM schema_migrations WHERE version >= %s", [marks.FIRST])
        if mark is not None:
            add = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (%s, %s, %s, %s)"
            session.execute(add, [marks.FIRST, mark.name, mark.text, self._clock.now()])

    @contextlib.contextmanager
    def _begun(self) -> Iterator[Session]:
        with settled(self._session), self._session.transaction():
            yield self._session

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what PostgreSQL says inside into what people are told."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise translate(error, self.where) from error


def _names(found: object) -> tuple[str, ...]:
    assert isinstance(found, list)
    return tuple(str(name) for name in found)
