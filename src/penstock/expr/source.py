"""What does the compiler know about the template as a whole? Its text, its own variables, its macros and blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeAlias

import msgspec

from penstock.errors.expr import ExprError
from penstock.expr.calls import Frame
from penstock.expr.lexer import place_of
from penstock.expr.nodes import Block, Body, Filtered, For, If, Macro, Set

Run: TypeAlias = Callable[[Frame], object]
Emit: TypeAlias = Callable[[Frame, list[object]], None]


class MacroCode(msgspec.Struct, frozen=True):
    """A macro ready to be called: its parameters, each with its default when it has one, and what it prints."""

    parameters: tuple[tuple[str, Run | None], ...]
    emit: Emit


class Source(msgspec.Struct, frozen=True):
    """A template while it is compiled; `macros` and `blocks` fill as their bodies are compiled."""

    text: str
    variables: frozenset[str]
    macro_names: frozenset[str]
    macros: dict[str, MacroCode] = {}
    blocks: dict[str, Emit] = {}

    def place(self, error: ExprError, at: int) -> NoReturn:
        """Raise the error again, with the place where it came from when it does not say one yet."""
        if error.place is None:
            error.place = place_of(self.text, at)
        raise error


def source_of(text: str, body: Body) -> Source:
    """Find the template's own variables and macros."""
    variables: set[str] = set()
    macros: set[str] = set()
    _collect(body, variables, macros)
    return Source(text, frozenset(variables), frozenset(macros))


def _collect(body: Body, variables: set[str], macros: set[str]) -> None:
    for statement in body:
        match statement:
            case Set():
                variables.add(statement.name)
            case For():
                variables.update((statement.name, "loop"))
                _collect(statement.body, variables, macros)
                _collect(statement.otherwise, variables, macros)
            case If():
                for _, branch in statement.branches:
                    _collect(branch, variables, macros)
                _collect(statement.otherwise, variables, macros)
            case Macro():
                macros.add(statement.name)
                variables.update(name for name, _ in statement.parameters)
                _collect(statement.body, variables, macros)
            case Filtered() | Block():
                _collect(statement.body, variables, macros)
            case _:
                pass
