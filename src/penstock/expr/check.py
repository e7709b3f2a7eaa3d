"""What is wrong with a template that only its text has to be read to see? Unknown names and words, wrong arguments."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.errors import Problem, nearest
from penstock.errors.expr import ExprError, OldWord, UnknownName, UnknownWord, WrongArguments
from penstock.errors.problem import Severity
from penstock.expr.binding import bind
from penstock.expr.invocations import known_word
from penstock.expr.lexer import place_of
from penstock.expr.nodes import Args, Binary, Call, Coalesce, Expr, Filter, Filtered, Item, Name, Test
from penstock.expr.operators import FINAL
from penstock.expr.paths import written_path
from penstock.expr.registry import FILTERS, FUNCTIONS, TESTS, Word
from penstock.expr.source import Source
from penstock.expr.template import Template
from penstock.expr.uses import children, expressions, prefix, statements


class Known(msgspec.Struct, frozen=True):
    """The names that can exist: each with the names below it, or None where anything may follow."""

    names: Mapping[str, object]


def check(template: Template, known: Known | Mapping[str, object]) -> list[Problem]:
    """Tell every problem of a template, in the order of its text; places are relative to that text."""
    if template.constant:
        return []
    names = known.names if isinstance(known, Known) else known
    found: list[tuple[int, Problem]] = []
    look = _Look(template.source, names, _tested(template), found)
    for node in expressions(template.body):
        _expression(node, look, False)
    for statement in statements(template.body):
        if isinstance(statement, Filtered):
            for at, name, args in statement.filters:
                _word(FILTERS, "filter", name, args, at, look)
    return [problem for _, problem in sorted(found, key=lambda pair: pair[0])]


class _Look(msgspec.Struct, frozen=True):
    source: Source
    names: Mapping[str, object]
    # Paths that an `is defined` asks for somewhere: whoever asks knows that they may be missing.
    guarded: frozenset[tuple[str, ...]]
    found: list[tuple[int, Problem]]


def _expression(node: Expr, look: _Look, soft: bool) -> None:
    """Look at a node and all below it; `soft` where a missing name is caught."""
    match node:
        case Name() | Item():
            _path(node, look, soft)
        case Binary() if node.operator in FINAL:
            _expression(node.left, look, False)
            _expression(node.right, look, False)
        case Coalesce():
            _expression(node.left, look, True)
            _expression(node.right, look, soft)
        case Filter():
            word = _word(FILTERS, "filter", node.name, node.args, node.at, look)
            _operands(node, look, soft, word)
        case Test():
            word = _word(TESTS, "test", node.name, node.args, node.at, look)
            _operands(node, look, soft, word)
        case Call():
            if node.name not in look.source.macro_names and node.name != "block":
                _word(FUNCTIONS, "function", node.name, node.args, node.at, look)
            for child in children(node):
                _expression(child, look, soft)
        case _:
            for child in children(node):
                _expression(child, look, soft)


def _operands(node: Filter | Test, look: _Look, soft: bool, word: Word | None) -> None:
    subject, *arguments = children(node)
    _expression(subject, look, soft or (word is not None and word.missing_passes))
    for argument in arguments:
        _expression(argument, look, soft)


def _path(node: Name | Item, look: _Look, soft: bool) -> None:
    steps: list[Item] = []
    root: Expr = node
    while isinstance(root, Item):
        steps.append(root)
        root = root.of
    for step in steps:
        _expression(step.key, look, soft)
    if not isinstance(root, Name):
        _expression(root, look, soft)
        return
    path = prefix(node)
    if soft or path[0] in look.source.variables or any(path[:size] in look.guarded for size in range(1, len(path) + 1)):
        return
    level: object = look.names
    for index, key in enumerate(path):
        if not isinstance(level, Mapping):
            return
        if key not in level:
            at = root.at if index == 0 else steps[-index].at
            owner = written_path(steps[-index].of) if index else ""
            _unknown(key, at, owner, level, look)
            return
        level = level[key]


def _unknown(key: str, at: int, owner: str, level: Mapping[str, object], look: _Look) -> None:
    names = list(level)
    if not owner:
        names += look.source.variables
    hyphened = next((name for name in names if name.startswith(key + "-")), "")
    hint = f"A name with a hyphen stands in brackets: `['{hyphened}']`." if hyphened else nearest(key, names)
    if not hint:
        shown = ", ".join(f"`{name}`" for name in sorted(names)[:8])
        hint = f"Known here: {shown}{'…' if len(names) > 8 else ''}." if names else ""
    sentence = f"`{owner}` has no `{key}`." if owner else f"There is no `{key}` here."
    look.found.append((at, Problem(UnknownName.code, sentence, place=place_of(look.source.text, at), hint=hint)))


def _word(words: dict[str, Word], kind: str, name: str, args: Args, at: int, look: _Look) -> Word | None:
    """Look a filter, function or test up, and its arguments; note what is wrong."""
    try:
        word = known_word(words, name, kind)
    except UnknownWord as error:
        _note(error, at, look)
        return None
    try:
        bind(word, args)
    except WrongArguments as error:
        _note(error, at, look)
    if word.replaced_by:
        place = place_of(look.source.text, at)
        sentence = f"`{name}` is the older name of `{word.replaced_by}`."
        look.found.append((at, Problem(OldWord.code, sentence, place=place, severity=Severity.NOTE)))
    return word


def _note(error: ExprError, at: int, look: _Look) -> None:
    problem = Problem(error.code, error.sentence, place=place_of(look.source.text, at), hint=error.hint)
    look.found.append((at, problem))


def _tested(template: Template) -> frozenset[tuple[str, ...]]:
    """Collect the paths that some `is defined` asks for."""
    found: set[tuple[str, ...]] = set()
    if "defined" not in template.uses.tests:
        return frozenset()
    for node in expressions(template.body):
        pending = [node]
        while pending:
            part = pending.pop()
            if isinstance(part, Test) and part.name == "defined":
                found.add(prefix(part.of))
            pending.extend(children(part))
    found.discard(())
    return frozenset(found)
