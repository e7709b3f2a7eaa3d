"""Which partitions does history need? One a day, made ahead; what fits none of them goes to the rest.

A run's history is cut by run id, which begins with the milliseconds of its birth; the feed is cut by instant.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Final

from penstock.model.ids import run_id
from penstock.model.policy import SECOND

if TYPE_CHECKING:
    from penstock.store.postgres.lane import Session

HISTORY: Final = ("events", "attempts", "outputs", "metrics", "log_chunks")
FEED: Final = "changes"
DAY: Final = 86_400 * SECOND
AHEAD: Final = 7


def day_of(instant: int) -> int:
    """The number of the day (UTC, since 1970) that an instant in microseconds lies in."""
    return instant // DAY


def name_of(table: str, day: int) -> str:
    """The partition of a table for a day: `events_d20261121`."""
    return f"{table}_d{datetime.date.fromordinal(datetime.date(1970, 1, 1).toordinal() + day):%Y%m%d}"


def first_id(day: int) -> str:
    """What sorts before every run id of a day and after those of the days before."""
    return run_id(day * DAY // 1000, bytes(10))[:10]


def make_ahead(session: Session, now: int, days: int = AHEAD) -> list[str]:
    """Make the partitions from today on that are missing, and name them; a day that the rest holds stays there."""
    import psycopg

    today = day_of(now)
    wanted = [(table, day) for day in range(today, today + days + 1) for table in (*HISTORY, FEED)]
    names = [name_of(table, day) for table, day in wanted]
    there = {row[0] for row in session.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s)", [names])}
    made: list[str] = []
    for (table, day), name in zip(wanted, names, strict=True):
        if name in there:
            continue
        bounds = (day * DAY, (day + 1) * DAY) if table == FEED else (first_id(day), first_id(day + 1))
        low, high = (f"'{bound}'" if isinstance(bound, str) else str(bound) for bound in bounds)
        text = f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})"
        try:
            session.execute(text, prepare=False)
        except (psycopg.errors.CheckViolation, psycopg.errors.LockNotAvailable):
            continue
        made.append(name)
    return made
