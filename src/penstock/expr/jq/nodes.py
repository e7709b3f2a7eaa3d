"""What is a jq program once it has been read? A tree of frozen nodes."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """`.`"""


class Everything(msgspec.Struct, frozen=True):
    """`..`"""


class Literal(msgspec.Struct, frozen=True):
    """A number, or text without anything computed in it."""

    value: object


class Text(msgspec.Struct, frozen=True):
    """Text with `\\(…)` in it; `format` writes what is computed, as in `@uri "…"`."""

    parts: tuple[str | Node, ...]
    format: str


class Format(msgspec.Struct, frozen=True):
    """`@csv` and its like."""

    name: str


class Variable(msgspec.Struct, frozen=True):
    """`$name`"""

    name: str


class Index(msgspec.Struct, frozen=True):
    """`of.name`, `of[key]`"""

    of: Node
    key: Node


class Slice(msgspec.Struct, frozen=True):
    """`of[start:end]`"""

    of: Node
    start: Node | None
    end: Node | None


class Each(msgspec.Struct, frozen=True):
    """`of[]`"""

    of: Node


class Try(msgspec.Struct, frozen=True):
    """`body?`, `try body catch otherwise`"""

    body: Node
    otherwise: Node | None


class Pipe(msgspec.Struct, frozen=True):
    """`left | right`"""

    left: Node
    right: Node


class Comma(msgspec.Struct, frozen=True):
    """`left, right`"""

    left: Node
    right: Node


class Negation(msgspec.Struct, frozen=True):
    """`-of`"""

    of: Node


class Operation(msgspec.Struct, frozen=True):
    """Arithmetic, a comparison, `and`, `or`, `//`."""

    operator: str
    left: Node
    right: Node


class Update(msgspec.Struct, frozen=True):
    """`paths = value`, `|=`, `+=` and their like."""

    operator: str
    paths: Node
    value: Node


class ListOf(msgspec.Struct, frozen=True):
    """`[of]`; None is the empty list."""

    of: Node | None


class MapOf(msgspec.Struct, frozen=True):
    """`{key: value}`"""

    entries: tuple[tuple[Node, Node], ...]


class If(msgspec.Struct, frozen=True):
    """`if condition then … else … end`"""

    condition: Node
    then: Node
    otherwise: Node


class Bind(msgspec.Struct, frozen=True):
    """`of as pattern | body`"""

    of: Node
    pattern: Pattern
    body: Node


class Reduce(msgspec.Struct, frozen=True):
    """`reduce of as pattern (start; update)`"""

    of: Node
    pattern: Pattern
    start: Node
    update: Node


class Foreach(msgspec.Struct, frozen=True):
    """`foreach of as pattern (start; update; extract)`"""

    of: Node
    pattern: Pattern
    start: Node
    update: Node
    extract: Node


class Define(msgspec.Struct, frozen=True):
    """`def name(parameters): body; rest`"""

    name: str
    parameters: tuple[str, ...]
    body: Node
    rest: Node


class Call(msgspec.Struct, frozen=True):
    """`name(args)`"""

    name: str
    args: tuple[Node, ...]


class Label(msgspec.Struct, frozen=True):
    """`label $name | body`"""

    name: str
    body: Node


class Break(msgspec.Struct, frozen=True):
    """`break $name`"""

    name: str


class NamePattern(msgspec.Struct, frozen=True):
    """`$name`"""

    name: str


class ListPattern(msgspec.Struct, frozen=True):
    """`[a, b]`"""

    items: tuple[Pattern, ...]


class MapPattern(msgspec.Struct, frozen=True):
    """`{key: a}`; with `$name` in place of a key, that variable too."""

    entries: tuple[tuple[str, Node, Pattern | None], ...]


Node: TypeAlias = (
    Identity
    | Everything
    | Literal
    | Text
    | Format
    | Variable
    | Index
    | Slice
    | Each
    | Try
    | Pipe
    | Comma
    | Negation
    | Operation
    | Update
    | ListOf
    | MapOf
    | If
    | Bind
    | Reduce
    | Foreach
    | Define
    | Call
    | Label
    | Break
)
Pattern: TypeAlias = NamePattern | ListPattern | MapPattern
