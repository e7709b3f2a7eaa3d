"""What becomes of a date on a day that is closed? It is left out, or moved to an open day near it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias

import msgspec

from penstock.engine.daylight import Written
from penstock.model.trigger import ClosedDay

DAY: Final = timedelta(days=1)
FARTHEST: Final = 60
IsClosed: TypeAlias = Callable[[date], str]
"""Why a day is closed; empty where it is open."""


def beginning(start: datetime, what: ClosedDay, is_closed: IsClosed) -> datetime:
    """From which wall time on dates are needed, so that none is lost that moves behind `start`."""
    if what is ClosedDay.SKIP:
        return start
    day = _open(start.date(), -DAY, is_closed) or start.date()
    if what is ClosedDay.NEXT and day == start.date():
        day = _last_closed(day - DAY, is_closed)
    return datetime.combine(day, time())


def _last_closed(day: date, is_closed: IsClosed) -> date:
    """The first of the closed days that end with this one; the day after it where it is open."""
    for _ in range(FARTHEST):
        if not is_closed(day):
            break
        day -= DAY
    return day + DAY


def batches(
    written: Iterable[Written], what: ClosedDay, is_closed: IsClosed
) -> Iterator[tuple[datetime, list[Written]]]:
    """Dates by the day that they come to, each batch with the wall time before which none of it or after it comes."""
    if what is ClosedDay.SKIP:
        for each in written:
            why = is_closed(each.wall.date())
            yield each.wall, [msgspec.structs.replace(each, why=why) if why else each]
        return
    is_closed = functools.cache(is_closed)
    nearest = functools.cache(lambda day: _open(day, DAY if what is ClosedDay.NEXT else -DAY, is_closed))
    moved = (_moved(each, is_closed, nearest) for each in written)
    for day, batch in itertools.groupby(moved, lambda each: each.wall.date()):
        yield datetime.combine(day, time()), list(batch)


def _moved(written: Written, is_closed: IsClosed, nearest: Callable[[date], date | None]) -> Written:
    day = written.wall.date()
    why = is_closed(day)
    if not why:
        return written
    found = nearest(day)
    if found is None:
        return msgspec.structs.replace(written, why=f"{why}, and no day near it is open")
    return Written(datetime.combine(found, written.wall.time()), planned=written.wall)


def _open(day: date, step: timedelta, is_closed: IsClosed) -> date | None:
    """The nearest open day from one on, in one direction."""
    for _ in range(FARTHEST):
        if not is_closed(day):
            return day
        day += step
    return None
