"""Which limits must have room before an attempt, or a run, begins? Each under the name by which it is counted."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.evaluate import evaluate, is_pure
from penstock.errors.run import ImpureExpression
from penstock.model import ids
from penstock.model.effect import AskLimit, Want
from penstock.model.node import Task
from penstock.model.plan import ROOT
from penstock.model.policy import Limit
from penstock.model.run import Step

LONGEST_KEY = 100


def of_run(draft: Draft) -> tuple[Want, ...]:
    """What a run of this flow wants before it begins. Raises PenstockError when a key cannot be evaluated."""
    return _wants(draft, ROOT, draft.plan.flow.name, draft.plan.flow.limits)


def ask(draft: Draft, node: Task, step: Step) -> None:
    """Let an attempt wait until its limits have room. Raises PenstockError when a key cannot be evaluated."""
    wants = _wants(draft, step.key, f"{draft.plan.flow.name}/{node.id}", node.limits)
    draft.put(replace(step, waits_for=tuple(want.name for want in wants)))
    draft.emit(AskLimit(wants, step.key, step.attempt))


def _wants(draft: Draft, key: str, scope: str, limits: tuple[Limit, ...]) -> tuple[Want, ...]:
    """A pool goes by its name; any other limit by its own or by where it is written, and by the value of its key."""
    found: dict[str, Want] = {}
    for place, limit in enumerate(limits, start=1):
        if not limit.count:
            name = ids.POOL + limit.name
        else:
            name = limit.name or (scope if place == 1 else f"{scope}#{place}")
            if limit.key:
                name = f"{name}[{_value(draft, key, limit.key)}]"
        found[name] = Want(name, limit)
    return tuple(found.values())


def _value(draft: Draft, key: str, template: str) -> str:
    if not is_pure(template, draft.run):
        raise ImpureExpression(
            f'The key "{template}" of a limit reaches out of the run.',
            hint="Make it of inputs, labels, variables and outputs alone.",
        )
    value = str(evaluate(draft, key, template))
    if len(value) <= LONGEST_KEY:
        return value
    return f"{value[:LONGEST_KEY]}…{hashlib.blake2b(value.encode(), digest_size=6).hexdigest()}"
