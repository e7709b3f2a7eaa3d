"""How does a tree of nodes become something that runs? Each expression turns into one Python closure over a Frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from penstock.errors.expr import ExprError, ExprFailed
from penstock.expr.binding import size_of
from penstock.expr.calls import Frame, fits, spend
from penstock.expr.invocations import call_of, filter_of, test_of
from penstock.expr.nodes import (
    Binary,
    Call,
    Coalesce,
    Const,
    Expr,
    Filter,
    Item,
    Joined,
    ListOf,
    Logic,
    MapOf,
    Name,
    Ternary,
    Test,
    Unary,
)
from penstock.expr.operators import BINARY, COMPARING, FINAL, negate, plus, truth
from penstock.expr.paths import item_of, name_of
from penstock.expr.printing import to_text
from penstock.expr.scope import Missing, told
from penstock.expr.source import Run, Source


def compiled(node: Expr, source: Source) -> Run:
    """Turn an expression into a closure that gives its value."""
    match node:
        case Name():
            return name_of(node, source)
        case Item():
            return item_of(node, source, compiled)
        case Const():
            value = node.value
            return lambda frame: value
        case Filter():
            return filter_of(node, source, compiled)
        case Call():
            return call_of(node, source, compiled)
        case Coalesce():
            return _coalesce(node, source)
        case Test():
            return test_of(node, source, compiled)
        case Binary():
            return _binary(node, source)
        case Logic():
            return _logic(node, source)
        case Unary():
            return _unary(node, source)
        case Ternary():
            return _ternary(node, source)
        case ListOf():
            return _list(node, source)
        case MapOf():
            return _map(node, source)
        case Joined():
            return _joined(node, source)
        case _:
            assert_never(node)


def _coalesce(node: Coalesce, source: Source) -> Run:
    left, right = compiled(node.left, source), compiled(node.right, source)
    null_too = node.null_too

    def run(frame: Frame) -> object:
        try:
            value = left(frame)
        except Missing:
            return right(frame)
        return right(frame) if value is None and null_too else value

    return run


def _binary(node: Binary, source: Source) -> Run:
    if node.operator in COMPARING:
        return _comparing(node, source)
    left, right = compiled(node.left, source), compiled(node.right, source)
    symbol = node.operator
    operate = BINARY[symbol]
    at, place = node.at, source.place

    final = symbol in FINAL

    def run(frame: Frame) -> object:
        try:
            a, b = left(frame), right(frame)
        except Missing as missing:
            if final:
                raise told(missing, source.text) from None
            raise
        try:
            result = operate(a, b)
            spend(frame, size_of(a) + size_of(b) + size_of(result))
            return result
        except ExprError as error:
            place(error, at)
        except ArithmeticError:
            place(ExprFailed(f"`{symbol}` goes beyond what numbers can hold."), at)

    return run


def _comparing(node: Binary, source: Source) -> Run:
    left, right = compiled(node.left, source), compiled(node.right, source)
    compare = COMPARING[node.operator]
    at, place = node.at, source.place

    final = node.operator in FINAL

    def run(frame: Frame) -> object:
        try:
            a, b = left(frame), right(frame)
        except Missing as missing:
            if final:
                raise told(missing, source.text) from None
            raise
        try:
            spend(frame, size_of(a) + size_of(b))
            return compare(a, b, frame.fuel)
        except ExprError as error:
            place(error, at)

    return run


def _logic(node: Logic, source: Source) -> Run:
    left, right = _condition(node.left, source, node), _condition(node.right, source, node)
    if node.operator == "and":
        return lambda frame: left(frame) and right(frame)
    return lambda frame: left(frame) or right(frame)


def _condition(operand: Expr, source: Source, node: Logic) -> Callable[[Frame], bool]:
    run, where, at, place = compiled(operand, source), f"`{node.operator}`", node.at, source.place

    def condition(frame: Frame) -> bool:
        value = run(frame)
        if value is True or value is False:
            return value
        try:
            return truth(value, where)
        except ExprError as error:
            place(error, at)

    return condition


def _unary(node: Unary, source: Source) -> Run:
    of, at, place = compiled(node.of, source), node.at, source.place
    operate: Callable[[object], object]
    match node.operator:
        case "-":
            operate = negate
        case "+":
            operate = plus
        case _:
            operate = _opposite

    def run(frame: Frame) -> object:
        value = of(frame)
        try:
            return operate(value)
        except ExprError as error:
            place(error, at)

    return run


def _opposite(value: object) -> bool:
    return not truth(value, "`not`")


def _ternary(node: Ternary, source: Source) -> Run:
    condition, otherwise = compiled(node.condition, source), compiled(node.otherwise, source)
    then = compiled(node.then, source) if node.then is not None else None
    at, place = node.at, source.place

    def run(frame: Frame) -> object:
        value = condition(frame)
        try:
            holds = value is not None and truth(value, "`?`")
        except ExprError as error:
            place(error, at)
        if holds:
            return then(frame) if then is not None else value
        return otherwise(frame)

    return run


def _list(node: ListOf, source: Source) -> Run:
    items = [compiled(item, source) for item in node.items]

    def run(frame: Frame) -> object:
        spend(frame, 1)
        return [item(frame) for item in items]

    return run


def _map(node: MapOf, source: Source) -> Run:
    entries = [(compiled(key, source), compiled(value, source)) for key, value in node.entries]

    def run(frame: Frame) -> object:
        spend(frame, 1)
        return {_key(key(frame)): value(frame) for key, value in entries}

    return run


def _key(value: object) -> str:
    return to_text(value)


def _joined(node: Joined, source: Source) -> Run:
    parts = [compiled(part, source) for part in node.parts]

    def run(frame: Frame) -> object:
        pieces: list[str] = []
        size = 0
        for part in parts:
            value = part(frame)
            pieces.append(to_text(value))
            size += len(pieces[-1])
            fits(size)
        spend(frame, size >> 6)
        return "".join(pieces)

    return run
