"""Which partitions does history need? One a day, made ahead; what fits none of them goes to the rest.

A run's history is cut by run id, which begins with the milliseconds of its birth; the feed is cut by instant.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

from penstock.model.ids import run_id
from penstock.model.policy import SECOND
from penstock.store.postgres.address import own
from penstock.store.postgres.session import settled

if TYPE_CHECKING:
    from penstock.store.postgres.session import Session

HISTORY: Final = ("events", "attempts", "outputs", "metrics", "log_chunks")
FEED: Final = "changes"
DAY: Final = 86_400 * SECOND
AHEAD: Final = 7
PATIENCE: Final = "300ms"
TENDING: Final = 0x50454E55
THERE: Final = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace"


def day_of(instant: int) -> int:
    """The number of the day (UTC, since 1970) that an instant in microseconds lies in."""
    return instant // DAY


def name_of(table: str, day: int) -> str:
    """The partition of a table for a day: `events_d20261121`."""
    return f"{table}_d{datetime.date.fromordinal(datetime.date(1970, 1, 1).toordinal() + day):%Y%m%d}"


def first_id(day: int) -> str:
    """What sorts before every run id of a day and after those of the days before."""
    return run_id(day * DAY // 1000, bytes(10))[:10]


def tend(session: Session, now: int) -> None:
    """Make the days ahead and drop those that are empty; what another process is about is left to it."""
    make_ahead(session, now)
    drop_empty(session, now)


def make_ahead(session: Session, now: int, days: int = AHEAD) -> list[str]:
    """Make the partitions from today on that are missing, and name them; a day that the rest holds stays there."""
    today = day_of(now)
    wanted = [(table, day) for day in range(today, today + days + 1) for table in (*HISTORY, FEED)]
    names = [name_of(table, day) for table, day in wanted]
    with settled(session):
        there = {row[0] for row in session.execute(THERE, [names])}
    made: list[str] = []
    for (table, day), name in zip(wanted, names, strict=True):
        if name in there:
            continue
        bounds = (day * DAY, (day + 1) * DAY) if table == FEED else (first_id(day), first_id(day + 1))
        low, high = (f"'{bound}'" if isinstance(bound, str) else str(bound) for bound in bounds)
        text = f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})"
        if _change(session, text):
            made.append(name)
    return made


def drop_empty(session: Session, now: int) -> list[str]:
    """Drop the partitions of history of days before yesterday in which no run is kept, and name them."""
    dropped: list[str] = []
    for day in _days_there(session, HISTORY[0]):
        # A run's children are born into its day, so a day without runs gets none any more.
        bounds = [first_id(day), first_id(day + 1)]
        with settled(session):
            kept = session.execute("SELECT 1 FROM runs WHERE id >= %s AND id < %s LIMIT 1", bounds).fetchone()
        if day < day_of(now) - 1 and kept is None:
            dropped += [name_of(table, day) for table in HISTORY]
    return _drop(session, dropped)


def drop_feed(session: Session, before: int) -> list[str]:
    """Drop the days of the feed that are over before an instant, and older rows of the rest; names what was dropped."""
    with settled(session):
        session.execute("DELETE FROM changes_rest WHERE at < %s", [before])
    return _drop(session, [name_of(FEED, day) for day in _days_there(session, FEED) if (day + 1) * DAY <= before])


def _days_there(session: Session, table: str) -> list[int]:
    with settled(session):
        rows = session.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table]
        )
        names = [str(name).rpartition("_d")[2] for (name,) in rows]
    epoch = datetime.date(1970, 1, 1).toordinal()
    return sorted(datetime.date.fromisoformat(name).toordinal() - epoch for name in names if name.isdigit())


def _drop(session: Session, names: list[str]) -> list[str]:
    return [name for name in names if _change(session, f"DROP TABLE IF EXISTS {name}")]


def _change(session: Session, text: str) -> bool:
    """Change a partition, or leave it for another time: who waits for a table's lock holds up all who come after."""
    import psycopg

    try:
        with settled(session), session.transaction():
            session.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'", prepare=False)
            session.execute(f"SELECT pg_advisory_xact_lock({own(session.schema, TENDING)})", prepare=False)
            session.execute(text, prepare=False)
    except (psycopg.errors.CheckViolation, psycopg.errors.LockNotAvailable, psycopg.errors.DuplicateTable):
        return False
    return True
