"""What is an expression once it has been read? A tree of frozen nodes; `at` is the offset in the text."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Node(msgspec.Struct, frozen=True, gc=False):
    """A place in the text, and what stands there."""

    at: int


class Const(Node, frozen=True, gc=False):
    """A literal: text, number, true, false or null."""

    value: bool | int | float | str | None


class Name(Node, frozen=True, gc=False):
    """A name looked up in the scope."""

    name: str


class Item(Node, frozen=True, gc=False):
    """`of.x` or `of[key]`: an entry of a map or an element of a list."""

    of: Expr
    key: Expr
    dotted: bool


class Args(msgspec.Struct, frozen=True, gc=False):
    """What stands between the parentheses of a call."""

    positional: tuple[Expr, ...] = ()
    named: tuple[tuple[str, Expr], ...] = ()


NO_ARGS = Args()


class Call(Node, frozen=True, gc=False):
    """A call of a function or macro."""

    name: str
    args: Args


class Filter(Node, frozen=True, gc=False):
    """`of | name(args)`."""

    name: str
    of: Expr
    args: Args


class Test(Node, frozen=True, gc=False):
    """`of is name(args)`, or `is not`."""

    name: str
    of: Expr
    args: Args
    negated: bool


class Unary(Node, frozen=True, gc=False):
    """`not x`, `-x` or `+x`."""

    operator: str
    of: Expr


class Binary(Node, frozen=True, gc=False):
    """Two operands, both always evaluated."""

    operator: str
    left: Expr
    right: Expr


class Logic(Node, frozen=True, gc=False):
    """`and` or `or`: the right side is evaluated only when it decides."""

    operator: str
    left: Expr
    right: Expr


class Coalesce(Node, frozen=True, gc=False):
    """`left ?? right` (null or undefined), or `left ??? right` (undefined alone)."""

    left: Expr
    right: Expr
    null_too: bool


class Ternary(Node, frozen=True, gc=False):
    """`condition ? then : otherwise`; without `then` it is `condition ?: otherwise`."""

    condition: Expr
    then: Expr | None
    otherwise: Expr


class ListOf(Node, frozen=True, gc=False):
    """`[a, b]`."""

    items: tuple[Expr, ...]


class MapOf(Node, frozen=True, gc=False):
    """`{key: value}`."""

    entries: tuple[tuple[Expr, Expr], ...]


class Joined(Node, frozen=True, gc=False):
    """A double-quoted text with `#{…}` in it."""

    parts: tuple[Expr, ...]


Expr: TypeAlias = (
    Const | Name | Item | Call | Filter | Test | Unary | Binary | Logic | Coalesce | Ternary | ListOf | MapOf | Joined
)


class Text(Node, frozen=True, gc=False):
    """Text that prints as it stands; `raw` when it came from a raw or verbatim tag."""

    text: str
    raw: bool = False


class Print(Node, frozen=True, gc=False):
    """`{{ of }}`."""

    of: Expr


class If(Node, frozen=True, gc=False):
    """`{% if %}…{% elseif %}…{% else %}…{% endif %}`."""

    branches: tuple[tuple[Expr, Body], ...]
    otherwise: Body


class For(Node, frozen=True, gc=False):
    """`{% for name in over %}…{% else %}…{% endfor %}`."""

    name: str
    over: Expr
    body: Body
    otherwise: Body


class Set(Node, frozen=True, gc=False):
    """`{% set name = value %}`."""

    name: str
    value: Expr


class Filtered(Node, frozen=True, gc=False):
    """`{% filter a | b %}…{% endfilter %}`: the body goes through filters; each is (offset, name, arguments)."""

    filters: tuple[tuple[int, str, Args], ...]
    body: Body


class Block(Node, frozen=True, gc=False):
    """`{% block name %}…{% endblock %}`: prints where it stands, and again where `block(name)` asks for it."""

    name: str
    body: Body


class Macro(Node, frozen=True, gc=False):
    """`{% macro name(a, b=1) %}…{% endmacro %}`; parameters without a default have None."""

    name: str
    parameters: tuple[tuple[str, Expr | None], ...]
    body: Body


Statement: TypeAlias = Text | Print | If | For | Set | Filtered | Block | Macro
Body: TypeAlias = tuple[Statement, ...]
