"""How do the values that people give become a flow's inputs? Typed, checked, all problems at once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TypeAlias

from penstock import expr
from penstock.engine.scope import inputs_told, nested
from penstock.engine.values import convert, duration_micros
from penstock.errors import PenstockError, nearest
from penstock.errors.run import InvalidInput
from penstock.model.flow import Flow
from penstock.model.inputs import Input

PATTERN_SECONDS = 1.0
AtHand: TypeAlias = tuple[dict[str, object], expr.Calls]


def typed_inputs(
    flow: Flow, given: Mapping[str, object], calls: expr.Calls, *, strict: bool = False, of: str = ""
) -> dict[str, object]:
    """The inputs of a run; with `strict` a name that the flow does not declare is an error. `of` says what else than
    the flow asks for them, `calls` what their expressions may call. Raises InvalidInput with all that is wrong.
    """
    wrong: list[str] = []
    declared = {declaration.id for declaration in flow.inputs}
    given = _unfolded(given, declared)
    if strict:
        for name in sorted(given.keys() - declared):
            wrong.append(f'there is no input "{name}". {nearest(name, declared)}'.strip())
    values: dict[str, object] = {}
    off: set[str] = set()
    for declaration in _in_order(flow.inputs):
        if off.intersection(declaration.depends_on) or not _wanted(flow, declaration, values, calls):
            off.add(declaration.id)
            continue
        try:
            values[declaration.id] = _one(flow, declaration, given, (values, calls))
        except InvalidInput as error:
            wrong.append(error.sentence)
    if wrong:
        told = "; ".join(each.removesuffix(".") for each in wrong)
        dot = "" if told.endswith("?") else "."
        raise InvalidInput(f"Inputs of {of or flow.name}: {told}{dot}", hint=_declared_hint(flow, of))
    return values


def _unfolded(given: Mapping[str, object], declared: set[str]) -> dict[str, object]:
    """A map that is given for a form becomes the values of its inputs, whose names begin with the form's."""
    found: dict[str, object] = {}
    for name, value in given.items():
        inside = name not in declared and any(each.startswith(f"{name}.") for each in declared)
        parts = _as_map(value) if inside else None
        found |= {name: value} if parts is None else _unfolded({f"{name}.{k}": v for k, v in parts.items()}, declared)
    return found


def _as_map(value: object) -> dict[str, object] | None:
    try:
        made = convert("JSON", value, "")
    except InvalidInput:
        return None
    return {str(key): part for key, part in made.items()} if isinstance(made, dict) else None


def _declared_hint(flow: Flow, of: str) -> str:
    if not flow.inputs:
        return f"{of or 'The flow'} declares no inputs."
    return "It takes: " + ", ".join(f"{i.id} ({i.type})" for i in flow.inputs) + "."


def _in_order(declared: tuple[Input, ...]) -> list[Input]:
    """Inputs after those that they depend on; a cycle was refused when the flow was read."""
    order: list[Input] = []
    by_id = {declaration.id: declaration for declaration in declared}
    seen: set[str] = set()

    def visit(declaration: Input) -> None:
        if declaration.id in seen:
            return
        seen.add(declaration.id)
        for other in declaration.depends_on:
            if other in by_id:
                visit(by_id[other])
        order.append(declaration)

    for declaration in declared:
        visit(declaration)
    return order


def _scope(flow: Flow, values: dict[str, object]) -> dict[str, object]:
    about = {"id": flow.id, "namespace": flow.namespace, "revision": flow.revision}
    variables = {"vars": flow.variables, "variables": flow.variables, "globals": flow.globals}
    return {"inputs": nested(inputs_told(flow, values)), "flow": about, "labels": nested(flow.labels), **variables}


def _wanted(flow: Flow, declaration: Input, values: dict[str, object], calls: expr.Calls) -> bool:
    if not declaration.condition:
        return True
    try:
        return expr.truthy(expr.compile(declaration.condition).render(_scope(flow, values), calls))
    except PenstockError:
        return False  # a condition that cannot be rendered switches its input off


def _default(flow: Flow, declaration: Input, at_hand: AtHand) -> object:
    """What is taken where nothing was given; its templates are rendered, except as the release 0.20 had it."""
    if not declaration.has_default or flow.language.version == "0.20":
        return declaration.default
    values, calls = at_hand
    try:
        return expr.render(declaration.default, _scope(flow, values), calls)
    except PenstockError as error:
        raise InvalidInput(f'the default of "{declaration.id}" cannot be told: {error.sentence}') from error


def _one(flow: Flow, declaration: Input, given: Mapping[str, object], at_hand: AtHand) -> object:
    name = declaration.id
    value = given.get(name)
    if value is None or (value == "" and declaration.type in ("BOOL", "BOOLEAN")):
        value = _default(flow, declaration, at_hand)
    if value is None:
        if declaration.required:
            raise InvalidInput(f'"{name}" ({declaration.type}) is required and was not given')
        return None
    typed = convert(declaration.type, value, name)
    if isinstance(typed, list) and declaration.item_type:
        typed = [convert(declaration.item_type, item, f"{name}[{place}]") for place, item in enumerate(typed)]
    _check_choice(flow, declaration, typed, at_hand)
    _check_pattern(declaration, typed)
    _check_bounds(declaration, typed)
    return typed


def _check_choice(flow: Flow, declaration: Input, typed: object, at_hand: AtHand) -> None:
    if declaration.allow_custom or declaration.type not in ("SELECT", "ENUM", "MULTISELECT"):
        return
    choices = list(declaration.values)
    if declaration.expression:
        choices = _listed(flow, declaration, at_hand)
    texts = [str(choice) for choice in choices]
    for chosen in typed if isinstance(typed, list) else [typed]:
        if str(chosen) not in texts:
            hint = nearest(str(chosen), texts)
            raise InvalidInput(f'"{declaration.id}" is "{chosen}", which is none of {", ".join(texts)}. {hint}'.strip())


def _listed(flow: Flow, declaration: Input, at_hand: AtHand) -> list[object]:
    values, calls = at_hand
    try:
        found = expr.compile(declaration.expression).value(_scope(flow, values), calls)
    except PenstockError as error:
        raise InvalidInput(f'the choices of "{declaration.id}" cannot be told: {error.sentence}') from error
    listed = convert("ARRAY", found, declaration.id)
    return list(listed) if isinstance(listed, list) else []


def _check_pattern(declaration: Input, typed: object) -> None:
    if not declaration.validator:
        return
    import regex

    try:
        fits = regex.fullmatch(declaration.validator, str(typed), timeout=PATTERN_SECONDS)
    except TimeoutError:
        raise InvalidInput(f'the pattern of "{declaration.id}" takes too long on this value') from None
    if not fits:
        raise InvalidInput(f'"{declaration.id}" does not match the pattern `{declaration.validator}`')


def _check_bounds(declaration: Input, typed: object) -> None:
    value = _comparable(declaration.type, typed)
    for bound, too_far in ((declaration.least, "less"), (declaration.most, "more")):
        if bound is None:
            continue
        limit = _comparable(declaration.type, convert(declaration.type, bound, declaration.id))
        if (value < limit) if too_far == "less" else (limit < value):
            raise InvalidInput(f'"{declaration.id}" is {typed}, which is {too_far} than {bound}')


def _comparable(type_: str, value: object) -> tuple[float, str]:
    """What bounds are compared by: a number first, text second; within one type only one of them differs."""
    match type_:
        case "INT" | "FLOAT":
            return float(str(value)), ""
        case "DURATION":
            return float(duration_micros(str(value))), ""
        case "DATETIME":
            return datetime.datetime.fromisoformat(str(value)).timestamp(), ""
        case _:
            return 0.0, str(value)
