"""Which functions know dates? The time now, and questions about a day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from penstock.errors.expr import ExprFailed, NeedsOutside
from penstock.expr.calls import Frame
from penstock.expr.dates import read_date, written, zone_of
from penstock.expr.registry import function, outside

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_OFFSET = re.compile(r":\d\d(?:\.\d+)?(Z|[+-]\d\d:?\d\d)(?:\[[^\]]*\])?$", re.ASCII)
_PLACES = ("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH")


@function("now")
def now(
    frame: Frame,
    format: str = "iso",
    time_zone: str | None = None,
    existing_format: str | None = None,
    locale: str | None = None,
) -> str:
    """The time of the evaluation, in a format and a time zone."""
    if frame.calls.now is None:
        raise NeedsOutside("`now` needs the time, and here only data is at hand.")
    zone = zone_of(time_zone or frame.calls.zone)
    return written(read_date(frame.calls.now, zone, existing_format, locale, frame.calls.version), format, locale)


@function("dayOfWeek")
def day_of_week(frame: Frame, date: object) -> str:
    """The day of the week in capital letters: `MONDAY`."""
    return _DAYS[_day(frame, date).weekday()]


@function("dayOfMonth")
def day_of_month(frame: Frame, date: object) -> int:
    """The day of the month, from 1."""
    return _day(frame, date).day


@function("monthOfYear")
def month_of_year(frame: Frame, date: object) -> int:
    """The month, from 1."""
    return _day(frame, date).month


@function("hourOfDay")
def hour_of_day(frame: Frame, date: object) -> int:
    """The hour, from 0 to 23."""
    return _day(frame, date).hour


@function("isWeekend")
def is_weekend(frame: Frame, date: object) -> bool:
    """True on Saturdays and Sundays."""
    return _day(frame, date).weekday() >= 5


@function("isDateBetween")
def is_date_between(frame: Frame, date: object, after: object, before: object) -> bool:
    """True when the date lies after one and before another."""
    return _day(frame, after) < _day(frame, date) < _day(frame, before)


@function("isDayWeekInMonth")
def is_day_week_in_month(frame: Frame, date: object, day_of_week: str, day_in_month: str) -> bool:
    """True when the date is, say, the `FIRST` (to `FIFTH`, or `LAST`) `MONDAY` of its month."""
    day = _day(frame, date)
    wanted, place = day_of_week.upper(), day_in_month.upper()
    if wanted not in _DAYS:
        raise ExprFailed(f"There is no day `{day_of_week[:40]}`.", hint="Days are `MONDAY` to `SUNDAY`.")
    if place not in (*_PLACES, "LAST"):
        raise ExprFailed(f"There is no place `{day_in_month[:40]}`.", hint="Places are `FIRST` to `FIFTH`, and `LAST`.")
    if _DAYS[day.weekday()] != wanted:
        return False
    if place == "LAST":
        return (day + timedelta(days=7)).month != day.month
    return (day.day - 1) // 7 == _PLACES.index(place)


@outside("isPublicHoliday")
def is_public_holiday(date: object, country_code: str, sub_division: str | None = None) -> None:
    """True when the date is a public holiday of the country."""


@function("isLastWorkingDay")
def is_last_working_day(
    frame: Frame, date: object, working_days: str = "MONDAY,TUESDAY,WEDNESDAY,THURSDAY,FRIDAY"
) -> bool:
    """True when the date is the last of its month's days that are worked on; holidays are not looked at."""
    day = _day(frame, date)
    worked = {word.upper() for word in re.split(r"[,\s]+", working_days) if word} or set(_DAYS[:5])
    if unknown := sorted(worked - set(_DAYS)):
        raise ExprFailed(f"There is no day `{unknown[0][:40]}`.", hint="Days are `MONDAY` to `SUNDAY`.")
    after = (day + timedelta(days=ahead) for ahead in range(1, 31))
    later = any(_DAYS[one.weekday()] in worked for one in after if one.month == day.month)
    return _DAYS[day.weekday()] in worked and not later


def _day(frame: Frame, value: object) -> datetime:
    """Give the day as the value has it: a text with an offset is taken at that offset."""
    own = _OFFSET.search(value) if isinstance(value, str) else None
    zone = zone_of(own.group(1) if own else frame.calls.zone)
    return read_date(value, zone, None, None, frame.calls.version)
