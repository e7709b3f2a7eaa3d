"""What does a piece of a jq program run in? Variables and functions it sees, and how its arguments are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec

from penstock.expr.calls import Frame
from penstock.expr.jq.nodes import Node

Path: TypeAlias = tuple[Any, ...] | None
Result: TypeAlias = tuple[Path, Any]
Evaluate: TypeAlias = Callable[[Node, "Env", Path, Any], Iterator[Result]]


class Function(msgspec.Struct, frozen=True):
    """A function that a program defines, or an argument on its way into one; `env` is where its body is read."""

    parameters: tuple[str, ...]
    body: Node
    env: Env | None


class Env(msgspec.Struct, frozen=True):
    """What a node sees: variables, functions by name and count of arguments; and the expression's own frame."""

    frame: Frame
    evaluate: Evaluate
    variables: dict[str, Any] = {}
    functions: dict[tuple[str, int], Function] = {}


class BreakOut(Exception):
    """`break $name` is on its way to its label."""

    def __init__(self, label: object) -> None:
        super().__init__()
        self.label = label


def values(node: Node, env: Env, value: Any) -> Iterator[Any]:
    """Give the results of a node without their paths."""
    for _, found in env.evaluate(node, env, None, value):
        yield found


def with_variable(env: Env, name: str, value: object) -> Env:
    """Give an environment that sees one more variable."""
    return Env(env.frame, env.evaluate, {**env.variables, name: value}, env.functions)


class Stream(msgspec.Struct, frozen=True):
    """What a function that gives many results, or follows paths, is called with."""

    env: Env
    args: tuple[Node, ...]
    path: Path
    value: Any

    def each(self, number: int, value: Any) -> Iterator[Any]:
        """Run an argument on a value."""
        return values(self.args[number], self.env, value)

    def here(self, number: int) -> Iterator[Any]:
        """Run an argument on the input."""
        return values(self.args[number], self.env, self.value)

    def paths(self, number: int) -> Iterator[Path]:
        """Give the paths of an argument's results on the input."""
        return (path for path, _ in self.env.evaluate(self.args[number], self.env, (), self.value))

    def results(self, number: int) -> Iterator[Result]:
        """Run an argument on the input, with the paths that are asked for."""
        return self.env.evaluate(self.args[number], self.env, self.path, self.value)

    @property
    def frame(self) -> Frame:
        """The frame of the expression."""
        return self.env.frame
