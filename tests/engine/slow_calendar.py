"""Which instants does a cron expression mean, told slowly? Every minute is looked at, and what clocks show in it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from penstock.model.trigger import MissingHour, RepeatedHour

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
# Whole hours, half an hour, two hours, at midnight, around Ramadan, not at all.
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Paris",
    "Pacific/Chatham",
)
RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(7))


@functools.cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The hours of ten years in which clocks are changed; the middle of each year where they never are."""
    around = ZoneInfo(zone)
    hours = [BEGIN + count * HOUR for count in range((END - BEGIN) // HOUR)]
    offsets = [hour.astimezone(around).utcoffset() for hour in hours]
    found = [hour for hour, old, new in zip(hours[1:], offsets, offsets[1:], strict=False) if old != new]
    return tuple(found or [datetime(year, 7, 1, tzinfo=UTC) for year in range(2026, 2036)])


def allowed(field: str, every: range) -> frozenset[int]:
    """The numbers that one field of an expression allows."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        numbers = every if span == "*" else range(int(low), int(high or (every[-1] if step else low)) + 1)
        found.update(numbers[:: int(step or 1)])
    return frozenset(found)


class Cron:
    """An expression of five fields."""

    def __init__(self, text: str) -> None:
        self.text, fields = text, text.split()
        self._sets = [allowed(field, every) for field, every in zip(fields, RANGES, strict=True)]
        self._both = "*" in (fields[2], fields[4])

    def means(self, wall: datetime) -> bool:
        """Does it mean what a clock shows?"""
        minutes, hours, days, months, weekdays = self._sets
        day, weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        on_day = (day and weekday) if self._both else (day or weekday)
        return wall.minute in minutes and wall.hour in hours and on_day and wall.month in months


@functools.lru_cache(maxsize=2)
def shown(zone: str, begin: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Every minute from one instant to another, with what clocks show in it."""
    around = ZoneInfo(zone)
    instants = (begin + count * MINUTE for count in range((end - begin) // MINUTE))
    return tuple((each, each.astimezone(around).replace(tzinfo=None)) for each in instants)


@functools.lru_cache(maxsize=2)
def instants_of(zone: str, begin: datetime, end: datetime) -> dict[datetime, list[datetime]]:
    """What clocks show between two instants, with the minutes in which they do."""
    times: dict[datetime, list[datetime]] = {}
    for instant, wall in shown(zone, begin, end):
        times.setdefault(wall, []).append(instant)
    return times


@functools.lru_cache(maxsize=8)
def walls_meant(text: str, zone: str, begin: datetime, end: datetime) -> tuple[datetime, ...]:
    """What clocks show between two instants that an expression means."""
    cron = Cron(text)
    return tuple(wall for wall in instants_of(zone, begin, end) if cron.means(wall))


@functools.lru_cache(maxsize=4)
def jumps(zone: str, begin: datetime, end: datetime) -> tuple[tuple[datetime, datetime, datetime, datetime], ...]:
    """The minutes between which clocks are set forward, each with what is shown in it."""
    pairs = itertools.pairwise(shown(zone, begin, end))
    return tuple((*one, *other) for one, other in pairs if other[1] - one[1] > MINUTE)


def instants(
    cron: Cron, zone: str, begin: datetime, end: datetime, missing: MissingHour, repeated: RepeatedHour
) -> list[datetime]:
    """The instants at which a cron expression fires between two others, in their order."""
    times = instants_of(zone, begin, end)
    walls = walls_meant(cron.text, zone, begin, end)
    found = {each for wall in walls for each in _meant(cron, times, wall, repeated)}
    if missing is not MissingHour.SKIP:
        found.update(_made_up(cron, jumps(zone, begin, end), missing))
    return sorted(found)


def _meant(cron: Cron, times: dict[datetime, list[datetime]], wall: datetime, repeated: RepeatedHour) -> list[datetime]:
    twice = times[wall]
    if repeated is RepeatedHour.FIRST:
        return twice[:1]
    if repeated is RepeatedHour.LAST:
        return twice[-1:]
    if repeated is RepeatedHour.BOTH or len(twice) == 1:
        return twice
    hour = wall.replace(minute=0)
    beside = [hour + count * MINUTE for count in range(60) if len(times.get(hour + count * MINUTE, ())) > 1]
    behind = [hour + HOUR + count * MINUTE for count in range(60)]
    often = any(cron.means(each) for each in [*beside, *behind] if each != wall)
    return twice if often else twice[:1]


def _made_up(
    cron: Cron, forward: tuple[tuple[datetime, datetime, datetime, datetime], ...], missing: MissingHour
) -> Iterator[datetime]:
    """The instants in place of times that no clock shows."""
    for early, before, late, after in forward:
        wall = before + MINUTE
        while wall < after:
            if cron.means(wall):
                yield late if missing is MissingHour.NEXT else early + (wall - before)
            wall += MINUTE
