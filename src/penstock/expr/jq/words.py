"""Which words does a jq program consist of? Text becomes tokens; a text with `\\(…)` in it holds tokens of its own."""

from __future__ import annotations

import re
from typing import NamedTuple

from penstock.errors.expr import ExprFailed


class Token(NamedTuple):
    """A word: `kind` is field, name, variable, format, number, string, mark or end.

    A string has parts: texts, and lists of tokens between them.
    """

    kind: str
    text: str
    at: int
    parts: tuple[str | list[Token], ...] = ()


_WORD = re.compile(
    r"""(?:\s+|\#[^\n]*)*(?:(?P<field>\.[A-Za-z_]\w*)
    |(?P<name>[A-Za-z_]\w*(?:::\w+)*)
    |(?P<variable>\$\s*[A-Za-z_]\w*)
    |(?P<format>@[A-Za-z]\w*)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<quote>")
    |(?P<mark>\?//|//=|\|=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[.\[\](){}|,:;=<>+\-*/%?])
    |(?P<end>\Z))""",
    re.VERBOSE | re.ASCII,
)
_PIECE = re.compile(r'[^"\\]+')
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def tokens_of(program: str) -> list[Token]:
    """Read the words of a whole program; raises ExprFailed."""
    return _tokens(program, 0, False)[0]


def _tokens(text: str, at: int, inside: bool) -> tuple[list[Token], int]:
    """Read words up to the end, or up to the parenthesis that closes a `\\(`."""
    found: list[Token] = []
    open_ = 0
    while True:
        match = _WORD.match(text, at)
        if match is None:
            raise refused(text, at)
        kind = match.lastgroup or ""
        word, start = match.group(kind), match.start(kind)
        at = match.end()
        if kind == "quote":
            token, at = _string(text, start)
            found.append(token)
            continue
        if kind == "end":
            if inside:
                raise ExprFailed("A `\\(` in the jq program is never closed.")
            found.append(Token("end", "", start))
            return found, at
        if inside and word == ")" and not open_:
            found.append(Token("end", "", start))
            return found, at
        open_ += (word == "(") - (word == ")")
        found.append(Token(kind, word.replace(" ", ""), start))


def _string(text: str, start: int) -> tuple[Token, int]:
    parts: list[str | list[Token]] = [""]
    at = start + 1
    while at < len(text):
        if text[at] == '"':
            return Token("string", "", start, tuple(parts)), at + 1
        if text[at] != "\\":
            piece = _PIECE.match(text, at)
            assert piece is not None
            letter, at = piece.group(), piece.end()
        elif text.startswith("(", at + 1):
            inner, at = _tokens(text, at + 2, True)
            parts += [inner, ""]
            continue
        else:
            letter, at = _escaped(text, at)
        last = parts[-1]
        assert isinstance(last, str)
        parts[-1] = last + letter
    raise ExprFailed("A text in the jq program has no closing quotation mark.")


def _escaped(text: str, at: int) -> tuple[str, int]:
    letter = text[at + 1 : at + 2]
    if letter == "u" and (code := re.compile(r"[0-9a-fA-F]{4}").match(text, at + 2)):
        first, end = int(code.group(), 16), code.end()
        second = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(text, end)
        if 0xD800 <= first < 0xDC00 and second:
            return chr(0x10000 + ((first - 0xD800) << 10) + int(second.group(1), 16) - 0xDC00), second.end()
        return ("\ufffd" if 0xD800 <= first < 0xE000 else chr(first)), end
    if letter not in _ESCAPES:
        raise refused(text, at)
    return _ESCAPES[letter], at + 2


def refused(text: str, at: int) -> ExprFailed:
    """Tell where a program makes no sense."""
    shown = text[at:].strip()[:20]
    return ExprFailed(f"The jq program makes no sense at `{shown}`." if shown else "The jq program ends too early.")
