"""How do the tags of a template run? Each statement turns into a closure that adds to what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from penstock.errors.expr import ExprError, WrongType
from penstock.expr.calls import Frame, fits, spend
from penstock.expr.closures import compiled
from penstock.expr.invocations import apply_filter, bound_arguments, known_word
from penstock.expr.nodes import Block, Body, Filtered, For, If, Macro, Print, Set, Statement, Text
from penstock.expr.operators import truth
from penstock.expr.printing import kind_of, to_text
from penstock.expr.registry import FILTERS
from penstock.expr.source import Emit, MacroCode, Source


class Plain(str):
    """Text of the template itself, told apart from a printed value that is text."""

    __slots__ = ()


def emitter(body: Body, source: Source) -> Emit:
    """Turn a body into one closure."""
    # Macros may be called above the line that defines them.
    for statement in body:
        if isinstance(statement, Macro):
            _define(statement, source)
    emits = [_statement(statement, source) for statement in body if not isinstance(statement, Macro)]
    if len(emits) == 1:
        return emits[0]

    def emit(frame: Frame, out: list[object]) -> None:
        for one in emits:
            one(frame, out)

    return emit


def text_of(frame: Frame, out: list[object]) -> str:
    """Join what was printed, within the limit of output."""
    pieces: list[str] = []
    size = 0
    for value in out:
        pieces.append(to_text(value))
        size += len(pieces[-1])
        fits(size, frame.calls.output)
    return "".join(pieces)


def _statement(statement: Statement, source: Source) -> Emit:
    match statement:
        case Text():
            return _text(statement)
        case Print():
            return _print(statement, source)
        case If():
            return _if(statement, source)
        case For():
            return _for(statement, source)
        case Set():
            return _set(statement, source)
        case Filtered():
            return _filtered(statement, source)
        case Block():
            return _block(statement, source)
        case Macro():
            return emitter((statement,), source)
        case _:
            assert_never(statement)


def _text(statement: Text) -> Emit:
    text = Plain(statement.text)
    if not statement.raw:
        return lambda frame, out: out.append(text)

    def emit(frame: Frame, out: list[object]) -> None:
        if frame.kept is None:
            out.append(text)
            return
        # A private character on both sides: no text can hold this mark unless it was put here.
        frame.kept.append(text)
        out.append(f"\ue000{len(frame.kept) - 1}\ue001")

    return emit


def _print(statement: Print, source: Source) -> Emit:
    run = compiled(statement.of, source)
    return lambda frame, out: out.append(run(frame))


def _if(statement: If, source: Source) -> Emit:
    branches = [(compiled(test, source), emitter(body, source), test.at) for test, body in statement.branches]
    otherwise = emitter(statement.otherwise, source)

    def emit(frame: Frame, out: list[object]) -> None:
        for condition, body, at in branches:
            value = condition(frame)
            try:
                holds = truth(value, "`if`")
            except ExprError as error:
                source.place(error, at)
            if holds:
                body(frame, out)
                return
        otherwise(frame, out)

    return emit


def _for(statement: For, source: Source) -> Emit:
    over, name, at = compiled(statement.over, source), statement.name, statement.over.at
    body, otherwise = emitter(statement.body, source), emitter(statement.otherwise, source)

    def emit(frame: Frame, out: list[object]) -> None:
        value = over(frame)
        if value is None:
            return
        try:
            items = _items(value)
        except ExprError as error:
            source.place(error, at)
        if not items:
            otherwise(frame, out)
            return
        layer: dict[str, object] = {}
        inner = Frame(frame.scope, frame.calls, (*frame.layers, layer), frame.fuel, frame.depth, frame.kept)
        last = len(items) - 1
        for index, item in enumerate(items):
            spend(frame, 1)
            layer[name] = item
            layer["loop"] = {
                "index": index,
                "length": last + 1,
                "first": index == 0,
                "last": index == last,
                "revindex": last - index,
            }
            body(inner, out)

    return emit


def _items(value: object) -> list[object]:
    match value:
        case list() | tuple():
            return list(value)
        case Mapping():
            return [{"key": key, "value": item} for key, item in value.items()]
        case _:
            raise WrongType(f"`for` goes over a list or a map, not {kind_of(value)}.")


def _set(statement: Set, source: Source) -> Emit:
    value, name = compiled(statement.value, source), statement.name

    def emit(frame: Frame, out: list[object]) -> None:
        spend(frame, 1)
        for layer in reversed(frame.layers):
            if name in layer:
                layer[name] = value(frame)
                return
        frame.layers[-1][name] = value(frame)

    return emit


def _filtered(statement: Filtered, source: Source) -> Emit:
    body = emitter(statement.body, source)
    filters = []
    for at, name, args in statement.filters:
        try:
            word = known_word(FILTERS, name, "filter")
            filters.append((at, word, bound_arguments(word, args, source, compiled)))
        except ExprError as error:
            return _failing(error, source, at)

    def emit(frame: Frame, out: list[object]) -> None:
        inside: list[object] = []
        body(frame, inside)
        value: object = text_of(frame, inside)
        for at, word, arguments in filters:
            try:
                value = apply_filter(word, frame, value, arguments)
            except ExprError as error:
                source.place(error, at)
        out.append(value)

    return emit


def _block(statement: Block, source: Source) -> Emit:
    emit = emitter(statement.body, source)
    source.blocks[statement.name] = emit
    return emit


def _define(statement: Macro, source: Source) -> None:
    parameters = tuple(
        (name, compiled(default, source) if default is not None else None) for name, default in statement.parameters
    )
    source.macros[statement.name] = MacroCode(parameters, emitter(statement.body, source))


def _failing(error: ExprError, source: Source, at: int) -> Emit:
    kind, sentence, hint = type(error), error.sentence, error.hint

    def emit(frame: Frame, out: list[object]) -> None:
        source.place(kind(sentence, hint=hint), at)

    return emit
