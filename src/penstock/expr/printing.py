"""How does a value look as text? Numbers, dates, lists and maps in the forms that flows were written for."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from penstock.errors.expr import ExprLimit, WrongType

MAX_PIECES = 4_000_000


def to_text(value: object) -> str:
    """Print a value as `{{ value }}` does: null empty, maps and lists as compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (list, tuple, Mapping)):
        return to_json(value)
    return _scalar(value)


def joined_text(value: object) -> str:
    """Print a value as it stands in joined text (`'a' ~ value`): lists as `[a, b]`, maps as `{k=v}`, null as null."""
    if isinstance(value, str):
        return value
    pieces: list[str] = []
    _plain(value, pieces)
    return "".join(pieces)


def to_json(value: object) -> str:
    """Write a value as compact JSON; entries of maps that are null are left out."""
    pieces: list[str] = []
    _json(value, pieces)
    return "".join(pieces)


def kind_of(value: object) -> str:
    """Name the kind of a value for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a map"
        case date() | time():
            return "a date or time"
        case timedelta():
            return "a duration"
        case _:
            return f"a {type(value).__name__}"


class Single(float):
    """A number of 32 bits, which `| number` makes of a short text: it is calculated and printed as such."""

    __slots__ = ()

    def __new__(cls, value: float) -> Single:
        return super().__new__(cls, struct.unpack("f", struct.pack("f", value))[0])


def float_text(value: float) -> str:
    """Print a number in its shortest form: 1.0, 1.0E20, 1.0E-4."""
    if type(value) is Single and math.isfinite(value):
        value = next(short for digits in range(1, 18) if Single(short := float(f"{value:.{digits}g}")) == value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = repr(value)
        return plain if "e" not in plain else f"{value:f}"
    digits, _, exponent = f"{value!r}".partition("e")
    sign = "-" if digits.startswith("-") else ""
    digits = digits.lstrip("-")
    whole, _, fraction = digits.partition(".")
    power = int(exponent or "0") + len(whole) - 1
    significant = whole + fraction
    stripped = significant.lstrip("0")
    power -= len(significant) - len(stripped)
    significant = stripped.rstrip("0")
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"


def date_text(value: date | time) -> str:
    """Print a date or time; seconds that are zero are dropped, except of an instant in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is UTC:
            return f"{value.date()}T{value:%H:%M:%S}{_fraction(value.microsecond)}Z"
        return f"{value.date()}T{_clock(value)}{_offset(value)}"
    if isinstance(value, time):
        return _clock(value) + _offset(value)
    return value.isoformat()


def duration_text(value: timedelta) -> str:
    """Print a duration in ISO form: PT26H3M4.5S."""
    total = value // timedelta(microseconds=1)
    if total == 0:
        return "PT0S"
    sign = "-" if total < 0 else ""
    seconds, micros = divmod(abs(total), 1_000_000)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    text = "PT"
    if hours:
        text += f"{sign}{hours}H"
    if minutes:
        text += f"{sign}{minutes}M"
    if seconds or micros:
        fraction = f".{micros:06d}".rstrip("0") if micros else ""
        text += f"{sign}{seconds}{fraction}S"
    return text


def _plain(value: object, pieces: list[str]) -> None:
    _bounded(pieces)
    separator = ""
    match value:
        case Mapping():
            pieces.append("{")
            for key, item in value.items():
                pieces.append(f"{separator}{to_text(key)}=")
                _plain(item, pieces)
                separator = ", "
            pieces.append("}")
        case list() | tuple():
            pieces.append("[")
            for item in value:
                pieces.append(separator)
                _plain(item, pieces)
                separator = ", "
            pieces.append("]")
        case None:
            pieces.append("null")
        case _:
            pieces.append(_scalar(value))


def _bounded(pieces: list[str]) -> None:
    # A list that holds a list twice, which holds a list twice…, is small in memory and endless in print.
    if len(pieces) > MAX_PIECES:
        raise ExprLimit("The value is too large to be printed.")


def _scalar(value: object) -> str:
    match value:
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int():
            return _digits(value)
        case float():
            return float_text(value)
        case datetime() | date() | time():
            return date_text(value)
        case timedelta():
            return duration_text(value)
        case _:
            raise WrongType(f"A value of type {type(value).__name__} cannot be printed: it is not data.")


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        # Python refuses to spell numbers of more than some thousand digits.
        raise ExprLimit("A whole number has too many digits to be printed.") from None


def _json(value: object, pieces: list[str]) -> None:
    _bounded(pieces)
    match value:
        case None:
            pieces.append("null")
        case str():
            pieces.append(_quoted(value))
        case float() if not math.isfinite(value):
            pieces.append(f'"{float_text(value)}"')
        case bool() | int() | float():
            pieces.append(_scalar(value))
        case list() | tuple():
            separator = "["
            for item in value:
                pieces.append(separator)
                _json(item, pieces)
                separator = ","
            pieces.append("]" if value else "[]")
        case Mapping():
            separator = "{"
            for key, item in value.items():
                if item is not None:
                    pieces.append(f"{separator}{_quoted(to_text(key))}:")
                    _json(item, pieces)
                    separator = ","
            pieces.append("}" if separator == "," else "{}")
        case datetime():
            pieces.append(f'"{_iso(value)}"')
        case _:
            pieces.append(_quoted(_scalar(value)))


def _quoted(text: str) -> str:
    try:
        return msgspec.json.encode(text).decode()
    except UnicodeEncodeError:
        # A lone surrogate (bytes that were not UTF-8): it is written as JSON can write it.
        return msgspec.json.encode(text.encode("utf-8", "replace").decode()).decode()


def _iso(value: datetime) -> str:
    return f"{value.date()}T{value:%H:%M:%S}{_fraction(value.microsecond)}{_zone(value)}"


def _clock(value: datetime | time) -> str:
    text = f"{value:%H:%M}"
    if value.second or value.microsecond:
        text += f":{value.second:02d}{_fraction(value.microsecond)}"
    return text


def _fraction(micros: int) -> str:
    if not micros:
        return ""
    return f".{micros // 1000:03d}" if micros % 1000 == 0 else f".{micros:06d}"


def _offset(value: datetime | time) -> str:
    key = getattr(value.tzinfo, "key", None)
    return _zone(value) + (f"[{key}]" if key else "")


def _zone(value: datetime | time) -> str:
    offset = value.utcoffset()
    if offset is None:
        return ""
    seconds = int(offset.total_seconds())
    if seconds == 0:
        return "Z"
    sign = "-" if seconds < 0 else "+"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
