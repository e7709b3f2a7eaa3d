"""Where does the reading of a template stand? One cursor over its tokens, opened per text, that also watches depth."""

from __future__ import annotations

from typing import NoReturn

from penstock.errors.expr import ExprLimit
from penstock.expr.lexer import Token, place_of, refuse, tokenize

MAX_NESTING = 100
MAX_HEIGHT = 150


class Cursor:
    """A reading of one text, from its first token to its last."""

    __slots__ = ("height", "index", "loose", "nesting", "text", "token", "tokens")

    def __init__(self, text: str, loose: bool = False) -> None:
        self.text = text
        self.loose = loose
        self.tokens = tokenize(text)
        self.index = 0
        self.token: Token = self.tokens[0]
        self.nesting = 0
        # Height of the tree read last. A chain such as `a + b + c …` grows it without nesting, and whoever
        # walks the tree later walks it by recursion.
        self.height = 0

    def next(self) -> Token:
        """Give the token that stands here and go behind it."""
        token = self.token
        if token.kind != "end":
            self.index += 1
            self.token = self.tokens[self.index]
        return token

    def mark(self, text: str) -> bool:
        """Go behind the mark when it stands here."""
        if self.token.kind == "mark" and self.token.text == text:
            self.next()
            return True
        return False

    def at_mark(self, text: str) -> bool:
        """Tell whether the mark stands here."""
        return self.token.kind == "mark" and self.token.text == text

    def at_name(self, text: str) -> bool:
        """Tell whether the word stands here."""
        return self.token.kind == "name" and self.token.text == text

    def expect_mark(self, text: str, why: str) -> Token:
        """Go behind the mark, or refuse: `why` says what it would be for."""
        if not self.at_mark(text):
            self.unexpected(f"`{text}` {why}")
        return self.next()

    def expect_name(self, what: str) -> Token:
        """Go behind a name, or refuse."""
        if self.token.kind != "name":
            self.unexpected(what)
        return self.next()

    def expect_close(self, kind: str) -> None:
        """Go behind `}}` or `%}`, or refuse."""
        if self.token.kind != kind:
            self.unexpected(f"`{kind}` or an operator")
        self.next()

    def unexpected(self, wanted: str) -> NoReturn:
        """Refuse the token that stands here."""
        token = self.token
        found = "the end of the text" if token.kind == "end" else f"`{_shown(token)}`"
        refuse(self.text, token.at, f"Expected {wanted}, found {found}.")

    def enter(self) -> None:
        """Go one level deeper, within the limit."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            self.too_deep()

    def leave(self) -> None:
        """Come back up one level."""
        self.nesting -= 1

    def grow(self, height: int) -> None:
        """Note the height of the tree just read, within the limit."""
        if height > MAX_HEIGHT:
            self.too_deep()
        self.height = height

    def too_deep(self) -> NoReturn:
        """Refuse an expression that nests too deep."""
        raise ExprLimit(
            "The expression nests too deep.",
            hint="Build it in steps with `{% set name = … %}`.",
            place=place_of(self.text, self.token.at),
        )


def _shown(token: Token) -> str:
    if token.kind == "string":
        return f"'{token.text[:40]}'"
    return token.text[:40].strip() or token.kind
