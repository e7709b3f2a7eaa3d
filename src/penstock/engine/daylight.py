"""Which instants does a time of day stand for where clocks are set forward or back? None, one or two of them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from penstock.model.trigger import MissingHour, RepeatedHour

SECOND: Final = timedelta(seconds=1)
LEFT_OUT: Final = "the clock is set forward over it"


class Written(msgspec.Struct, frozen=True):
    """A date as clocks on a wall show it. `exact` is its instant, where that is known (UTC); `often` tells whether
    others come about the same hour; `planned` is the date that it was before it was moved; `why` it does not count.
    """

    wall: datetime
    exact: datetime | None = None
    often: bool = False
    planned: datetime | None = None
    why: str = ""


class Found(msgspec.Struct, frozen=True):
    """A date with its instant, in its zone; with the date that it was moved from; or with why it does not count."""

    date: datetime
    planned: datetime | None = None
    why: str = ""


class Clock(msgspec.Struct, frozen=True):
    """A time zone, and what is meant where it leaves times out or repeats them."""

    zone: tzinfo
    missing: MissingHour = MissingHour.SHIFT
    repeated: RepeatedHour = RepeatedHour.FIRST

    def wall(self, instant: datetime) -> datetime:
        """What a clock on the wall shows."""
        return instant.astimezone(self.zone).replace(tzinfo=None)


def before(clock: Clock, wall: datetime) -> timedelta:
    """The offset in force before the change of clocks that a wall time falls into; the only one where none does."""
    return wall.replace(tzinfo=clock.zone, fold=0).utcoffset() or timedelta()


def behind(clock: Clock, wall: datetime) -> timedelta:
    """The offset in force after it."""
    return wall.replace(tzinfo=clock.zone, fold=1).utcoffset() or timedelta()


def repeats(clock: Clock, wall: datetime) -> timedelta:
    """How long the time is that comes twice, where a wall time does; else nothing."""
    return max(before(clock, wall) - behind(clock, wall), timedelta())


def first(clock: Clock, wall: datetime) -> datetime:
    """The first instant (UTC) at which a clock on the wall shows this time, or a later one if it never shows it."""
    early, late = before(clock, wall), behind(clock, wall)
    return (wall - early).replace(tzinfo=UTC) if early >= late else _change(clock, wall, early, late)


def _change(clock: Clock, wall: datetime, early: timedelta, late: timedelta) -> datetime:
    """The instant at which the clock is set forward over a wall time."""
    low, high = (wall - late).replace(tzinfo=UTC), (wall - early).replace(tzinfo=UTC)
    while high - low > SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(clock.zone).utcoffset() == early:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def instants(clock: Clock, written: Written) -> Iterator[Found]:
    """The instants of one written date, or why there is none."""
    if written.exact is not None:
        yield _found(clock, written.exact, written)
        return
    wall = written.wall
    early, late = before(clock, wall), behind(clock, wall)
    one, other = (wall - early).replace(tzinfo=UTC), (wall - late).replace(tzinfo=UTC)
    if early == late:
        yield _found(clock, one, written)
    elif early < late:
        match clock.missing:
            case MissingHour.SKIP:
                yield Found(wall.replace(tzinfo=clock.zone), written.planned, LEFT_OUT)
            case MissingHour.NEXT:
                yield _found(clock, _change(clock, wall, early, late), written)
            case MissingHour.SHIFT:
                yield _found(clock, one, written)
    else:
        for instant in _meant(clock.repeated, written.often, one, other):
            yield _found(clock, instant, written)


def _meant(repeated: RepeatedHour, often: bool, one: datetime, other: datetime) -> tuple[datetime, ...]:
    match repeated:
        case RepeatedHour.FIRST:
            return (one,)
        case RepeatedHour.LAST:
            return (other,)
        case RepeatedHour.BOTH:
            return (one, other)
        case RepeatedHour.OFTEN:
            return (one, other) if often else (one,)


def _found(clock: Clock, instant: datetime, written: Written) -> Found:
    return Found(instant.astimezone(clock.zone), written.planned, written.why)


def in_order(clock: Clock, batches: Iterable[tuple[datetime, Iterable[Written]]]) -> Iterator[Found]:
    """The instants of written dates in their order, each once.

    Each batch comes with a wall time that neither it nor any later one falls below.
    """
    waiting: list[tuple[datetime, int, int, Found]] = []
    count = itertools.count()
    latest: datetime | None = None
    for floor, batch in itertools.chain(batches, [(None, ())]):
        for written in batch:
            for each in instants(clock, written):
                heapq.heappush(waiting, (each.date.astimezone(UTC), _rank(each), next(count), each))
        bound = None if floor is None else first(clock, floor)
        while waiting and (bound is None or waiting[0][0] <= bound):
            instant, _, _, each = heapq.heappop(waiting)
            if each.why or instant != latest:
                yield each
            elif each.planned:
                yield msgspec.structs.replace(each, why="there is a date at the same time already")
            latest = latest if each.why else instant


def _rank(found: Found) -> int:
    """Of dates at one instant: those that count come first, and those that were not moved."""
    return 2 if found.why else 1 if found.planned else 0
