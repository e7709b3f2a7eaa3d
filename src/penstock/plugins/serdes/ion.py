"""How is Ion text read and written? Value by value, so that a file of any length takes the memory of one value."""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

DEEPEST: Final = 200
BLANK: Final = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
TIMESTAMP: Final = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T(?:(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d))?|(?<=-\d\d-\d\d))"
    r"(?![\w:+-])"
)
NUMBER: Final = re.compile(r"-?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eEdD][+-]?\d+)?)(?![\w.])")
INFINITE: Final = re.compile(r"[+-]inf(?!\w)")
WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
OPERATORS: Final = re.compile(r"[!#%&*+\-./;<=>?@^`|~]+")
QUOTED: Final = {
    '"': re.compile(r'"((?:[^"\\\n]|\\.|\\\n)*)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\\n]|\\.)*)'", re.DOTALL),
    "'''": re.compile(r"'''((?:[^'\\]|\\.|'(?!''))*)'''", re.DOTALL),
}
BEGUN: Final = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*|'(?:[^'\\\n]|\\.)*)""", re.DOTALL)
ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)", re.DOTALL)
ESCAPED: Final = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "v": "\v"}
CONSTANTS: Final[dict[str, object]] = {"true": True, "false": False, "nan": float("nan")}
BARE: Final = re.compile(r"[A-Za-z_][\w]*", re.ASCII)
TAKEN: Final = ("null", "true", "false", "nan")


class Unreadable(ValueError):
    """A text is no Ion."""


class Unfinished(Unreadable):
    """A text ends in the middle of a value."""


def values(lines: Iterable[str]) -> Iterator[object]:
    """The values of a text that comes line by line; Unreadable, with the line, where there is no value."""
    source = enumerate(lines, 1)
    for number, line in source:
        text, wanted = line, 1
        while True:
            try:
                found = list(_all(text))
                break
            except Unfinished as error:
                # Twice as many lines each time: a long value is read again as few times as can be.
                more = [following for _, (_, following) in zip(range(wanted), source, strict=False)]
                if not more:
                    raise Unreadable(f"line {number}: {error}") from None
                text, wanted = text + "".join(more), wanted * 2
            except Unreadable as error:
                raise Unreadable(f"line {number}: {error}") from None
        yield from found


def written(value: object) -> str:
    """A value as Ion text on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return _float(value)
        case decimal.Decimal():
            return _decimal(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case datetime.datetime():
            return value.isoformat() if value.tzinfo else f"{value.isoformat()}-00:00"
        case datetime.date():
            return value.isoformat()
        case bytes():
            return "{{" + base64.b64encode(value).decode() + "}}"
        case Mapping():
            return "{" + ",".join(f"{_name(str(name))}:{written(item)}" for name, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(written, value)) + "]"
        case other:
            return json.dumps(str(other), ensure_ascii=False)


def _name(name: str) -> str:
    if BARE.fullmatch(name) and name not in TAKEN:
        return name
    return "'" + json.dumps(name, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _float(value: float) -> str:
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "+inf" if value > 0 else "-inf"
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _decimal(value: decimal.Decimal) -> str:
    if not value.is_finite():
        return "null.decimal"
    text = str(value).replace("E", "d").replace("d+", "d")
    return text if "." in text or "d" in text else f"{text}."


def _all(text: str) -> Iterator[object]:
    cursor = _Cursor(text)
    while cursor.blank():
        value, is_symbol = cursor.value(0)
        if not (is_symbol and value == "$ion_1_0"):
            yield value


class _Cursor:
    """A place in a text, moved on by what is read there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def blank(self) -> bool:
        """Pass by what says nothing; whether anything is left."""
        match = BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        if self.text.startswith("/*", self.at):
            raise Unfinished("a comment does not end")
        return self.at < len(self.text)

    def value(self, depth: int) -> tuple[object, bool]:
        """One value, and whether it is a symbol."""
        if depth > DEEPEST:
            raise Unreadable(f"more than {DEEPEST} levels")
        if not self.blank():
            raise Unfinished("a value is missing")
        text, at = self.text, self.at
        first = text[at]
        if first == '"':
            return self._quoted('"'), False
        if first == "'":
            return self._apostrophe(depth)
        if first.isdigit() or first in "+-":
            return self._number(), False
        if text.startswith("{{", at):
            return self._blob(), False
        if first == "{":
            return self._struct(depth), False
        if first in "[(":
            return self._list(depth, "]" if first == "[" else ")"), False
        word = WORD.match(text, at)
        if word is None:
            raise Unreadable(f'"{text[at : at + 20].strip()}" is no value')
        self.at = word.end()
        return self._word(word[0], depth)

    def _word(self, word: str, depth: int) -> tuple[object, bool]:
        if word == "null":
            if self.text.startswith(".", self.at) and (kind := WORD.match(self.text, self.at + 1)):
                self.at = kind.end()
            return None, False
        if word in CONSTANTS:
            return CONSTANTS[word], False
        return self._after_symbol(word, depth)

    def _after_symbol(self, symbol: str, depth: int) -> tuple[object, bool]:
        """A symbol, or, when it is an annotation, the value that it stands before."""
        at = self.at
        self.blank()
        if self.text.startswith("::", self.at):
            self.at += 2
            return self.value(depth + 1)
        self.at = at
        return symbol, True

    def _apostrophe(self, depth: int) -> tuple[object, bool]:
        if not self.text.startswith("'''", self.at):
            return self._after_symbol(self._quoted("'"), depth)
        parts = [self._quoted("'''")]
        while self.blank() and self.text.startswith("'''", self.at):
            parts.append(self._quoted("'''"))
        return "".join(parts), False

    def _quoted(self, mark: str) -> str:
        match = QUOTED[mark].match(self.text, self.at)
        if match is None:
            # Only three quotation marks let a text go on in the next line.
            begun = BEGUN.match(self.text, self.at)
            if mark != "'''" and begun and begun.end() < len(self.text):
                raise Unreadable("a text does not end on its line")
            raise Unfinished("a text does not end")
        self.at = match.end()
        inside = match[1]
        return ESCAPE.sub(_unescaped, inside) if "\\" in inside else inside

    def _number(self) -> object:
        text = self.text
        if match := TIMESTAMP.match(text, self.at):
            self.at = match.end()
            return _instant(match)
        if match := NUMBER.match(text, self.at):
            self.at = match.end()
            return _numeric(match[0].replace("_", ""))
        if match := INFINITE.match(text, self.at):
            self.at = match.end()
            return float(match[0])
        raise Unreadable(f'"{text[self.at : self.at + 20].strip()}" is no number')

    def _blob(self) -> object:
        end = self.text.find("}}", self.at)
        if end < 0:
            raise Unfinished("bytes do not end")
        inside = self.text[self.at + 2 : end].strip()
        self.at = end + 2
        if inside[:1] in ('"', "'"):
            return str(next(_all(inside))).encode("latin-1", "replace")
        try:
            return base64.b64decode("".join(inside.split()), validate=True)
        except binascii.Error:
            raise Unreadable("bytes are not in base64") from None

    def _struct(self, depth: int) -> dict[str, object]:
        self.at += 1
        found: dict[str, object] = {}
        while True:
            if not self.blank():
                raise Unfinished("a struct does not end")
            if self.text[self.at] == "}":
                self.at += 1
                return found
            name = self._field()
            found[name] = self.value(depth + 1)[0]
            self._comma("}")

    def _field(self) -> str:
        first = self.text[self.at]
        if first in "\"'":
            mark = "'''" if self.text.startswith("'''", self.at) else first
            name = self._quoted(mark)
        elif word := WORD.match(self.text, self.at):
            name, self.at = word[0], word.end()
        else:
            raise Unreadable(f'"{self.text[self.at : self.at + 20].strip()}" is no name')
        if not self.blank():
            raise Unfinished("a struct does not end")
        if self.text[self.at] != ":":
            raise Unreadable(f'after the name "{name}" no colon follows')
        self.at += 1
        return name

    def _list(self, depth: int, end: str) -> list[object]:
        self.at += 1
        found: list[object] = []
        while True:
            if not self.blank():
                raise Unfinished("a list does not end")
            if self.text[self.at] == end:
                self.at += 1
                return found
            sign = OPERATORS.match(self.text, self.at) if end == ")" else None
            if sign and not NUMBER.match(self.text, self.at):
                found.append(sign[0])
                self.at = sign.end()
                continue
            found.append(self.value(depth + 1)[0])
            if end == "]":
                self._comma(end)

    def _comma(self, end: str) -> None:
        if not self.blank():
            raise Unfinished("a struct or a list does not end")
        if self.text[self.at] == ",":
            self.at += 1
        elif self.text[self.at] != end:
            raise Unreadable(f'"{self.text[self.at : self.at + 20].strip()}" stands where a comma was expected')


def _unescaped(match: re.Match[str]) -> str:
    said = match[1]
    if said[0] in "xuU" and len(said) > 1:
        return chr(int(said[1:], 16))
    return "" if said.endswith("\n") else ESCAPED.get(said, said)


def _numeric(text: str) -> object:
    lower = text.lower()
    if "0x" in lower[:3] or "0b" in lower[:3]:
        return int(lower, 0)
    if "e" in lower:
        return float(lower)
    if "d" in lower or "." in lower:
        return decimal.Decimal(lower.replace("d", "e"))
    return int(lower)


def _instant(match: re.Match[str]) -> object:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        date = datetime.date(int(year), int(month or 1), int(day or 1))
        if hour is None:
            return date
        micros = int((fraction or "0")[:6].ljust(6, "0"))
        time = datetime.time(int(hour), int(minute), int(second or 0), micros)
        if zone in (None, "-00:00"):
            return datetime.datetime.combine(date, time)
        whole = datetime.datetime.combine(date, time).isoformat() + ("+00:00" if zone == "Z" else zone)
        return datetime.datetime.fromisoformat(whole)
    except ValueError as error:
        raise Unreadable(f'"{match[0]}": {error}') from None
