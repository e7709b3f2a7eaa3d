"""How does a date become text, and text a date, by a pattern such as `yyyy-MM-dd'T'HH:mm:ss.SSS[XXX]`?"""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from penstock.sdk.task import TaskFailed

DATE: Final = "yyyy-MM-dd"
TIME: Final = "HH:mm:ss[XXX]"
BOTH: Final = "yyyy-MM-dd'T'HH:mm:ss.SSS[XXX]"
PIECE: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|\[|\]|.", re.DOTALL)
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Moment = datetime.datetime | datetime.date | datetime.time


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """The patterns of one file, and the time zone that its instants are shown in (none: their own)."""

    date: str = DATE
    time: str = TIME
    both: str = BOTH
    zone: ZoneInfo | None = None

    def text(self, value: Moment) -> str:
        """A date, a time or both as text."""
        match value:
            case datetime.datetime():
                at = value.astimezone(self.zone) if self.zone and value.tzinfo else value
                return formatted(at, self.both)
            case datetime.time():
                return formatted(value, self.time)
            case day:
                return formatted(day, self.date)


DateFormat = Annotated[str, Meta(description="How a date is written.", examples=[DATE])]
TimeFormat = Annotated[str, Meta(description="How a time is written.", examples=[TIME])]
BothFormat = Annotated[str, Meta(description="How a date with a time is written.", examples=[BOTH])]
ZoneId = Annotated[str, Meta(description="Time zone of instants; their own unless given.", examples=["Europe/Paris"])]


def zone(name: str) -> ZoneInfo | None:
    """The time zone of a name; TaskFailed for none that is known."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise TaskFailed(f'There is no time zone "{name}".') from None


def formatted(value: Moment, pattern: str) -> str:
    """A moment by a pattern; what stands in `[…]` is left out where the moment does not have it."""
    out: list[str] = []
    marks: list[tuple[int, bool]] = []
    for match in PIECE.finditer(pattern):
        piece = match[0]
        if piece == "[":
            marks.append((len(out), True))
        elif piece == "]" and marks:
            start, whole = marks.pop()
            if not whole:
                del out[start:]
        elif piece[0] == "'":
            out.append(match[1].replace("''", "'") or "'")
        elif match[2]:
            text = _field(value, match[2], len(piece))
            if text is None and not marks:
                raise TaskFailed(f'"{value}" has nothing for "{piece}" of the pattern "{pattern}".')
            if text is None:
                marks[-1] = (marks[-1][0], False)
            out.append(text or "")
        else:
            out.append(piece)
    return "".join(out)


def _field(value: Moment, letter: str, width: int) -> str | None:
    if isinstance(value, datetime.date) and (text := _day(value, letter, width)) is not None:
        return text
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return None
    match letter:
        case "H" | "k":
            return f"{value.hour:0{width}d}"
        case "h" | "K":
            return f"{value.hour % 12 or 12:0{width}d}"
        case "m":
            return f"{value.minute:0{width}d}"
        case "s":
            return f"{value.second:0{width}d}"
        case "S":
            return f"{value.microsecond:06d}000"[:width]
        case "n":
            return f"{value.microsecond * 1000:0{width}d}"
        case "a":
            return "AM" if value.hour < 12 else "PM"
        case "X" | "x" | "Z" | "z" | "V" | "O":
            return _offset(value, letter, width)
        case _:
            return None


def _day(value: datetime.date, letter: str, width: int) -> str | None:
    match letter:
        case "y" | "u":
            return f"{value.year % 100:02d}" if width == 2 else f"{value.year:0{width}d}"
        case "M" | "L":
            name = MONTHS[value.month - 1]
            return f"{value.month:0{width}d}" if width < 3 else name[:3] if width == 3 else name
        case "d":
            return f"{value.day:0{width}d}"
        case "D":
            return f"{value.timetuple().tm_yday:0{width}d}"
        case "E":
            name = DAYS[value.weekday()]
            return name if width == 4 else name[:3]
        case _:
            return None


def _offset(value: datetime.datetime | datetime.time, letter: str, width: int) -> str | None:
    span = value.utcoffset()
    if span is None:
        return None
    minutes = int(span.total_seconds()) // 60
    if letter == "V" or (letter == "z" and isinstance(value.tzinfo, ZoneInfo)):
        return str(value.tzinfo)
    if minutes == 0 and (letter == "X" or (letter == "Z" and width == 5)):
        return "Z"
    sign, minutes = ("-" if minutes < 0 else "+"), abs(minutes)
    colon = ":" if width in (3, 5) or letter == "O" else ""
    return f"{sign}{minutes // 60:02d}{colon}{minutes % 60:02d}"


def read(text: str, pattern: str) -> datetime.datetime:
    """The moment that a text says by a pattern (what it does not say is 1970-01-01 or zero); ValueError otherwise."""
    match = _expression(pattern).fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" is not written as {pattern}')
    said = {name: given for name, given in match.groupdict().items() if given}
    year = int(said.get("y", "1970"))
    at = datetime.datetime(
        2000 + year if len(said.get("y", "1970")) == 2 else year,
        int(said.get("M", "1")),
        int(said.get("d", "1")),
        int(said.get("H", "0")),
        int(said.get("m", "0")),
        int(said.get("s", "0")),
        int(said.get("S", "0")[:6].ljust(6, "0")),
    )
    if not (offset := said.get("X", "")):
        return at
    return datetime.datetime.fromisoformat(at.isoformat() + ("+00:00" if offset == "Z" else offset))


def _expression(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    for match in PIECE.finditer(pattern):
        piece, letter = match[0], match[2]
        if piece == "[":
            parts.append("(?:")
        elif piece == "]":
            parts.append(")?")
        elif piece[0] == "'":
            parts.append(re.escape(match[1].replace("''", "'") or "'"))
        elif letter in ("X", "x", "Z"):
            parts.append(r"(?P<X>Z|[+-]\d\d:?\d\d)")
        elif letter == "S":
            parts.append(r"(?P<S>\d+)")
        elif letter in tuple("yuMdHms"):
            named = "y" if letter == "u" else letter
            parts.append(f"(?P<{named}>\\d{{{1 if len(piece) == 1 else len(piece)},4}})")
        elif letter:
            raise ValueError(f'"{piece}" of the pattern "{pattern}" cannot be read')
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts))
