"""Which dates does a recurrence rule mean (RFC 5545)? Period by period, from wherever one begins to look."""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

import msgspec

from penstock.errors.run import BadSchedule

DAY: Final = timedelta(days=1)
YEARS: Final = timedelta(days=366 * 10)
# Periods without a date that are looked at one after the other before a rule counts as ended.
BARREN: Final = 20_000
MOST: Final = 100_000
STEPS: Final = {
    "SECONDLY": timedelta(seconds=1),
    "MINUTELY": timedelta(minutes=1),
    "HOURLY": timedelta(hours=1),
    "DAILY": DAY,
    "WEEKLY": timedelta(weeks=1),
}
FREQUENCIES: Final = (*STEPS, "MONTHLY", "YEARLY")
SMALL: Final = ("SECONDLY", "MINUTELY", "HOURLY")
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Lists of numbers: from, to, and whether they may count from the end.
LISTS: Final = {
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
CLOCK: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
PARTS: Final = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *LISTS)
LATEST: Final = datetime(9000, 1, 1)


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was read. `weekdays` are pairs: which one of its month or year (0: each), and the day (Monday: 0)."""

    freq: str
    every: int
    count: int
    until: datetime
    week_start: int
    weekdays: tuple[tuple[int, int], ...]
    lists: dict[str, tuple[int, ...]]
    anchor: datetime


def read_rule(rule: str, anchor: datetime, around: tzinfo) -> Recurrence:
    """Read a rule that begins at a wall time. Raises BadSchedule."""
    pairs = [part.partition("=") for part in rule.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";")]
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    if unknown := next((name for name in parts if name not in PARTS), None):
        raise _bad(rule, f"it has no part {unknown}")
    if parts.get("FREQ") not in FREQUENCIES or len(parts) != len(pairs):
        raise _bad(rule, f"it says each part once, and FREQ is one of {', '.join(FREQUENCIES)}")
    week_start = parts.get("WKST", "MO")
    if week_start not in WEEKDAYS:
        raise _bad(rule, "WKST is a day such as MO")
    return Recurrence(
        freq=parts["FREQ"],
        every=_number(rule, parts.get("INTERVAL", "1"), "INTERVAL"),
        count=_number(rule, parts["COUNT"], "COUNT") if "COUNT" in parts else 0,
        until=_until(rule, parts["UNTIL"], around) if "UNTIL" in parts else LATEST,
        week_start=WEEKDAYS.index(week_start),
        weekdays=_weekdays(rule, parts["BYDAY"]) if "BYDAY" in parts else (),
        lists={name: _numbers(rule, parts[name], name) for name in LISTS if name in parts},
        anchor=anchor.replace(microsecond=0),
    )


def dates_of(rule: Recurrence, start: datetime) -> Iterator[datetime]:
    """The dates of a rule from a wall time on, for ten years."""
    rule = _completed(rule)
    last = min(rule.until, max(start, rule.anchor) + YEARS) if start < LATEST else start
    counted, barren = 0, 0
    index = 0 if rule.count else _near(rule, start)
    while barren < BARREN:
        begin, found, index = _period(rule, index)
        if begin > last:
            return
        barren = 0 if found else barren + 1
        for each in found:
            if each < rule.anchor:
                continue
            counted += 1
            if each > last or (rule.count and counted > rule.count):
                return
            if each >= start:
                yield each


def _completed(rule: Recurrence) -> Recurrence:
    """What a rule leaves open is as its beginning is."""
    lists, weekdays, anchor = dict(rule.lists), rule.weekdays, rule.anchor
    if not (weekdays or lists.keys() & {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}):
        if rule.freq == "YEARLY":
            lists.setdefault("BYMONTH", (anchor.month,))
        if rule.freq in ("YEARLY", "MONTHLY"):
            lists["BYMONTHDAY"] = (anchor.day,)
        if rule.freq == "WEEKLY":
            weekdays = ((0, anchor.weekday()),)
    for name, value, finest in (
        ("BYHOUR", anchor.hour, SMALL),
        ("BYMINUTE", anchor.minute, SMALL[:2]),
        ("BYSECOND", anchor.second, SMALL[:1]),
    ):
        if rule.freq not in finest:
            lists.setdefault(name, (value,))
    return msgspec.structs.replace(rule, lists=lists, weekdays=weekdays)


def _near(rule: Recurrence, start: datetime) -> int:
    """A period that begins before a wall time, near it."""
    if rule.freq in STEPS:
        return max((start - rule.anchor) // (STEPS[rule.freq] * rule.every) - 1, 0)
    months = (start.year - rule.anchor.year) * 12 + start.month - rule.anchor.month
    return max(months // (rule.every * (12 if rule.freq == "YEARLY" else 1)) - 1, 0)


def _period(rule: Recurrence, index: int) -> tuple[datetime, list[datetime], int]:
    """When a period begins, its dates, and which one to look at next."""
    if rule.freq in SMALL:
        return _short(rule, index)
    begin, days = _days(rule, index)
    clock = itertools.product(*(rule.lists[name] for name in CLOCK))
    times = sorted({time(hour, minute, second) for hour, minute, second in clock})
    found = [datetime.combine(day, each) for day in days if _fits(rule, day) for each in times]
    return datetime.combine(begin, time()), _at_places(rule, found), index + 1


def _days(rule: Recurrence, index: int) -> tuple[date, list[date]]:
    """The days of a period."""
    anchor, many = rule.anchor.date(), index * rule.every
    if rule.freq == "DAILY":
        day = anchor + many * DAY
        return day, [day]
    if rule.freq == "WEEKLY":
        begin = anchor - (anchor.weekday() - rule.week_start) % 7 * DAY + many * 7 * DAY
        return begin, [begin + count * DAY for count in range(7)]
    if rule.freq == "MONTHLY":
        year, month = divmod(anchor.year * 12 + anchor.month - 1 + many, 12)
        begin, length = date(year, month + 1, 1), calendar.monthrange(year, month + 1)[1]
    else:
        begin = date(anchor.year + many, 1, 1)
        length = 366 if calendar.isleap(begin.year) else 365
    return begin, [begin + count * DAY for count in range(length)]


def _short(rule: Recurrence, index: int) -> tuple[datetime, list[datetime], int]:
    """The same of a period of an hour or less; what cannot fit is leapt over."""
    step = STEPS[rule.freq] * rule.every
    at = rule.anchor + index * step
    begin = (
        at.replace(second=0)
        if rule.freq == "MINUTELY"
        else at.replace(minute=0, second=0)
        if rule.freq == "HOURLY"
        else at
    )
    if not _fits(rule, at.date()):
        return begin, [], _after(rule, datetime.combine(at.date() + DAY, time()), step, index)
    own = CLOCK[: 3 - SMALL.index(rule.freq)]
    units = (timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
    for name, unit, value in zip(own, units, (at.hour, at.minute, at.second), strict=False):
        if name in rule.lists and value not in rule.lists[name]:
            return begin, [], _after(rule, _floor(at, unit) + unit, step, index)
    finer = [rule.lists[name] for name in CLOCK[len(own) :]]
    found = {
        begin + sum((n * unit for n, unit in zip(each, units[len(own) :], strict=True)), timedelta())
        for each in itertools.product(*finer)
    }
    return begin, _at_places(rule, sorted(found)), index + 1


def _floor(at: datetime, unit: timedelta) -> datetime:
    midnight = datetime.combine(at.date(), time())
    return midnight + (at - midnight) // unit * unit


def _after(rule: Recurrence, moment: datetime, step: timedelta, index: int) -> int:
    """The first period that does not begin before the hour, minute or day that a moment begins."""
    unit = STEPS[rule.freq]
    return max(-((_floor(rule.anchor, unit) - moment) // step), index + 1)


def _at_places(rule: Recurrence, found: list[datetime]) -> list[datetime]:
    """Those at the places of a period's dates that are asked for."""
    places = rule.lists.get("BYSETPOS")
    if places is None:
        return found
    many = len(found)
    chosen = {place - 1 if place > 0 else many + place for place in places}
    return [found[place] for place in sorted(chosen) if 0 <= place < many]


def _fits(rule: Recurrence, day: date) -> bool:
    """May dates be on this day?"""
    lists = rule.lists
    if "BYMONTH" in lists and day.month not in lists["BYMONTH"]:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if not _among(lists.get("BYMONTHDAY"), day.day, length):
        return False
    year = 366 if calendar.isleap(day.year) else 365
    if not _among(lists.get("BYYEARDAY"), day.timetuple().tm_yday, year):
        return False
    if "BYWEEKNO" in lists and not _among(lists["BYWEEKNO"], *_week(rule, day)):
        return False
    return not rule.weekdays or any(_is(rule, day, which, weekday) for which, weekday in rule.weekdays)


def _among(numbers: tuple[int, ...] | None, number: int, length: int) -> bool:
    return numbers is None or number in numbers or number - length - 1 in numbers


def _is(rule: Recurrence, day: date, which: int, weekday: int) -> bool:
    if day.weekday() != weekday or not which or rule.freq not in ("MONTHLY", "YEARLY"):
        return day.weekday() == weekday
    if rule.freq == "YEARLY" and "BYMONTH" not in rule.lists:
        place, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    else:
        place, length = day.day, calendar.monthrange(day.year, day.month)[1]
    return which == ((place - 1) // 7 + 1 if which > 0 else -((length - place) // 7 + 1))


def _week(rule: Recurrence, day: date) -> tuple[int, int]:
    """Which week of its year a day is in, and how many that year has; the first one has four days of it or more."""
    begin = day - (day.weekday() - rule.week_start) % 7 * DAY
    year = (begin + 3 * DAY).year
    return (begin - _first_week(rule, year)).days // 7 + 1, (
        _first_week(rule, year + 1) - _first_week(rule, year)
    ).days // 7


def _first_week(rule: Recurrence, year: int) -> date:
    fourth = date(year, 1, 4)
    return fourth - (fourth.weekday() - rule.week_start) % 7 * DAY


def _bad(rule: str, why: str) -> BadSchedule:
    return BadSchedule(f'"{rule}" is no recurrence rule: {why}.', hint="Such as FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9.")


def _number(rule: str, written: str, name: str) -> int:
    if not (written.isascii() and written.isdigit() and 0 < int(written) <= MOST):
        raise _bad(rule, f"{name} is a number from 1 to {MOST}")
    return int(written)


def _numbers(rule: str, written: str, name: str) -> tuple[int, ...]:
    low, high, backwards = LISTS[name]
    found = []
    for each in written.split(","):
        bare = each.removeprefix("+").removeprefix("-") if backwards else each
        if not (bare.isascii() and bare.isdigit() and low <= int(bare) <= high):
            raise _bad(
                rule, f"{name} has numbers from {low} to {high}" + (", or from the end with -" if backwards else "")
            )
        found.append(int(each))
    return tuple(found)


def _weekdays(rule: str, written: str) -> tuple[tuple[int, int], ...]:
    found = []
    for each in written.split(","):
        which, name = each[:-2].removeprefix("+"), each[-2:]
        bare = which.removeprefix("-")
        if name not in WEEKDAYS or (which and not (bare.isascii() and bare.isdigit() and 0 < int(bare) <= 53)):
            raise _bad(rule, "BYDAY has days such as MO, 1MO or -1FR")
        found.append((int(which or 0), WEEKDAYS.index(name)))
    return tuple(found)


def _until(rule: str, written: str, around: tzinfo) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise _bad(rule, "UNTIL is a date such as 20261231T235959Z") from None
    if len(written) == len("20261231"):
        return found + DAY - timedelta(seconds=1)
    return found.astimezone(around).replace(tzinfo=None) if found.tzinfo else found
