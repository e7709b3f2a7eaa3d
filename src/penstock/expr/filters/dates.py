"""Which filters work on dates? Their written form, sums, and the seconds since 1970."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame
from penstock.expr.dates import moved, read_date, written, zone_of
from penstock.expr.printing import to_text
from penstock.expr.registry import filter

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone(timedelta()))


@filter("date")
def date(
    frame: Frame,
    value: object,
    format: str = "iso",
    time_zone: str | None = None,
    existing_format: str | None = None,
    locale: str | None = None,
) -> str:
    """The date in a format: a name such as `iso`, `sql_sec`, `iso_local_date`, `full`, or a pattern: `yyyy-MM-dd`."""
    return written(_moment(frame, value, time_zone, existing_format, locale), format, locale)


@filter("dateAdd", rest=("format", "timeZone", "existingFormat", "locale"))
def date_add(frame: Frame, value: object, amount: int | float | str, unit: str, *form: str | None) -> str:
    """The date so many `DAYS`, `HOURS`, `MONTHS`… later (or earlier, when the amount is negative), in a format."""
    format, time_zone, existing_format, locale = form
    try:
        count = int(amount)
    except (ValueError, OverflowError):
        raise ExprFailed(f"The amount of `dateAdd` is a whole number, not `{to_text(amount)[:40]}`.") from None
    moment = _moment(frame, value, time_zone, existing_format, locale)
    return written(moved(moment, count, unit), format or "iso", locale)


@filter("timestamp")
def timestamp(frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None) -> int:
    """The seconds since 1970 in UTC."""
    return _micros(frame, value, time_zone, existing_format) // 1_000_000


@filter("timestampMilli")
def timestamp_milli(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> int:
    """The milliseconds since 1970 in UTC."""
    return _micros(frame, value, time_zone, existing_format) // 1_000


@filter("timestampMicro")
def timestamp_micro(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> int:
    """The microseconds since 1970 in UTC."""
    micros = _micros(frame, value, time_zone, existing_format)
    # The first version multiplied the seconds by a thousand too many, and flows written for it know.
    return micros // 1_000_000 * 1_000_000_000 + micros % 1_000_000 if frame.calls.version == "0.20" else micros


@filter("timestampNano")
def timestamp_nano(
    frame: Frame, value: object, time_zone: str | None = None, existing_format: str | None = None
) -> int:
    """The nanoseconds since 1970 in UTC."""
    return _micros(frame, value, time_zone, existing_format) * 1_000


def _moment(frame: Frame, value: object, zone: str | None, format: str | None, locale: str | None) -> datetime:
    return read_date(value, zone_of(zone or frame.calls.zone), format, locale, frame.calls.version)


def _micros(frame: Frame, value: object, zone: str | None, format: str | None) -> int:
    return (_moment(frame, value, zone, format, None) - _EPOCH) // timedelta(microseconds=1)
