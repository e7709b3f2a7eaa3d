"""How is a value written as YAML? Lists indented by one, quotation marks only where they are needed."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from penstock.expr.calls import Frame, spend
from penstock.expr.printing import to_text

_RESERVED = frozenset(
    word
    for name in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    for word in (name, name.capitalize(), name.upper())
) | {"", "~"}
# What would be read as something else, where it stands in a text: brackets, a comment, a key.
_QUOTED = re.compile(r"[\[\]{},]|(?:^|[ \t])#|:(?:[ \t]|$)")
_NUMBER_KEY = re.compile(r"[+-]?(?:\d|\.\d)")
_NOT_PLAIN = re.compile(r"^[-?:](?:\s|$)|^[,\[\]{}#&*!|>'\"%@`]|^\s|\s$|: | #")
_NAMES = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e"}
_NAMES |= {'"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P"}


@functools.cache
def _special() -> re.Pattern[str]:
    """Give what finds characters that only quotation marks can hold; to compile it takes milliseconds."""
    return re.compile(r"[^\n\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff|\t")


def to_yaml(value: object, frame: Frame) -> str:
    """Write a value as a document that ends with a line break; null alone has none."""
    if value is None:
        return "null"
    if isinstance(value, (Mapping, list, tuple)) and value:
        lines: list[str] = []
        _block(value, 0, lines, frame)
        return "".join(lines)
    if value == "" and isinstance(value, str):
        return '--- ""\n'
    return _scalar(value, 0) + "\n"


def _block(
    value: Mapping[object, object] | list[object] | tuple[object, ...], indent: int, lines: list[str], frame: Frame
) -> None:
    spend(frame, 1 + len(value))
    if isinstance(value, Mapping):
        for key, item in value.items():
            written = _key(to_text(key))
            lines.append(f"{' ' * indent}{written}:")
            # A list below a key stands no further in than its key.
            _rest(item, indent if isinstance(item, (list, tuple)) else indent + 2, indent, lines, frame)
    else:
        for item in value:
            lines.append(f"{' ' * indent} -")
            _rest(item, indent + 2, indent, lines, frame)


def _rest(item: object, below: int, indent: int, lines: list[str], frame: Frame) -> None:
    if isinstance(item, (Mapping, list, tuple)) and item:
        lines.append("\n")
        _block(item, below, lines, frame)
    else:
        lines.append(f" {_scalar(item, indent)}\n")


def _key(key: str) -> str:
    if key == "":
        return '? ""\n'
    if key in _RESERVED or _NUMBER_KEY.match(key) or _QUOTED.search(key) or "\n" in key or _special().search(key):
        return _double(key)
    return _single(key) if _NOT_PLAIN.search(key) else key


def _scalar(value: object, indent: int) -> str:
    match value:
        case None:
            return "null"
        case str():
            return _text(value, indent)
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            return to_text(value)


def _text(value: str, indent: int) -> str:
    if value in _RESERVED or _special().search(value):
        return _double(value)
    if "\n" in value:
        return _double(value) if re.search(r"(?:^|\n) | \n| $|\x85|\u2028|\u2029", value) else _literal(value, indent)
    if _QUOTED.search(value):
        return _double(value)
    return _single(value) if _NOT_PLAIN.search(value) else value


def _literal(value: str, indent: int) -> str:
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    pad = " " * (indent + 2)
    lines = [pad + line if line else "" for line in body.split("\n")]
    return f"|{'-' if not ends else '' if ends == 1 else '+'}\n" + "\n".join(lines) + "\n" * max(0, ends - 1)


def _single(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _double(value: str) -> str:
    pieces = []
    for letter in value:
        if letter in _NAMES:
            pieces.append("\\" + _NAMES[letter])
        elif _special().match(letter):
            code = ord(letter)
            pieces.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        else:
            pieces.append(letter)
    return '"' + "".join(pieces) + '"'
