"""Which nodes of a jq program make new values? Literals, texts, lists, maps, calculations, updates, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import fits
from penstock.expr.jq import nodes
from penstock.expr.jq.calling import Env, values, with_variable
from penstock.expr.jq.formats import formatted
from penstock.expr.jq.nodes import Node, Pattern
from penstock.expr.jq.values import (
    MOST_ELEMENTS,
    JqError,
    get_at,
    is_number,
    item_of,
    kind,
    operate,
    set_at,
    shown,
    text,
    truth,
    without,
)


def made(node: Node, env: Env, value: Any) -> Iterator[Any]:
    """Give the results of nodes that make new values, which have no paths."""
    match node:
        case nodes.Literal():
            yield node.value
        case nodes.Variable():
            if node.name not in env.variables:
                raise ExprFailed(f"The jq program has no variable `{node.name}`.")
            yield env.variables[node.name]
        case nodes.Format():
            yield formatted(node.name, value)
        case nodes.Text():
            yield from _text(node, env, value, 0, "")
        case nodes.ListOf():
            found = list(values(node.of, env, value)) if node.of is not None else []
            fits(len(found), MOST_ELEMENTS)
            yield found
        case nodes.MapOf():
            yield from _map(node, env, value, 0, {})
        case nodes.Negation():
            for found in values(node.of, env, value):
                if not is_number(found):
                    raise JqError(f"{kind(found)} ({shown(found)[:40]}) cannot be negated")
                yield -found
        case nodes.Operation():
            yield from _operation(node, env, value)
        case nodes.Update():
            yield from _update(node, env, value)


def matched(pattern: Pattern, value: Any, env: Env) -> Iterator[Env]:
    """Give the environments in which a pattern's variables have their values."""
    match pattern:
        case nodes.NamePattern():
            yield with_variable(env, pattern.name, value)
        case nodes.ListPattern():
            if value is not None and not isinstance(value, list):
                raise JqError(f"Cannot index {kind(value)} with number")
            yield from _matched_all([(item, item_of(value, index)) for index, item in enumerate(pattern.items)], env)
        case nodes.MapPattern():
            yield from _matched_map(pattern.entries, value, env)


def _matched_all(pending: list[tuple[Pattern, Any]], env: Env) -> Iterator[Env]:
    if not pending:
        yield env
        return
    for inner in matched(*pending[0], env):
        yield from _matched_all(pending[1:], inner)


def _matched_map(entries: tuple[tuple[str, Node, Pattern | None], ...], value: Any, env: Env) -> Iterator[Env]:
    if not entries:
        yield env
        return
    (variable, key, below), *rest = entries
    for name in values(key, env, value):
        found = item_of(value, name)
        inner = with_variable(env, variable, found) if variable else env
        for more in matched(below, found, inner) if below is not None else (inner,):
            yield from _matched_map(tuple(rest), value, more)


def _text(node: nodes.Text, env: Env, value: Any, index: int, before: str) -> Iterator[str]:
    if index == len(node.parts):
        yield before
        return
    part = node.parts[index]
    if isinstance(part, str):
        yield from _text(node, env, value, index + 1, before + part)
        return
    for found in values(part, env, value):
        piece = before + (formatted(node.format, found) if node.format else text(found))
        fits(len(piece), env.frame.calls.output)
        yield from _text(node, env, value, index + 1, piece)


def _map(node: nodes.MapOf, env: Env, value: Any, index: int, made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if index == len(node.entries):
        yield made
        return
    key, item = node.entries[index]
    for name in values(key, env, value):
        if not isinstance(name, str):
            raise JqError(f"Object keys must be strings, not {kind(name)}")
        for found in values(item, env, value):
            yield from _map(node, env, value, index + 1, {**made, name: found})


def _operation(node: nodes.Operation, env: Env, value: Any) -> Iterator[Any]:
    if node.operator in ("and", "or"):
        for left in values(node.left, env, value):
            if truth(left) is (node.operator == "or"):
                yield truth(left)
            else:
                yield from (truth(right) for right in values(node.right, env, value))
        return
    for right in values(node.right, env, value):
        for left in values(node.left, env, value):
            yield operate(node.operator, left, right, env.frame)


def _update(node: nodes.Update, env: Env, value: Any) -> Iterator[Any]:
    frame = env.frame
    if node.operator == "|=":
        made, gone = value, list[Any]()
        for path, _ in env.evaluate(node.paths, env, (), value):
            assert path is not None
            new = next(values(node.value, env, get_at(made, path)), gone)
            if new is gone:
                gone.append(list(path))
            else:
                made = set_at(made, path, new, frame)
        yield without(made, gone, frame)
        return
    for given in values(node.value, env, value):
        made = value
        for path, _ in env.evaluate(node.paths, env, (), value):
            assert path is not None
            old = get_at(made, path)
            if node.operator == "=":
                new = given
            elif node.operator == "//=":
                new = old if truth(old) else given
            else:
                new = operate(node.operator[:-1], old, given, frame)
            made = set_at(made, path, new, frame)
        yield made
