"""How does a value get the type that an input or an output declares? Text and JSON in, JSON out; nothing is guessed."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import Final

from penstock.errors.run import InvalidInput

EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
URI: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
DURATION: Final = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,9})?)S)?)?"
)


def convert(type_: str, value: object, name: str) -> object:
    """Give `value` the type `type_` (STRING, INT, DATE …); dates and durations stay ISO-8601 text. Raises
    InvalidInput.
    """
    reader = _READERS.get(type_)
    if reader is None:
        raise InvalidInput(f'"{name}" has the type {type_}, which does not exist.')
    try:
        return reader(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(
            f'Invalid value for "{name}": {_shown(value)} is not {_ARTICLE.get(type_, type_)}.'
        ) from error


def duration_micros(text: str) -> int:
    """Microseconds of an ISO-8601 duration such as `PT1M30S` or `P1D`. Raises ValueError."""
    found = DURATION.fullmatch(text.strip())
    if found is None or text.strip().lstrip("-").rstrip("T") == "P":
        raise ValueError(f"{text!r} is no ISO-8601 duration")
    part = {name: float(amount) for name, amount in found.groupdict().items() if amount and name != "sign"}
    seconds = ((part.get("weeks", 0) * 7 + part.get("days", 0)) * 24 + part.get("hours", 0)) * 3600
    seconds += part.get("minutes", 0) * 60 + part.get("seconds", 0)
    return round(seconds * 1_000_000) * (-1 if found["sign"] else 1)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str) else json.dumps(value, default=str)
    return f'"{text[:80]}"' if len(text) <= 80 else f'"{text[:77]}…"'


def _string(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _int(value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError("not a whole number")
    return int(value) if isinstance(value, int | float) else int(str(value).strip())


def _float(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError("not a number")
    return float(value) if isinstance(value, int | float) else float(str(value).strip())


def _bool(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).strip().lower() == "true"


def _datetime(value: object) -> str:
    text = str(value).strip()
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return found.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def _date(value: object) -> str:
    return datetime.date.fromisoformat(str(value).strip()).isoformat()


def _time(value: object) -> str:
    return datetime.time.fromisoformat(str(value).strip()).isoformat()


def _duration(value: object) -> str:
    duration_micros(str(value))
    return str(value).strip()


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _list(value: object) -> list[object]:
    found = _json(value)
    if not isinstance(found, list):
        raise TypeError("not a list")
    return found


def _uri(value: object) -> str:
    if not URI.fullmatch(str(value)):
        raise ValueError("no scheme")
    return str(value)


def _email(value: object) -> str:
    if not EMAIL.fullmatch(str(value)):
        raise ValueError("not an address")
    return str(value)


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "STRING": _string,
    "SECRET": _string,
    "SELECT": _string,
    "ENUM": _string,
    "MULTISELECT": _list,
    "INT": _int,
    "FLOAT": _float,
    "BOOLEAN": _bool,
    "BOOL": _bool,
    "DATETIME": _datetime,
    "DATE": _date,
    "TIME": _time,
    "DURATION": _duration,
    "FILE": _string,
    "JSON": _json,
    "YAML": _json,
    "URI": _uri,
    "EMAIL": _email,
    "ARRAY": _list,
}
_ARTICLE: Final = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "DATETIME": "a date and time such as 2016-01-02T10:00:00Z",
    "DATE": "a date such as 2016-01-02",
    "TIME": "a time such as 10:30",
    "DURATION": "an ISO-8601 duration such as PT5M",
    "JSON": "valid JSON",
    "YAML": "valid JSON",
    "ARRAY": "a list",
    "MULTISELECT": "a list",
    "URI": "a URI",
    "EMAIL": "an e-mail address",
}
