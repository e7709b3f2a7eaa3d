"""How is a filter, function, test or macro called from a template? Arguments are bound once, when it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from penstock.errors import nearest
from penstock.errors.expr import ExprError, UnknownWord, WrongArguments
from penstock.expr.binding import bind, invoke, reach_out
from penstock.expr.calls import Frame, deeper
from penstock.expr.nodes import Args, Call, Expr, Filter, Test
from penstock.expr.printing import to_text
from penstock.expr.registry import FILTERS, FUNCTIONS, TESTS, Word
from penstock.expr.scope import Missing
from penstock.expr.source import Run, Source

Compile: TypeAlias = Callable[[Expr, Source], Run]


def filter_of(node: Filter, source: Source, compile_one: Compile) -> Run:
    """Compile `of | name(…)`; a wrong name or argument fails when it is reached, and `check` tells it before."""
    of, at, place = compile_one(node.of, source), node.at, source.place
    try:
        word = known_word(FILTERS, node.name, "filter")
        arguments = bound_arguments(word, node.args, source, compile_one)
    except ExprError as error:
        return _failing(error, source, at)
    null_passes, missing_passes = word.null_passes, word.missing_passes

    def run(frame: Frame) -> object:
        try:
            subject = of(frame)
        except Missing:
            if not missing_passes:
                raise
            subject = None
        if subject is None and null_passes:
            return None
        values = [argument(frame) for argument in arguments]
        try:
            return invoke(word, frame, (subject,), values)
        except ExprError as error:
            place(error, at)

    return run


def test_of(node: Test, source: Source, compile_one: Compile) -> Run:
    """Compile `of is name` and `of is not name`."""
    of, at, place, negated = compile_one(node.of, source), node.at, source.place, node.negated
    try:
        word = known_word(TESTS, node.name, "test")
        arguments = bound_arguments(word, node.args, source, compile_one)
    except ExprError as error:
        return _failing(error, source, at)
    missing_passes = word.missing_passes

    def run(frame: Frame) -> object:
        try:
            subject = of(frame)
        except Missing:
            if not missing_passes:
                raise
            subject = None
        values = [argument(frame) for argument in arguments]
        try:
            return bool(invoke(word, frame, (subject,), values)) is not negated
        except ExprError as error:
            place(error, at)

    return run


def call_of(node: Call, source: Source, compile_one: Compile) -> Run:
    """Compile `name(…)`: a macro or block of this template, else a function."""
    if node.name in source.macro_names:
        return _macro(node, source, compile_one)
    if node.name == "block":
        return _block(node, source, compile_one)
    at, place = node.at, source.place
    try:
        word = known_word(FUNCTIONS, node.name, "function")
        arguments = bound_arguments(word, node.args, source, compile_one)
    except ExprError as error:
        return _failing(error, source, at)
    if not word.pure:
        return _outside(word, node, source, compile_one)

    def run(frame: Frame) -> object:
        values = [argument(frame) for argument in arguments]
        try:
            return invoke(word, frame, (), values)
        except ExprError as error:
            place(error, at)

    return run


def known_word(words: dict[str, Word], name: str, kind: str) -> Word:
    """Give the word of that name; raises UnknownWord, which says where else the language has one of that name."""
    word = words.get(name)
    if word is not None:
        return word
    hint = nearest(name, words)
    if not hint:
        for other, noun in ((FILTERS, "filter"), (FUNCTIONS, "function"), (TESTS, "test")):
            if name in other:
                hint = f"It is a {noun}: `{other[name].signature}`."
    raise UnknownWord(f"There is no {kind} `{name}`.", hint=hint)


def bound_arguments(word: Word, args: Args, source: Source, compile_one: Compile) -> list[Run]:
    """Compile the arguments in the word's order, defaults filled in."""
    parameters = word.parameters
    runs: list[Run] = []
    for index, expression in enumerate(bind(word, args)):
        if expression is not None:
            runs.append(compile_one(expression, source))
        else:
            runs.append(_constant(parameters[index].default))
    return runs


def apply_filter(word: Word, frame: Frame, subject: object, arguments: list[Run]) -> object:
    """Call a filter on a value at hand, as the tag `filter` does."""
    return invoke(word, frame, (subject,), [argument(frame) for argument in arguments])


def _constant(value: object) -> Run:
    return lambda frame: value


def _failing(error: ExprError, source: Source, at: int) -> Run:
    kind, sentence, hint = type(error), error.sentence, error.hint

    def run(frame: Frame) -> object:
        source.place(kind(sentence, hint=hint), at)

    return run


def _outside(word: Word, node: Call, source: Source, compile_one: Compile) -> Run:
    positional = [compile_one(argument, source) for argument in node.args.positional]
    named = [(name, compile_one(argument, source)) for name, argument in node.args.named]
    at, place = node.at, source.place

    def run(frame: Frame) -> object:
        values = [argument(frame) for argument in positional]
        others = {name: argument(frame) for name, argument in named}
        try:
            return reach_out(word, frame, values, others)
        except ExprError as error:
            place(error, at)

    return run


def _macro(node: Call, source: Source, compile_one: Compile) -> Run:
    name, at, place = node.name, node.at, source.place
    positional = [compile_one(argument, source) for argument in node.args.positional]
    named = {key: compile_one(argument, source) for key, argument in node.args.named}

    def run(frame: Frame) -> object:
        try:
            macro = source.macros[name]
            names = [parameter for parameter, _ in macro.parameters]
            if len(positional) > len(names) or not set(named) <= set(names):
                raise WrongArguments(f"The macro is `{name}({', '.join(names)})`.")
            layer: dict[str, object] = {}
            for index, (parameter, default) in enumerate(macro.parameters):
                given = positional[index] if index < len(positional) else named.get(parameter, default)
                layer[parameter] = given(frame) if given is not None else None
            inner = deeper(frame)
            out: list[object] = []
            macro.emit(Frame(inner.scope, inner.calls, (layer,), inner.fuel, inner.depth, inner.kept), out)
        except ExprError as error:
            place(error, at)
        return "".join(map(to_text, out))

    return run


def _block(node: Call, source: Source, compile_one: Compile) -> Run:
    at, place = node.at, source.place
    arguments = [compile_one(argument, source) for argument in node.args.positional]

    def run(frame: Frame) -> object:
        try:
            if len(arguments) != 1:
                raise WrongArguments("`block` takes the name of a block.")
            name = arguments[0](frame)
            emit = source.blocks.get(name) if isinstance(name, str) else None
            out: list[object] = []
            if emit is not None:
                emit(deeper(frame), out)
        except ExprError as error:
            place(error, at)
        return "".join(map(to_text, out))

    return run
