"""Which moment does a value mean? Dates, seconds since 1970, and text in ISO form or in a given format."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from penstock.errors.expr import ExprFailed, WrongType
from penstock.expr.dates.names import Names, names_of
from penstock.expr.dates.parsing import Found, parsed
from penstock.expr.dates.patterns import parts_of, pattern_of
from penstock.expr.dates.zones import zone_of
from penstock.expr.printing import kind_of

_YEAR_10000 = 253_402_300_800
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d[0-9:.]*(?:Z|[+-]\d\d(?::\d\d)?)?)?\Z", re.ASCII)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"\s?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?(?:\[([^\]]{1,60})\])?",
    re.ASCII,
)


def read_date(value: object, zone: tzinfo, format: str | None, locale: str | None, version: str) -> datetime:
    """Give the moment in the zone; what has no zone of its own is taken to be in it."""
    match value:
        case datetime():
            return value.astimezone(zone) if value.tzinfo is not None else value.replace(tzinfo=zone)
        case date():
            return datetime.combine(value, time(12), zone)
        case bool():
            pass
        case int():
            return _since(value, zone, version)
        case float():
            return _since(int(value), zone, version)
        case str():
            if format is None or format.lower().startswith("iso"):
                return _iso(value, zone)
            return _text(value, zone, format, names_of(locale))
    raise WrongType(f"A date is a date, a number or text, not {kind_of(value)}.")


def _since(number: int, zone: tzinfo, version: str) -> datetime:
    """Read a number: seconds since 1970, or milliseconds where seconds would lie beyond the year 9999."""
    # The first language version knew seconds alone.
    seconds = timedelta(seconds=number) if version == "0.20" or abs(number) < _YEAR_10000 else None
    try:
        moved = datetime(1970, 1, 1, tzinfo=UTC) + (seconds or timedelta(milliseconds=number))
        return moved.astimezone(zone)
    except OverflowError:
        raise ExprFailed(f"{number} lies outside of the years 1 to 9999.") from None


def _text(text: str, zone: tzinfo, format: str | None, names: Names) -> datetime:
    if format is not None and format.lower() == "basic_iso_date":
        format = "yyyyMMdd"
    if format is None or format.lower().startswith("iso"):
        return _iso(text, zone)
    pattern = "EEE, d MMM yyyy HH:mm:ss z" if format.lower() == "rfc_1123_date_time" else pattern_of(format, names)
    found = parsed(text, parts_of(pattern), names, pattern)
    return _made(found, zone, text)


def _iso(text: str, zone: tzinfo) -> datetime:
    if _PLAIN.match(text) and (len(text) == 10 or 16 <= len(text) <= 29):
        # Python's own reader is the fast way, and reads more; what it is given here looks as it should.
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            own = read.tzinfo
            return read.astimezone(zone) if own is not None and zone is UTC else _placed(read, own, zone)
    match = _ISO.fullmatch(text)
    if match is None:
        raise ExprFailed(
            f"'{text[:60]}' is no date in ISO form.", hint="`existingFormat='dd/MM/yyyy'` tells how it is written."
        )
    year, month, day, hour, minute, second, fraction, offset, region = match.groups()
    own = zone_of(offset) if offset else zone_of(region) if region else None
    micros = int((fraction or "0").ljust(9, "0")[:6])
    try:
        local = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micros)
    except ValueError as error:
        raise ExprFailed(f"'{text[:60]}' is no date: {error}.") from None
    return _placed(local, own, zone)


def _made(found: Found, zone: tzinfo, text: str) -> datetime:
    if found.year is None or ((found.month is None or found.day is None) and found.day_of_year is None):
        raise ExprFailed(f"'{text[:60]}' does not hold a whole date: year, month and day.")
    hour = found.hour if found.hour is not None else 0
    if found.half_hour is not None:
        hour = found.half_hour % 12 + (12 if found.afternoon else 0)
    try:
        if found.day_of_year is not None:
            day = date(found.year, 1, 1) + timedelta(days=found.day_of_year - 1)
        else:
            day = _clamped(found.year, found.month or 1, found.day or 1)
        local = datetime.combine(day, time(hour, found.minute, found.second, found.micros))
    except (ValueError, OverflowError) as error:
        raise ExprFailed(f"'{text[:60]}' is no date: {error}.") from None
    return _placed(local, zone_of(found.zone) if found.zone else None, zone)


def _clamped(year: int, month: int, day: int) -> date:
    """Give the day, or the last one of a shorter month: the 31st of April is the 30th."""
    for earlier in range(4):
        try:
            return date(year, month, day - earlier if 28 < day <= 31 else day)
        except ValueError:
            if not 28 < day <= 31:
                raise
    return date(year, month, day)


def _placed(local: datetime, own: tzinfo | None, zone: tzinfo) -> datetime:
    try:
        if own is None:
            # By way of UTC, so that a time which a clock change skips moves on by the gap.
            return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
        return local.replace(tzinfo=own).astimezone(zone)
    except OverflowError:
        raise ExprFailed("The date lies outside of the years 1 to 9999.") from None
