"""May a decision evaluate this expression itself, and to what? Pure ones only; the rest is a worker's work."""

from __future__ import annotations

import datetime

from penstock import expr
from penstock.engine.draft import Draft
from penstock.engine.scope import plain, scope_of
from penstock.errors import PenstockError
from penstock.model.run import ErrorKind, Failure

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def is_pure(tree: object) -> bool:
    """Does nothing in this tree of templates reach out of the run's data?"""
    match tree:
        case str():
            if "{" not in tree:
                return True
            template = expr.compile(tree)
            return template.pure and not any(path[0] == "envs" for path in template.uses.paths)
        case dict():
            return all(is_pure(key) and is_pure(value) for key, value in tree.items())
        case list() | tuple():
            return all(is_pure(item) for item in tree)
        case _:
            return True


def evaluate(draft: Draft, key: str, tree: object) -> object:
    """Render a tree of pure templates in the scope of a step; the event's time is their `now`. Raises PenstockError."""
    if isinstance(tree, str) and "{" not in tree:
        return tree
    return plain(expr.render(tree, scope_of(draft, key), calls_at(draft.now)))


def typed(draft: Draft, key: str, text: str) -> object:
    """Evaluate one template and keep the type of what it prints. Raises PenstockError."""
    return plain(expr.compile(text).value(scope_of(draft, key), calls_at(draft.now)))


def calls_at(now: int) -> expr.Calls:
    """What a pure expression may call: the instant of the event."""
    return expr.Calls(now=EPOCH + datetime.timedelta(microseconds=now))


def failure_of(error: PenstockError) -> Failure:
    """Tell an expression's error as the failure of a step."""
    return Failure(ErrorKind.EXPRESSION, str(error), code=error.code)
