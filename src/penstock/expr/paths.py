"""How are `name` and `name.x[0]` found? Closures over the scope, the shortest for what flows use most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from penstock.expr.calls import Frame
from penstock.expr.nodes import Const, Expr, Item, Name
from penstock.expr.scope import ABSENT, Missing, entry
from penstock.expr.source import Run, Source

Compile: TypeAlias = Callable[[Expr, Source], Run]


def name_of(node: Name, source: Source) -> Run:
    """Look a name up: among the template's own variables when it has one of that name, then in the scope."""
    name, at = node.name, node.at
    if name in source.variables:
        return lambda frame: _own(frame, name, at)
    also = source.variables

    def run(frame: Frame) -> object:
        try:
            return frame.scope[name]
        except KeyError:
            raise Missing(at, name, "", frame.scope, also) from None

    return run


def item_of(node: Item, source: Source, compile_one: Compile) -> Run:
    """Look an entry up, by a key that is known or one that is computed."""
    names = static_path(node)
    if names is not None and names[0] not in source.variables:
        return _plain_path(node, names, source.variables)
    of, at, written = compile_one(node.of, source), node.at, written_path(node.of)
    if isinstance(node.key, Const):
        known = node.key.value
        return lambda frame: _item(of(frame), known, at, written)
    key = compile_one(node.key, source)
    return lambda frame: _item(of(frame), key(frame), at, written)


def static_path(node: Expr) -> tuple[str, ...] | None:
    """Give `a.b['c']` as ("a", "b", "c"); None when part of it is computed or no text."""
    keys: list[str] = []
    while isinstance(node, Item):
        if not isinstance(node.key, Const) or not isinstance(node.key.value, str):
            return None
        keys.append(node.key.value)
        node = node.of
    if not isinstance(node, Name):
        return None
    keys.append(node.name)
    return tuple(reversed(keys))


def written_path(node: Expr) -> str:
    """Write a path as people do, for a sentence."""
    match node:
        case Name():
            return node.name
        case Item(key=Const(value=str() as key)) if node.dotted:
            return f"{written_path(node.of)}.{key}"
        case Item(key=Const(value=key)):
            return f"{written_path(node.of)}[{key!r}]"
        case Item():
            return f"{written_path(node.of)}[…]"
        case _:
            return "(…)"


def _plain_path(node: Item, names: tuple[str, ...], also: frozenset[str]) -> Run:
    root, keys = names[0], names[1:]
    if len(keys) == 1:
        key = keys[0]

        def short(frame: Frame) -> object:
            try:
                value = frame.scope[root]
            except KeyError:
                raise Missing(node.of.at, root, "", frame.scope, also) from None
            # Data is plain dicts nearly always; anything else goes the long way.
            if type(value) is dict and key in value:
                return value[key]
            return _walk(frame, node, names, also)

        return short
    return lambda frame: _walk(frame, node, names, also)


def _walk(frame: Frame, node: Item, names: tuple[str, ...], also: frozenset[str]) -> object:
    value: object
    root, keys = names[0], names[1:]
    try:
        value = frame.scope[root]
    except KeyError:
        raise Missing(_steps(node)[0].of.at, root, "", frame.scope, also) from None
    for index, key in enumerate(keys):
        if type(value) is dict and key in value:
            value = value[key]
            continue
        found = entry(value, key)
        if found is ABSENT:
            step = _steps(node)[index]
            raise Missing(step.at, key, written_path(step.of), value)
        value = found
    return value


def _steps(node: Item) -> list[Item]:
    """Give the items of a path, the outermost name's first."""
    steps = [node]
    while isinstance(steps[-1].of, Item):
        steps.append(steps[-1].of)
    return steps[::-1]


def _own(frame: Frame, name: str, at: int) -> object:
    for layer in reversed(frame.layers):
        if name in layer:
            return layer[name]
    try:
        return frame.scope[name]
    except KeyError:
        also = [known for layer in frame.layers for known in layer]
        raise Missing(at, name, "", frame.scope, also) from None


def _item(container: object, key: object, at: int, written: str) -> object:
    found = entry(container, key)
    if found is ABSENT:
        raise Missing(at, str(key)[:100], written, container)
    return found
