"""How is a date written in a pattern or a named format?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from penstock.expr.dates.names import Names, names_of
from penstock.expr.dates.patterns import Field, Literal, Optional, Part, parts_of, pattern_of
from penstock.expr.dates.zone_names import general_name, long_name


def written(value: datetime, format: str, locale: str | None = None) -> str:
    """Write a date with its zone in a format."""
    parts, names = _plan(format, locale)
    return _all(parts, value, names) if parts is not None else _named_form(format.lower(), value)


@functools.lru_cache(maxsize=512)
def _plan(format: str, locale: str | None) -> tuple[tuple[Part, ...] | None, Names]:
    """Give the parts of a format's pattern; None for the forms that no pattern writes."""
    names = names_of(locale)
    return (None if format.lower() in _FORMS else parts_of(pattern_of(format, names))), names


_FORMS = frozenset(
    ("iso_instant", "iso_date_time", "iso_zoned_date_time", "iso_offset_date_time", "iso_local_date_time")
)
_FORMS |= {"iso_local_time", "iso_time", "iso_offset_time", "iso_week_date", "rfc_1123_date_time"}
# What most patterns consist of, written without asking for anything else.
_USUAL: dict[tuple[str, int], Callable[[datetime], str]] = {
    ("y", 4): lambda value: f"{value.year:04d}",
    ("M", 2): lambda value: f"{value.month:02d}",
    ("d", 2): lambda value: f"{value.day:02d}",
    ("H", 2): lambda value: f"{value.hour:02d}",
    ("m", 2): lambda value: f"{value.minute:02d}",
    ("s", 2): lambda value: f"{value.second:02d}",
    ("S", 3): lambda value: f"{value.microsecond // 1000:03d}",
    ("S", 6): lambda value: f"{value.microsecond:06d}",
}


def _named_form(form: str, value: datetime) -> str:
    clock = f"{value:%H:%M:%S}{_fraction(value)}"
    day = f"{value.year:04d}-{value:%m-%d}"
    match form:
        case "iso_instant":
            instant = value.astimezone(UTC)
            return f"{instant.year:04d}-{instant:%m-%dT%H:%M:%S}{_fraction(instant)}Z"
        case "iso_date_time" | "iso_zoned_date_time":
            offset = _offset(value, "X", 3)
            return f"{day}T{clock}{offset}" + (f"[{name}]" if (name := _zone_id(value)) != offset else "")
        case "iso_offset_date_time":
            return f"{day}T{clock}{_offset(value, 'X', 3)}"
        case "iso_local_date_time":
            return f"{day}T{clock}"
        case "iso_local_time":
            return clock
        case "iso_week_date":
            year, week, weekday = value.isocalendar()
            return f"{year:04d}-W{week:02d}-{weekday}{_offset(value, 'X', 3)}"
        case "rfc_1123_date_time":
            english = names_of("en")
            offset = _offset(value, "x", 2)
            zone = "GMT" if offset == "+0000" else offset
            day_name, month = english.short_days[value.weekday()], english.short_months[value.month - 1]
            return f"{day_name}, {value.day} {month} {value.year:04d} {value:%H:%M:%S} {zone}"
        case _:
            return clock + _offset(value, "X", 3)


def _all(parts: tuple[Part, ...], value: datetime, names: Names) -> str:
    pieces = []
    for part in parts:
        match part:
            case Literal():
                pieces.append(part.text)
            case Optional():
                pieces.append(_all(part.parts, value, names))
            case Field():
                usual = _USUAL.get((part.letter, part.width))
                pieces.append(usual(value) if usual is not None else _field(part.letter, part.width, value, names))
    return "".join(pieces)


def _field(letter: str, width: int, value: datetime, names: Names) -> str:
    match letter:
        case "u" | "y" | "Y":
            year = value.year if letter != "Y" else _week(value, names)[0]
            return f"{year % 100:02d}" if width == 2 else f"{year:0{width}d}"
        case "M" | "L":
            return _named(width, value.month, names.months, names.short_months)
        case "E":
            return _named(max(width, 3), value.isoweekday(), names.days, names.short_days)
        case "e" | "c":
            place = (value.isoweekday() - names.first_day) % 7 + 1
            named = _named(width, value.isoweekday(), names.days, names.short_days)
            return f"{place:0{width}d}" if width < 3 else named
        case "Q" | "q":
            quarter = (value.month + 2) // 3
            return f"{quarter:0{width}d}" if width < 3 else f"Q{quarter}" if width == 3 else names.quarters[quarter - 1]
        case "G":
            return names.eras[0][:1] if width == 5 else names.eras[1] if width == 4 else names.eras[0]
        case "a":
            return names.halves[value.hour >= 12]
        case "S":
            return f"{value.microsecond * 1000:09d}"[:width].ljust(width, "0")
        case "X" | "x" | "Z" | "O":
            return _offset(value, letter, width)
        case "V" | "v" | "z":
            return _zone(letter, width, value, names)
        case _:
            return f"{_number(letter, value, names):0{width}d}"


def _number(letter: str, value: datetime, names: Names) -> int:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    match letter:
        case "d":
            return value.day
        case "D":
            return value.timetuple().tm_yday
        case "F":
            return (value.day - 1) // 7 + 1
        case "w":
            return _week(value, names)[1]
        case "W":
            first = value.replace(day=1)
            shift = (first.isoweekday() - names.first_day) % 7
            return (value.day + shift - 1) // 7 + (1 if 7 - shift >= names.least_days else 0)
        case "H":
            return value.hour
        case "k":
            return value.hour or 24
        case "K":
            return value.hour % 12
        case "h":
            return value.hour % 12 or 12
        case "m":
            return value.minute
        case "s":
            return value.second
        case "A":
            return seconds * 1000 + value.microsecond // 1000
        case "n":
            return value.microsecond * 1000
        case _:
            return seconds * 1_000_000_000 + value.microsecond * 1000


def _named(width: int, number: int, long: tuple[str, ...], short: tuple[str, ...]) -> str:
    match width:
        case 1 | 2:
            return f"{number:0{width}d}"
        case 3:
            return short[number - 1]
        case 4:
            return long[number - 1]
        case _:
            return long[number - 1][:1].upper()


def _week(value: datetime, names: Names) -> tuple[int, int]:
    """Give year and number of the week."""
    day = value.date()
    for year in (day.year + 1, day.year, day.year - 1):
        if year > 9999 or year < 1:
            continue
        january = day.replace(year=year, month=1, day=1)
        shift = (january.isoweekday() - names.first_day) % 7
        offset = -shift if 7 - shift >= names.least_days else 7 - shift
        days = (day - january).days - offset
        if days >= 0:
            return year, days // 7 + 1
    return day.year, 1


def _fraction(value: datetime) -> str:
    return f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""


def _offset(value: datetime, letter: str, width: int) -> str:
    seconds = int((value.utcoffset() or timedelta()).total_seconds())
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    if letter == "O" or (letter == "Z" and width == 4):
        if not seconds:
            return "GMT"
        if width == 1:
            return f"GMT{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
        return f"GMT{sign}{hours:02d}:{minutes:02d}"
    if not seconds and (letter == "X" or width == 5):
        return "Z"
    if letter != "Z" and width == 1:
        return f"{sign}{hours:02d}" + (f"{minutes:02d}" if minutes else "")
    colon = ":" if width in ((5,) if letter == "Z" else (3, 5)) else ""
    text = f"{sign}{hours:02d}{colon}{minutes:02d}"
    return text + (f"{colon}{rest:02d}" if rest and width > 3 else "")


def _zone(letter: str, width: int, value: datetime, names: Names) -> str:
    """Name the zone: in English in full, in another language by its short name, which is the same everywhere."""
    if letter == "V":
        return _zone_id(value)
    zone = _zone_id(value)
    if zone == "UTC":
        return names.utc if width == 4 else "UTC"
    if zone == "GMT":
        return "Greenwich Mean Time" if width == 4 and names.language == "en" else "GMT"
    if zone[:1] in "+-Z":
        return zone
    short = value.tzname() or ""
    if not short.isalpha():
        short = _offset(value, "O", 4)
    if width == 4 and names.language == "en":
        summer = bool(value.dst())
        return (long_name(zone, summer) if letter == "z" else general_name(zone)) or short
    if letter == "z" or len(short) != 3 or short[1] not in "SD":
        return short if letter == "z" else short.replace("ST", "T").replace("EEST", "EET")
    return short[0] + short[2]


def _zone_id(value: datetime) -> str:
    if value.tzinfo is UTC:
        return "UTC"
    key = getattr(value.tzinfo, "key", None)
    return key if isinstance(key, str) else _offset(value, "X", 3)
