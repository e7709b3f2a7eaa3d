"""In which span of time must all come that a trigger waits for? The window that holds an instant, if there is one."""

from __future__ import annotations

import datetime
from typing import Final

from penstock.errors.run import BadSchedule
from penstock.model.trigger import Window, WindowKind

DAY: Final = 86_400_000_000
EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def window_at(window: Window, at: int) -> tuple[int, int] | None:
    """The window (its beginning and, not included, its end; microseconds) that holds an instant; None between windows.

    Without a length it is a day of UTC. `advance` moves spans against the clock. Times of day without an offset are
    UTC's. Raises BadSchedule.
    """
    match window.kind:
        case WindowKind.SPAN:
            length, advance = window.length or DAY, window.advance or 0
            begin = (at - advance) // length * length + advance
            return begin, begin + length
        case WindowKind.SLIDING:
            return at - (window.length or DAY) + 1, at + 1
        case WindowKind.DEADLINE:
            end = _time(window.end, at)
            begin = _midnight(window.end, at)
            return (begin, end) if at < end else None
        case WindowKind.DAILY:
            begin, end = _time(window.begin, at), _time(window.end, at)
            return (begin, end) if begin <= at < end else None


def _midnight(written: str, at: int) -> int:
    """The beginning of the day that holds an instant, where the offset of a time of day says."""
    offset = _offset(written)
    return (at + offset) // DAY * DAY - offset


def _time(written: str, at: int) -> int:
    """The instant of a time of day on the day that holds another instant."""
    time = _read(written)
    clock = ((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + time.microsecond
    return _midnight(written, at) + clock


def _offset(written: str) -> int:
    offset = _read(written).utcoffset() or datetime.timedelta()
    return offset // datetime.timedelta(microseconds=1)


def _read(written: str) -> datetime.time:
    try:
        return datetime.time.fromisoformat(written)
    except ValueError:
        raise BadSchedule(f'"{written}" is no time of day, such as 09:00:00+02:00.') from None
