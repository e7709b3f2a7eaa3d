"""Which dates does a trigger say? Those of its cron expression, its interval, its rule or its list, in its zone."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, TypeAlias

from cronsim import CronSim, CronSimError

from penstock.engine.daylight import Clock, Written, repeats
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
STEPS: Final = {
    "SECONDLY": timedelta(seconds=1),
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": HOUR,
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
}
PARTS: Final = (
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY",
    "BYHOUR", "BYMINUTE", "BYSECOND",
)  # fmt: skip
YEARS: Final = timedelta(days=366 * 10)
MOST_COUNTED: Final = 100_000
LATEST_TIME: Final = time(23, 59, 59)
Walls: TypeAlias = Callable[[datetime], Iterator[datetime]]


def check_cron(cron: str, seconds: bool) -> None:
    """See whether a cron expression can be read. Raises BadSchedule."""
    _cron(cron, seconds)(datetime(2000, 1, 1))


def check_rule(rule: str) -> None:
    """See whether a recurrence rule can be read. Raises BadSchedule."""
    next(_rule(rule, START, UTC)(START), None)


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
    return found.astimezone(UTC) if found.tzinfo else found


def dates_said(trigger: OnTime, clock: Clock, start: datetime) -> Iterator[Written]:
    """The dates of a trigger from a wall time on (included), in the order of wall times."""
    match trigger:
        case Schedule(cron=cron, seconds=seconds):
            yield from _marked(clock, _cron(cron, seconds), start)
        case Rule(rule=rule, anchor=anchor):
            yield from _marked(clock, _rule(rule, _anchor(anchor, clock), clock.zone), start)
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
        if instant.year > 9000:
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


def _rule(rule: str, anchor: datetime, around: tzinfo) -> Walls:
    from dateutil.rrule import rrulestr

    parts = _parts(rule)
    until, many = _until(rule, parts.pop("UNTIL", ""), around), _number(rule, parts, "COUNT", 0)
    parts.pop("COUNT", None)
    step = STEPS.get(parts["FREQ"])
    every = _number(rule, parts, "INTERVAL", 1)

    def walls(start: datetime) -> Iterator[datetime]:
        begin = anchor if many else _near(anchor, start, step, every)
        last = min(until, max(start, begin, START) + YEARS)
        text = ";".join(f"{name}={value}" for name, value in {**parts, "UNTIL": f"{last:%Y%m%dT%H%M%S}"}.items())
        try:
            found = iter(rrulestr(text, dtstart=begin))
        except (ValueError, TypeError) as error:
            raise BadSchedule(f'"{rule}" is no recurrence rule: {error}.') from None
        return (each for each in itertools.islice(found, many or None) if each >= start)

    return walls


def _near(anchor: datetime, start: datetime, step: timedelta | None, every: int) -> datetime:
    """A later beginning of the same dates, so that those of many years need not be gone through."""
    if step is not None:
        return anchor + max((start - anchor) // (step * every) - 1, 0) * step * every
    years = max((start.year - anchor.year) // every - 1, 0) * every
    return anchor if (anchor.month, anchor.day) == (2, 29) else anchor.replace(year=anchor.year + years)


def _parts(rule: str) -> dict[str, str]:
    text = rule.strip().upper().removeprefix("RRULE:").removesuffix(";")
    pairs = [part.partition("=") for part in text.split(";")]
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    unknown = next((name for name in parts if name not in PARTS), None)
    if "FREQ" not in parts or unknown is not None or len(parts) != len(pairs):
        why = f"it has no part {unknown}" if unknown else "it says each part once, FREQ among them"
        raise BadSchedule(f'"{rule}" is no recurrence rule: {why}.', hint="Such as FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9.")
    return parts


def _number(rule: str, parts: dict[str, str], name: str, default: int) -> int:
    written = parts.get(name)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and 0 < int(written) <= MOST_COUNTED):
        raise BadSchedule(f'"{rule}" is no recurrence rule: {name} is a number from 1 to {MOST_COUNTED}.')
    return int(written)


def _until(rule: str, written: str, around: tzinfo) -> datetime:
    if not written:
        return datetime.max.replace(microsecond=0) - YEARS
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{rule}" is no recurrence rule: UNTIL is a date such as 20261231T235959Z.') from None
    if len(written) == len("20261231"):
        return datetime.combine(date(found.year, found.month, found.day), LATEST_TIME)
    return found.astimezone(around).replace(tzinfo=None) if found.tzinfo else found
