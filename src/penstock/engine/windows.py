"""In which span of time must all come that a trigger waits for? The window that holds an instant, if there is one."""

from __future__ import annotations

import datetime
from typing import Final

from penstock.engine.recurrence import zone
from penstock.errors.run import BadSchedule
from penstock.model.trigger import Window, WindowKind

DAY: Final = 86_400_000_000
EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND: Final = datetime.timedelta(microseconds=1)


def window_at(window: Window, at: int) -> tuple[int, int] | None:
    """The window (its beginning and, not included, its end; microseconds) that holds an instant; None between windows.

    Without a length it is a day of its time zone. `advance` moves spans against the clock. Times of day without an
    offset are those of the time zone. Raises BadSchedule.
    """
    around = zone(window.timezone)
    match window.kind:
        case WindowKind.SPAN if window.length is None and window.advance is None:
            return _time(datetime.time(), at, around), _time(datetime.time(), at, around, days=1)
        case WindowKind.SPAN:
            length, advance = window.length or DAY, window.advance or 0
            begin = (at - advance) // length * length + advance
            return begin, begin + length
        case WindowKind.SLIDING:
            return at - (window.length or DAY) + 1, at + 1
        case WindowKind.DEADLINE:
            until = _read(window.end)
            begin, end = _time(datetime.time(tzinfo=until.tzinfo), at, around), _time(until, at, around)
            return (begin, end) if at < end else None
        case WindowKind.DAILY:
            begin, end = _time(_read(window.begin), at, around), _time(_read(window.end), at, around)
            return (begin, end) if begin <= at < end else None


def _time(time: datetime.time, at: int, around: datetime.tzinfo, days: int = 0) -> int:
    """The instant of a time of day on the day that holds another instant, or some days later."""
    own = time.tzinfo or around
    day = (EPOCH + at * MICROSECOND).astimezone(own).date() + datetime.timedelta(days)
    return (datetime.datetime.combine(day, time.replace(tzinfo=own)) - EPOCH) // MICROSECOND


def _read(written: str) -> datetime.time:
    try:
        return datetime.time.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no time of day, such as 09:00:00+02:00.') from None
