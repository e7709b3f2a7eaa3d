"""Which kinds of value can a property have besides JSON's own? Durations, sizes, secrets, and how text becomes them."""

from __future__ import annotations

import re
from typing import Final

NUMBER: Final = r"\d+(?:\.\d+)?"
DURATION: Final = re.compile(
    rf"(?P<sign>[+-]?)P(?:(?P<weeks>{NUMBER})W)?(?:(?P<days>{NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{NUMBER})H)?(?:(?P<minutes>{NUMBER})M)?(?:(?P<seconds>{NUMBER})S)?)?",
    re.IGNORECASE,
)
SECONDS: Final = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
SIZE: Final = re.compile(rf"({NUMBER})\s*([kmgt]?)(i?)b?", re.IGNORECASE)
POWER: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
MOST: Final = 2**62


class Duration(int):
    """A span of time in whole microseconds; written as ISO-8601 (`PT5S`) or as a number of seconds."""

    @property
    def seconds(self) -> float:
        """The same span as the standard library wants it."""
        return self / 1_000_000

    @classmethod
    def read(cls, value: object) -> Duration:
        """Read what a person wrote; ValueError when it is no duration."""
        if isinstance(value, cls):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return cls(_whole(value, 1_000_000, value))
        text = str(value).strip()
        if re.fullmatch(NUMBER, text):
            return cls(_whole(float(text), 1_000_000, value))
        match = DURATION.fullmatch(text)
        if match is None or not any(match[unit] for unit in SECONDS):
            raise ValueError(f'"{value}" is no duration: PT5S, PT10M, P1D, or a number of seconds')
        total = sum(float(match[unit] or 0) * seconds for unit, seconds in SECONDS.items())
        return cls(_whole(-total if match["sign"] == "-" else total, 1_000_000, value))


class Size(int):
    """A number of bytes; written as a number, or with a unit (`10 MB`, `10 MiB`)."""

    @classmethod
    def read(cls, value: object) -> Size:
        """Read what a person wrote; ValueError when it is no size."""
        match = SIZE.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(f'"{value}" is no size: a number of bytes, or 10 KB, 10 MiB, 1 GB')
        step = 1024 if match[3] else 1000
        return cls(_whole(float(match[1]), step ** POWER[match[2].lower()], value))


class Secret(str):
    """Text that is never shown: its `repr` is stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"

    @classmethod
    def read(cls, value: object) -> Secret:
        """Take text as it is."""
        return cls(value)


OWN: Final = (Duration, Size, Secret)


def dec_hook(kind: type, value: object) -> object:
    """Let msgspec read the kinds of this page, and `object`, which is anything."""
    if kind is object:
        return value
    for own in OWN:
        if kind is own:
            return own.read(value)
    raise NotImplementedError(f"no task type may declare a property of {kind}")


def _whole(number: float, unit: int, written: object) -> int:
    if not abs(number * unit) <= MOST:
        raise ValueError(f'"{str(written)[:40]}" is too large')
    return round(number * unit)


def schema_hook(kind: type) -> dict[str, object]:
    """Describe the kinds of this page in JSON Schema."""
    if kind is Duration:
        return {"anyOf": [{"type": "string", "format": "duration"}, {"type": "number", "description": "seconds"}]}
    if kind is Size:
        return {"anyOf": [{"type": "integer", "description": "bytes"}, {"type": "string"}]}
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    if kind is object:
        return {"description": "anything"}
    raise NotImplementedError(f"no task type may declare a property of {kind}")
