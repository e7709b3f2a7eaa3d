"""What does a pattern such as `yyyy-MM-dd'T'HH:mm` consist of? Fields by letter and width, and text between them."""

from __future__ import annotations

import functools

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.expr.dates.names import Names

LETTERS = frozenset("GuyYDMLdQqwWEecFahHkKmsSAnNVvzOXxZ")


# How often a letter may stand in a row.
WIDTHS = {
    **dict.fromkeys("GMLEQqXxZec", range(1, 6)),
    **dict.fromkeys("dHhKkmsw", range(1, 3)),
    **dict.fromkeys("aFW", range(1, 2)),
    **dict.fromkeys("zv", range(1, 5)),
    "D": range(1, 4),
    "S": range(1, 10),
    "V": range(2, 3),
    "O": (1, 4),
}


class Field(msgspec.Struct, frozen=True):
    """A letter of the pattern, and how often it stands there."""

    letter: str
    width: int


class Literal(msgspec.Struct, frozen=True):
    """Text that stands between fields as it is."""

    text: str


class Optional(msgspec.Struct, frozen=True):
    """`[…]`: written always, and read when it is there."""

    parts: tuple[Part, ...]


Part = Field | Literal | Optional

NAMED = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_milli": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_milli": "yyyy-MM-dd HH:mm:ss.SSS",
    "sql_sec": "yyyy-MM-dd HH:mm:ss",
    "sql_seq": "yyyy-MM-dd HH:mm:ss",
    "iso_date": "yyyy-MM-ddXXX",
    "iso_local_date": "yyyy-MM-dd",
    "iso_ordinal_date": "yyyy-DDDXXX",
    "rfc_1123_date_time": "EEE, d MMM yyyy HH:mm:ss O",
}
STYLES = ("full", "long", "medium", "short")


@functools.lru_cache(maxsize=512)
def parts_of(pattern: str) -> tuple[Part, ...]:
    """Read a pattern; raises ExprFailed for a letter that means nothing."""
    if len(pattern) > 500:
        raise ExprFailed("A pattern for dates has 500 characters at most.")
    return _parts(pattern, 0, 0)[0]


def pattern_of(format: str, names: Names) -> str:
    """Give the pattern that a name stands for, or the format itself."""
    lower = format.lower()
    if lower in STYLES:
        return names.styles[STYLES.index(lower)]
    return NAMED.get(lower, format)


def _parts(pattern: str, index: int, depth: int) -> tuple[tuple[Part, ...], int]:
    parts: list[Part] = []
    while index < len(pattern):
        letter = pattern[index]
        if letter == "'":
            text, index = _quoted(pattern, index)
            parts.append(Literal(text))
        elif letter == "[" and depth < 20:
            inner, index = _parts(pattern, index + 1, depth + 1)
            parts.append(Optional(inner))
        elif letter == "]" and depth:
            return tuple(parts), index + 1
        elif letter.isascii() and letter.isalpha():
            end = index
            while end < len(pattern) and pattern[end] == letter:
                end += 1
            if end - index not in WIDTHS.get(letter, range(1, 20)):
                raise ExprFailed(f"`{letter}` cannot stand {end - index} times in the pattern `{pattern[:60]}`.")
            if letter not in LETTERS:
                raise ExprFailed(
                    f"`{letter}` means nothing in the pattern `{pattern[:60]}`.",
                    hint="Plain text stands in single quotation marks: `'T'`.",
                )
            parts.append(Field(letter, end - index))
            index = end
        elif letter in "{}#[]":
            raise ExprFailed(f"`{letter}` cannot stand in the pattern `{pattern[:60]}`.")
        else:
            parts.append(Literal(letter))
            index += 1
    return tuple(parts), index


def _quoted(pattern: str, index: int) -> tuple[str, int]:
    """Read a quoted text; two quotation marks are one."""
    if pattern.startswith("''", index):
        return "'", index + 2
    text = ""
    index += 1
    while index < len(pattern):
        if pattern[index] == "'":
            if not pattern.startswith("''", index):
                return text, index + 1
            index += 1
        text += pattern[index]
        index += 1
    raise ExprFailed(f"A quotation mark is not closed in the pattern `{pattern[:60]}`.")
