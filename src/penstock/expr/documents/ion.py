"""How is Ion's text form read and written? Of a text with several values the first is read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NoReturn

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame, spend
from penstock.expr.printing import float_text, to_text

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)
_WORDS = frozenset(("null", "true", "false", "nan"))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f"}
_ESCAPES |= {"\v": "\\v", "\0": "\\0"}
_READ = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "v": "\v", "0": "\0", "/": "/", "?": "?"}
_READ |= {"'": "'", '"': '"', "\\": "\\", "\n": ""}
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_TIMESTAMP = re.compile(
    r"(\d{4})(?:T|-(\d\d)(?:T|-(\d\d)(?:T(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?)?))(?![\w:.-])",
    re.ASCII,
)
_NUMBER = re.compile(
    r"-?(?:(?P<hex>0[xX][0-9a-fA-F_]+)|(?P<bits>0[bB][01_]+)|(?P<plain>\d[\d_]*)(?P<fraction>\.[\d_]*)?(?P<power>[eEdD][+-]?\d+)?)"
    r"(?![\w.])",
    re.ASCII,
)
_SYMBOL = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:\.[a-z]+)?", re.ASCII)
_OPERATOR = re.compile(r"[!#%&*+\-./;<=>?@^`|~]+")


def to_ion(value: object, frame: Frame) -> str:
    """Write a value as Ion text."""
    spend(frame, 1)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case float():
            return _float(value)
        case Mapping():
            return "{" + ",".join(f"{_key(to_text(key))}:{to_ion(item, frame)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(to_ion(item, frame) for item in value) + "]"
        case date() | time() | timedelta():
            return _quoted(to_text(value))
        case _:
            return to_text(value)


def from_ion(text: str, frame: Frame) -> object:
    """Read the first value of an Ion text; raises ExprFailed."""
    reader = _Reader(text, frame)
    reader.blank()
    return reader.value() if reader.at < len(text) else ""


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    if value.is_integer() and abs(value) < 2**63:
        return f"{'-' if math.copysign(1, value) < 0 else ''}{abs(int(value))}e0"
    printed = float_text(float(value))
    return printed.replace("E", "e") if "E" in printed else printed + "e0"


def _key(key: str) -> str:
    if _PLAIN_KEY.fullmatch(key) and key not in _WORDS:
        return key
    return "'" + _quoted(key)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _quoted(text: str) -> str:
    pieces = []
    for letter in text:
        if letter in _ESCAPES:
            pieces.append(_ESCAPES[letter])
        else:
            pieces.append(f"\\x{ord(letter):02x}" if letter < " " or "\x7f" <= letter < "\xa0" else letter)
    return '"' + "".join(pieces) + '"'


class _Reader:
    """Where an Ion text is being read."""

    def __init__(self, text: str, frame: Frame) -> None:
        self._text = text
        self._frame = frame
        self.at = 0

    def blank(self) -> None:
        """Go past blanks and comments."""
        found = _BLANK.match(self._text, self.at)
        assert found is not None
        self.at = found.end()

    def value(self) -> object:
        """Read one value, its annotations left out."""
        spend(self._frame, 1)
        self.blank()
        letter = self._text[self.at : self.at + 1]
        match letter:
            case "":
                self._refuse()
            case "{":
                return self._lob() if self._text.startswith("{{", self.at) else self._map()
            case "[":
                return self._list("]", ",")
            case "(":
                return self._list(")", "")
            case '"':
                return self._string('"')
            case "'":
                return self._annotated(self._long() if self._text.startswith("'''", self.at) else self._string("'"))
        return self._bare()

    def _bare(self) -> object:
        for sign, number in (("+inf", math.inf), ("-inf", -math.inf)):
            if self._text.startswith(sign, self.at):
                self.at += 4
                return number
        if (found := _TIMESTAMP.match(self._text, self.at)) is not None:
            self.at = found.end()
            return self._timestamp(found)
        if (found := _NUMBER.match(self._text, self.at)) is not None:
            self.at = found.end()
            return self._number(found)
        if (found := _SYMBOL.match(self._text, self.at)) is not None:
            self.at = found.end()
            return self._annotated(found.group())
        self._refuse()

    def _annotated(self, word: str) -> object:
        self.blank()
        if self._text.startswith("::", self.at):
            self.at += 2
            return self.value()
        named = word.partition(".")[0] == "null" and self._text[self.at - 1 : self.at] != "'"
        return None if named else {"true": True, "false": False, "nan": math.nan}.get(word, word)

    def _map(self) -> dict[str, object]:
        self.at += 1
        made: dict[str, object] = {}
        while not self._closed("}"):
            key = self._name()
            self.blank()
            if not self._text.startswith(":", self.at):
                self._refuse()
            self.at += 1
            made[key] = self.value()
            self._separated("}", ",")
        return made

    def _name(self) -> str:
        if self._text.startswith("'''", self.at):
            return self._long()
        if self._text.startswith(("'", '"'), self.at):
            return self._string(self._text[self.at])
        found = _SYMBOL.match(self._text, self.at)
        if found is None:
            self._refuse()
        self.at = found.end()
        return found.group()

    def _list(self, close: str, separator: str) -> list[object]:
        self.at += 1
        made: list[object] = []
        while not self._closed(close):
            operator = _OPERATOR.match(self._text, self.at) if close == ")" else None
            if operator is not None and not _NUMBER.match(self._text, self.at):
                self.at = operator.end()
                made.append(operator.group())
            else:
                made.append(self.value())
            if separator:
                self._separated(close, separator)
        return made

    def _closed(self, close: str) -> bool:
        self.blank()
        if self._text.startswith(close, self.at):
            self.at += 1
            return True
        return False

    def _separated(self, close: str, separator: str) -> None:
        self.blank()
        if self._text.startswith(separator, self.at):
            self.at += 1
        elif not self._text.startswith(close, self.at):
            self._refuse()

    def _lob(self) -> str:
        """Read bytes: Base64 as it is, a text in Base64."""
        import base64

        self.at += 2
        self.blank()
        if self._text.startswith(('"', "'"), self.at):
            held = self._string('"') if self._text[self.at] == '"' else self._long()
            found = base64.b64encode(held.encode("latin-1", "replace")).decode()
        else:
            end = self._text.find("}}", self.at)
            found = "".join(self._text[self.at : end].split())
            self.at = end if end >= 0 else len(self._text)
        self.blank()
        if not self._text.startswith("}}", self.at):
            self._refuse()
        self.at += 2
        return found

    def _long(self) -> str:
        """Read texts between triple quotation marks; several in a row are one."""
        pieces = []
        while self._text.startswith("'''", self.at):
            end = self._text.find("'''", self.at + 3)
            if end < 0:
                self._refuse()
            pieces.append(self._unescaped(self._text[self.at + 3 : end]))
            self.at = end + 3
            self.blank()
        return "".join(pieces)

    def _string(self, quote: str) -> str:
        end = self.at + 1
        while self._text[end : end + 1] != quote:
            if end >= len(self._text):
                self._refuse()
            end += 2 if self._text[end] == "\\" else 1
        found = self._unescaped(self._text[self.at + 1 : end])
        self.at = end + 1
        return found

    def _unescaped(self, body: str) -> str:
        if "\\" not in body:
            return body

        def one(found: re.Match[str]) -> str:
            code = found.group(1)
            if code[0] in "xuU" and len(code) > 1:
                number = int(code[1:], 16)
                return chr(number) if number < 0x110000 else "\ufffd"
            if code not in _READ:
                self._refuse()
            return _READ[code]

        made = re.sub(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", one, body, flags=re.DOTALL)
        return made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _number(self, found: re.Match[str]) -> int | float:
        sign = -1 if found.group().startswith("-") else 1
        if found["hex"] or found["bits"]:
            return sign * int((found["hex"] or found["bits"]).replace("_", ""), 0)
        power = (found["power"] or "").lower()
        text = (found["plain"] + (found["fraction"] or "")).replace("_", "")
        if len(text) > 1000 or len(power) > 6:
            self._refuse()
        if power.startswith("d"):
            value = float(f"{text}e{power[1:]}")
            return sign * (int(value) if value.is_integer() and abs(value) < 2**53 else value)
        if power or found["fraction"]:
            return sign * float(text + power)
        return sign * int(text)

    def _timestamp(self, found: re.Match[str]) -> date | datetime:
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        try:
            whole = date(int(year), int(month or 1), int(day or 1))
            if hour is None:
                return whole
            micros = int((fraction or "0").ljust(6, "0")[:6])
            at = time(int(hour), int(minute), int(second or 0), micros)
            hours, minutes = (0, 0) if zone == "Z" else (int(zone[1:3]), int(zone[4:6]))
            offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone.startswith("-") else 1)
            return datetime.combine(whole, at, UTC if not offset else timezone(offset))
        except (ValueError, OverflowError):
            self._refuse()

    def _refuse(self) -> NoReturn:
        shown = self._text[self.at : self.at + 20]
        raise ExprFailed(f"This is no Ion text, at `{shown}`." if shown else "The Ion text ends too early.")
