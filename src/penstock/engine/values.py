"""How does a value get the type that an input or an output declares? Text and JSON in, JSON out; nothing is guessed."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Callable
from typing import Final

from penstock import expr
from penstock.errors import PenstockError
from penstock.errors.run import InvalidInput

EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
EMAIL: Final = re.compile(r"[a-zA-Z0-9_!#$%&'*+/=?`{|}~^.-]+@[a-zA-Z0-9.-]+")
URI: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
WHOLE: Final = re.compile(r"[+-]?[0-9]+")
SMALLEST: Final = 2**63
LARGEST: Final = 2**63 - 1
SECONDS: Final = re.compile(r"\d{1,12}(?:\.\d+)?(?:[eE]-?\d{1,2})?")
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
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
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


def span_micros(text: str) -> int:
    """Microseconds of a span of time that was rendered: an ISO-8601 duration, or a number of seconds. Raises
    ValueError.
    """
    return round(float(text) * 1_000_000) if SECONDS.fullmatch(text.strip()) else duration_micros(text)


def instant_micros(written: object) -> int:
    """Microseconds since 1970 of a date-time with its offset (UTC where it has none), or of a date; 0 for nothing.
    Raises InvalidInput.
    """
    if written in (None, ""):
        return 0
    try:
        found = datetime.datetime.fromisoformat(str(written).strip())
    except ValueError:
        raise InvalidInput(f"{_shown(written)} is no date and time.") from None
    aware = found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
    return (aware - EPOCH) // datetime.timedelta(microseconds=1)


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, str) else json.dumps(value, default=str)
    return f'"{text[:80]}"' if len(text) <= 80 else f'"{text[:77]}…"'


def _string(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise TypeError("null is no text")
    return str(value)


def _int(value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError("not a whole number")
    if isinstance(value, str) and not WHOLE.fullmatch(value.strip()):
        raise ValueError("not a whole number")
    return _within(int(value) if isinstance(value, int | float) else int(str(value).strip()))


def _float(value: object) -> float:
    if isinstance(value, bool):
        raise TypeError("not a number")
    found = float(value) if isinstance(value, int | float) else float(str(value).strip())
    if not math.isfinite(found) or "_" in str(value):
        raise ValueError("no number that JSON has")
    return found


def _bool(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).strip().lower() == "true"


def _datetime(value: object) -> str:
    text = str(value).strip()
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    # Flows cut this text, so it always has as many letters.
    return found.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _date(value: object) -> str:
    return datetime.date.fromisoformat(str(value).strip()).isoformat()


def _time(value: object) -> str:
    text = datetime.time.fromisoformat(str(value).strip()).isoformat()
    return text.rstrip("0") if "." in text else text


def _duration(value: object) -> str:
    """ISO-8601 text; a number of seconds is what an expression gives for the duration of a flow that calls."""
    text = str(value).strip()
    micros = span_micros(text)
    return f"PT{f'{micros / 1e6:.6f}'.rstrip('0').rstrip('.')}S" if SECONDS.fullmatch(text) else text


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    return json.loads(value, parse_int=lambda digits: _within(int(digits)), parse_constant=_refuse)


def _ion(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return _as_json(expr.compile("{{ fromIon(text) }}").value({"text": value}, expr.Calls()))
    except PenstockError as error:
        raise ValueError("no Ion text") from error


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def _within(number: int) -> int:
    if not -SMALLEST <= number <= LARGEST:
        raise OverflowError("more than 64 bits")
    return number


def _yaml(value: object) -> object:
    """YAML without anchors: what refers to itself, or grows a thousandfold when it is written out, is no input."""
    if not isinstance(value, str):
        return value
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(value, Loader=yaml.SafeLoader)):
            raise ValueError("it has aliases")
        return _as_json(yaml.safe_load(value))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("not YAML") from error


def _as_json(value: object) -> object:
    match value:
        case dict():
            return {_string(key): _as_json(below) for key, below in value.items()}
        case list() | set():
            return [_as_json(item) for item in value]
        case bool() | str() | None:
            return value
        case int():
            return _within(value)
        case float():
            return _float(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            raise TypeError("bytes have no place in JSON")


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
    "ION": _ion,
    "YAML": _yaml,
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
    "YAML": "valid YAML (without aliases)",
    "ARRAY": "a list",
    "MULTISELECT": "a list",
    "URI": "a URI",
    "EMAIL": "an e-mail address",
}
