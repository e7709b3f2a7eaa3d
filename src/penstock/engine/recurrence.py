"""Which dates does a trigger say? Those of its cron expression, its interval, its rule or its list, in its zone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from cronsim import CronSim, CronSimError

from penstock.engine.daylight import Clock, Written, repeats
from penstock.engine.rules import dates_of, read_rule
from penstock.errors import PenstockError
from penstock.errors.run import BadSchedule
from penstock.expr.dates.zones import zone_of
from penstock.model.trigger import Dates, Interval, OnTime, RepeatedHour, Rule, Schedule

NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
START: Final = datetime(1970, 1, 1)
HOUR: Final = timedelta(hours=1)
MICROSECOND: Final = timedelta(microseconds=1)
DAY_LONG: Final = timedelta(days=1) // MICROSECOND
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9000
YEARS: Final = timedelta(days=366 * 10)
Walls: TypeAlias = Callable[[datetime], Iterator[datetime]]


def check_cron(cron: str, seconds: bool) -> None:
    """See whether a cron expression can be read. Raises BadSchedule."""
    _cron(cron, seconds)(datetime(2000, 1, 1))


def check_rule(rule: str) -> None:
    """See whether a recurrence rule can be read. Raises BadSchedule."""
    read_rule(rule, START, UTC)


def check_zone(name: str) -> None:
    """See whether there is a time zone of this name. Raises BadSchedule."""
    zone(name)


def check_date(written: str, timezone: str = "") -> None:
    """See whether a date that is written down can be read. Raises BadSchedule."""
    read_date(written, zone(timezone))


def zone(name: str) -> tzinfo:
    """The time zone of a name; empty means UTC. Raises BadSchedule."""
    try:
        return zone_of(name or "UTC")
    except PenstockError as error:
        raise BadSchedule(error.sentence, hint=error.hint) from None


def read_date(written: str, around: tzinfo) -> datetime:
    """A date that is written down, in UTC if it says its offset, else as clocks in the zone show it (without one)."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no date with its time, such as 2026-01-31T09:00:00Z.') from None
    if not FIRST_YEAR <= found.year < LAST_YEAR:
        raise BadSchedule(f'"{written}" is too far away: dates are from {FIRST_YEAR} on and before {LAST_YEAR}.')
    return found.astimezone(UTC) if found.tzinfo else found


def dates_said(trigger: OnTime, clock: Clock, start: datetime) -> Iterator[Written]:
    """The dates of a trigger from a wall time on (included), in the order of wall times."""
    match trigger:
        case Schedule(cron=cron, seconds=seconds):
            yield from _marked(clock, _cron(cron, seconds), start)
        case Rule(rule=rule, anchor=anchor):
            read = read_rule(rule, _anchor(anchor, clock), clock.zone)
            yield from _marked(clock, lambda wall: dates_of(read, wall), start)
        case Interval():
            yield from _every(trigger, clock, start)
        case Dates(dates=dates):
            found = [read_date(each, clock.zone) for each in dates]
            written = [Written(clock.wall(each), each) if each.tzinfo else Written(each) for each in found]
            yield from sorted((each for each in written if each.wall >= start), key=lambda each: each.wall)


def _marked(clock: Clock, walls: Walls, start: datetime) -> Iterator[Written]:
    """Each wall time, with whether it comes often where it comes twice and that is asked."""
    asked = clock.repeated is RepeatedHour.OFTEN
    for wall in walls(start):
        yield Written(wall, often=asked and bool(repeats(clock, wall)) and _comes_often(clock, walls, wall))


def _comes_often(clock: Clock, walls: Walls, wall: datetime) -> bool:
    """Does another date come in the part of its hour that is repeated, or any in the hour after?"""
    hour = wall.replace(minute=0, second=0)
    near = itertools.takewhile(lambda each: each < hour + 2 * HOUR, walls(hour))
    return any(each != wall and (each >= hour + HOUR or repeats(clock, each)) for each in near)


def _every(trigger: Interval, clock: Clock, start: datetime) -> Iterator[Written]:
    if trigger.every <= 0:
        raise BadSchedule("An interval is longer than nothing.")
    anchor = _anchor(trigger.anchor, clock)
    begin = anchor.replace(tzinfo=clock.zone) if anchor.tzinfo is None else anchor
    step, beginning = trigger.every * MICROSECOND, start.replace(tzinfo=clock.zone).astimezone(UTC) - 2 * HOUR
    many = -((begin - beginning) // step)
    for count in itertools.count(many):
        instant = begin.astimezone(UTC) + count * step
        if instant.year > LAST_YEAR:
            return
        wall = clock.wall(instant)
        if wall >= start:
            yield Written(wall, instant)


def _anchor(written: str, clock: Clock) -> datetime:
    found = read_date(written, clock.zone) if written else START
    return clock.wall(found) if found.tzinfo else found


def _cron(cron: str, seconds: bool) -> Walls:
    nickname = NICKNAMES.get(cron.strip().lower())
    fields = (nickname or cron).split()
    if len(fields) != (6 if seconds else 5) and not (seconds and nickname):
        wanted = "six fields, the first for seconds" if seconds else "five fields"
        hint = "" if seconds or len(fields) != 6 else "With a field for seconds in front write `withSeconds: true`."
        raise BadSchedule(f'"{cron}" has {len(fields)} fields; a cron expression has {wanted}.', hint=hint)
    # Quartz' sign for "no particular day" is known to the language, and means any here.
    text = " ".join("*" if field == "?" else field for field in fields)

    def walls(start: datetime) -> Iterator[datetime]:
        try:
            return CronSim(text, start - MICROSECOND)
        except CronSimError as error:
            raise BadSchedule(f'"{cron}" is no cron expression: {str(error).lower()}.') from None

    return walls
