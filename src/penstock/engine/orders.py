"""What follows when an attempt is done and orders something of its run? Variables change, or the run ends here.

Orders travel with the attempt's end, so that they count if and only if the attempt does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from penstock.engine import kill, leaf
from penstock.engine.draft import Draft
from penstock.engine.rule import Rule
from penstock.engine.scope import variables_of
from penstock.model.event import Ended, Exit, Kill, Order, SetVariables, UnsetVariables
from penstock.model.plan import ROOT
from penstock.model.run import ErrorKind, Failure, Phase, Step
from penstock.model.status import Outcome, StepStatus


class _Disobeyed(Exception):
    """An order cannot be followed; its text says why."""


def ended(draft: Draft, step: Step, event: Ended) -> None:
    """Take the end of an attempt that has orders; one that cannot be followed fails it, and none of them counts."""
    last = event.orders[-1]
    try:
        variables = _revised(variables_of(draft.plan, draft.run), event.orders)
    except _Disobeyed as error:
        leaf.ended(draft, step, Outcome.FAILED, Failure(ErrorKind.TASK, str(error)))
        return
    if variables is not None and not draft.run.status.ended:
        draft.rule(step.key, Rule.VARIABLES_CHANGED)
        draft.run = replace(draft.run, variables=variables)
    if isinstance(last, Exit) and not draft.stopping(step.key):
        _exit(draft, step, last.status)
    else:
        leaf.ended(draft, step, event.outcome, event.failure)


def _exit(draft: Draft, step: Step, status: StepStatus) -> None:
    """End the step, and let the run follow: as killed with all that is at work, else beside what still runs."""
    draft.rule(ROOT, Rule.EXIT, step.node, status)
    if draft.run.root.phase is Phase.AFTER and draft.plan.is_after(step.key):
        # How the run ends is known and stays; only what is left to do after it is given up.
        draft.run = replace(draft.run, root=replace(draft.run.root, closing=True))
        draft.end(step, status)
    elif status is StepStatus.KILLED:
        draft.end(step, status)
        kill.kill(draft, Kill(step.node))
    else:
        why = None
        if status in (StepStatus.FAILED, StepStatus.CANCELLED):
            why = Failure(ErrorKind.TASK, f'The task "{step.node}" ended the run as {status}.')
        draft.end(step, status, why)
        draft.leaving = step.key


def _revised(variables: Mapping[str, object], orders: Iterable[Order]) -> dict[str, object] | None:
    """The variables after these orders; None when none of them is about variables."""
    revised: dict[str, object] | None = None
    for order in orders:
        now = dict(variables) if revised is None else revised
        match order:
            case SetVariables(values, overwrite):
                there = [] if overwrite else [name for name in values if name in now]
                if there:
                    raise _Disobeyed(f"Without overwrite these variables are there already: {', '.join(there)}.")
                revised = _merged(now, values)
            case UnsetVariables(names, ignore_missing):
                revised = now
                for name in names:
                    revised = _without(revised, name.split("."), name, ignore_missing=ignore_missing)
            case Exit():
                pass
    return revised


def _merged(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged


def _without(old: Mapping[str, object], path: list[str], name: str, *, ignore_missing: bool) -> dict[str, object]:
    left = dict(old)
    if len(path) == 1:
        left.pop(path[0], None)
        return left
    below = left.get(path[0])
    if isinstance(below, Mapping):
        left[path[0]] = _without(below, path[1:], name, ignore_missing=ignore_missing)
    elif not ignore_missing:
        raise _Disobeyed(f'There is no variable "{name}" to remove.')
    return left
