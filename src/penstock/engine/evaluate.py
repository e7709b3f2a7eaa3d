"""May a decision evaluate this expression itself, and to what? Pure ones only; the rest is a worker's work."""

from __future__ import annotations

import datetime

from penstock import expr
from penstock.engine.draft import Draft
from penstock.engine.scope import plain, scope_of
from penstock.engine.values import convert
from penstock.errors import PenstockError
from penstock.model.inputs import Output, is_sealed
from penstock.model.run import ErrorKind, Failure, Run

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def is_pure(tree: object, run: Run) -> bool:
    """Does nothing in this tree of templates reach out of the run's data, or for what is sealed in it?"""
    match tree:
        case str():
            if "{" not in tree:
                return True
            template = expr.compile(tree)
            if not template.pure or any(path[0] == "envs" for path in template.uses.paths):
                return False
            return not _reads_sealed(template.uses, run.inputs)
        case dict():
            return all(is_pure(key, run) and is_pure(value, run) for key, value in tree.items())
        case list() | tuple():
            return all(is_pure(item, run) for item in tree)
        case _:
            return True


def _reads_sealed(uses: expr.Uses, inputs: dict[str, object]) -> bool:
    asked = [path[1:] for path in uses.paths if path[0] == "inputs"]
    if not asked and not uses.open:
        return False
    sealed = [name.split(".") for name, value in inputs.items() if is_sealed(value)]
    # `inputs` alone, or as far as its path is known, may lead to what is sealed
    return any(uses.open or any(_meet(path, name) for path in asked) for name in sealed)


def _meet(path: tuple[str, ...], name: list[str]) -> bool:
    return all(one == other for one, other in zip(path, name, strict=False))


def evaluate(draft: Draft, key: str, tree: object) -> object:
    """Render a tree of pure templates in the scope of a step; the event's time is their `now`. Raises PenstockError."""
    if isinstance(tree, str) and "{" not in tree:
        return tree
    return plain(expr.render(tree, scope_of(draft, key), calls_at(draft.now, draft.plan.flow.language.version)))


def typed(draft: Draft, key: str, text: str) -> object:
    """Evaluate one template and keep the type of what it prints. Raises PenstockError."""
    return plain(expr.compile(text).value(scope_of(draft, key), calls_at(draft.now, draft.plan.flow.language.version)))


def outputs_of(draft: Draft, key: str, declared: tuple[Output, ...]) -> tuple[dict[str, object] | None, Failure | None]:
    """The outputs that are declared for a step (the empty key: for the run), or why a required one cannot be told."""
    values: dict[str, object] = {}
    for output in declared:
        try:
            tree = output.value
            found = typed(draft, key, tree) if isinstance(tree, str) else evaluate(draft, key, tree)
            values[output.id] = converted(output, found)
        except PenstockError as error:
            if output.required:
                return None, failure_of(error)
            values[output.id] = None
    return values, None


def converted(output: Output, value: object) -> object:
    """A declared output's value in its type. Raises InvalidInput."""
    return None if value is None and not output.required else convert(output.type, value, output.id)


def calls_at(now: int, version: str = "1") -> expr.Calls:
    """What a pure expression may call, in a version of the language: the instant of the event."""
    return expr.Calls(now=EPOCH + datetime.timedelta(microseconds=now), version=version)


def failure_of(error: PenstockError) -> Failure:
    """Tell an expression's error as the failure of a step."""
    return Failure(ErrorKind.EXPRESSION, str(error), code=error.code)
