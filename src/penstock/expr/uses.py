"""What does a template read, as far as its text tells? Paths of names, and the words it calls."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from penstock.expr.nodes import (
    Args,
    Binary,
    Block,
    Body,
    Call,
    Coalesce,
    Const,
    Expr,
    Filter,
    Filtered,
    For,
    If,
    Item,
    Joined,
    ListOf,
    Logic,
    Macro,
    MapOf,
    Name,
    Print,
    Set,
    Ternary,
    Test,
    Unary,
)
from penstock.expr.registry import FUNCTIONS
from penstock.expr.source import Source


class Uses(msgspec.Struct, frozen=True):
    """Paths such as ("outputs", "load", "rows"), cut before the first computed index, and the words that are called."""

    paths: frozenset[tuple[str, ...]] = frozenset()
    functions: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    # `render(x)` reads what the text of x names, and printContext() everything: no static list is complete then.
    open: bool = False
    pure: bool = True


def uses_of(body: Body, source: Source) -> Uses:
    """Collect what a template reads; the template's own variables and macros are left out."""
    paths: set[tuple[str, ...]] = set()
    functions: set[str] = set()
    filters: set[str] = set()
    tests: set[str] = set()
    for node in expressions(body):
        for part in walk(node):
            match part:
                case Name() | Item():
                    if (path := prefix(part)) and path[0] not in source.variables:
                        paths.add(path)
                case Call() if part.name not in source.macro_names:
                    functions.add(part.name)
                case Filter():
                    filters.add(part.name)
                case Test():
                    tests.add(part.name)
                case _:
                    pass
    for statement in statements(body):
        if isinstance(statement, Filtered):
            filters.update(name for _, name, _ in statement.filters)
    pure = not any(name in FUNCTIONS and not FUNCTIONS[name].pure for name in functions)
    reads_all = not functions.isdisjoint(("render", "renderOnce", "printContext", "fetchContext"))
    return Uses(frozenset(paths), frozenset(functions), frozenset(filters), frozenset(tests), reads_all, pure)


def statements(body: Body) -> Iterator[object]:
    """Give every statement, those inside others too."""
    for statement in body:
        yield statement
        match statement:
            case If():
                for _, branch in statement.branches:
                    yield from statements(branch)
                yield from statements(statement.otherwise)
            case For():
                yield from statements(statement.body)
                yield from statements(statement.otherwise)
            case Filtered() | Block() | Macro():
                yield from statements(statement.body)
            case _:
                pass


def expressions(body: Body) -> Iterator[Expr]:
    """Give the outermost expressions of every statement."""
    for statement in statements(body):
        match statement:
            case Print():
                yield statement.of
            case Set():
                yield statement.value
            case For():
                yield statement.over
            case If():
                yield from (condition for condition, _ in statement.branches)
            case Filtered():
                for _, _, args in statement.filters:
                    yield from _arguments(args)
            case Macro():
                yield from (default for _, default in statement.parameters if default is not None)
            case _:
                pass


def walk(node: Expr) -> Iterator[Expr]:
    """Give a node and everything below it; of a path only the whole, and the computed keys within it."""
    yield node
    if isinstance(node, Item):
        while isinstance(node, Item):
            if not isinstance(node.key, Const):
                yield from walk(node.key)
            node = node.of
        if not isinstance(node, Name):
            yield from walk(node)
        return
    for child in children(node):
        yield from walk(child)


def children(node: Expr) -> tuple[Expr, ...]:
    """Give the expressions directly below a node."""
    match node:
        case Const() | Name():
            return ()
        case Item():
            return (node.of, node.key)
        case Call():
            return _arguments(node.args)
        case Filter() | Test():
            return (node.of, *_arguments(node.args))
        case Unary():
            return (node.of,)
        case Binary() | Logic() | Coalesce():
            return (node.left, node.right)
        case Ternary():
            then = () if node.then is None else (node.then,)
            return (node.condition, *then, node.otherwise)
        case ListOf():
            return node.items
        case MapOf():
            return tuple(part for entry in node.entries for part in entry)
        case Joined():
            return node.parts


def prefix(node: Expr) -> tuple[str, ...]:
    """Give the path up to the first computed or numeric index; empty when it does not start at a name."""
    items: list[Item] = []
    while isinstance(node, Item):
        items.append(node)
        node = node.of
    if not isinstance(node, Name):
        return ()
    path = [node.name]
    for item in reversed(items):
        if not isinstance(item.key, Const) or not isinstance(item.key.value, str):
            break
        path.append(item.key.value)
    return tuple(path)


def _arguments(args: Args) -> tuple[Expr, ...]:
    return (*args.positional, *(value for _, value in args.named))
