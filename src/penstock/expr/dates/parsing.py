"""How is a text read by a pattern for dates? Field by field, each as wide as the pattern says."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.expr.dates.names import Names
from penstock.expr.dates.patterns import Field, Literal, Optional, Part


class Found(msgspec.Struct, frozen=True):
    """What the fields of a text hold; None where it has no such field."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    day_of_year: int | None = None
    hour: int | None = None
    half_hour: int | None = None
    afternoon: bool = False
    minute: int = 0
    second: int = 0
    micros: int = 0
    zone: str = ""


# Looked at when nobody else runs: two threads that have msgspec do so for the first time crash Python.
SEEN: Final = msgspec.json.Decoder(Found)


def parsed(text: str, parts: tuple[Part, ...], names: Names, pattern: str) -> Found:
    """Read the whole text; raises ExprFailed at the first character that does not fit."""
    fields: dict[str, int | str] = {}
    end = _read(text, 0, parts, names, fields)
    if end < 0 or end < len(text):
        raise ExprFailed(f"'{text[:60]}' is not written as `{pattern[:60]}`.")
    return msgspec.convert(fields, Found)


_ZONE = re.compile(r"Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d\d(?::?\d\d)?)?|[A-Za-z]+(?:/[A-Za-z_+\-0-9]+)*", re.ASCII)
_ABBREVIATED = {"EST": "America/New_York", "CET": "Europe/Paris", "PST": "America/Los_Angeles"}
_NUMBERS = {"d": "day", "D": "day_of_year", "H": "hour", "k": "hour", "h": "half_hour", "K": "half_hour"}
_NUMBERS |= {"m": "minute", "s": "second"}


def _read(text: str, at: int, parts: tuple[Part, ...], names: Names, fields: dict[str, int | str]) -> int:
    """Read the parts from an offset; give where they end, or -1."""
    for index, part in enumerate(parts):
        match part:
            case Literal():
                at = at + len(part.text) if text.startswith(part.text, at) else -1
            case Optional():
                inner: dict[str, int | str] = {}
                end = _read(text, at, part.parts, names, inner)
                if end >= 0:
                    fields |= inner
                    at = end
            case Field():
                # A field right before another number must not eat that one's digits: `yyyyMMdd`.
                follows = index + 1 < len(parts) and _digits(parts[index + 1])
                at = _field(text, at, part, follows, names, fields)
        if at < 0:
            return -1
    return at


def _digits(part: Part) -> bool:
    return isinstance(part, Field) and (part.letter in "uydDHhkKmsSnA" or (part.letter in "ML" and part.width < 3))


def _field(text: str, at: int, field: Field, follows: bool, names: Names, fields: dict[str, int | str]) -> int:
    letter, width = field.letter, field.width
    match letter:
        case "u" | "y":
            return _year(text, at, width, follows, fields)
        case "M" | "L" if width >= 3:
            words = names.months if width == 4 else names.short_months
            return _word(text, at, words, "month", fields)
        case "M" | "L":
            return _number(text, at, width, follows, "month", fields)
        case "E" | "e" | "c":
            return _word(text, at, names.days if width == 4 else names.short_days, "", fields)
        case "a":
            end = _word(text, at, names.halves, "half", fields)
            fields["afternoon"] = fields.pop("half", 1) == 2
            return end
        case "S":
            found = re.compile(rf"\d{{{width}}}", re.ASCII).match(text, at)
            if found is None:
                return -1
            fields["micros"] = int(found.group().ljust(6, "0")[:6])
            return found.end()
        case "X" | "x" | "Z" | "z" | "V" | "v" | "O":
            found = _ZONE.match(text, at)
            if found is None:
                return -1
            fields["zone"] = _ABBREVIATED.get(found.group(), found.group())
            return found.end()
        case _ if letter in _NUMBERS:
            end = _number(text, at, width, follows, _NUMBERS[letter], fields)
            if letter == "k" and fields.get("hour") == 24:
                fields["hour"] = 0
            return end
        case _:
            raise ExprFailed(f"The letter `{letter}` of a pattern can be written, not read.")


def _year(text: str, at: int, width: int, follows: bool, fields: dict[str, int | str]) -> int:
    end = _number(text, at, width if width == 2 else 4 if width < 4 else width, follows or width == 2, "year", fields)
    if width == 2 and end >= 0:
        fields["year"] = 2000 + int(fields["year"])
    return end


def _number(text: str, at: int, width: int, follows: bool, name: str, fields: dict[str, int | str]) -> int:
    end = at
    most = width if follows or width > 1 else 19
    while end < len(text) and end - at < most and text[end] in "0123456789":
        end += 1
    if end == at or (width > 1 and end - at < width):
        return -1
    fields[name] = int(text[at:end])
    return end


def _word(text: str, at: int, words: tuple[str, ...], name: str, fields: dict[str, int | str]) -> int:
    for number, word in sorted(enumerate(words, 1), key=lambda pair: -len(pair[1])):
        if text.startswith(word, at):
            if name:
                fields[name] = number
            return at + len(word)
    return -1
