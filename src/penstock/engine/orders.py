"""What follows when an attempt is done and orders something of its run? Variables change, or the run ends here.

Orders travel with the attempt's end, so that they count if and only if the attempt does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from penstock.engine import kill, leaf
from penstock.engine.draft import Draft
from penstock.engine.groups import guard
from penstock.engine.rule import Rule
from penstock.engine.scope import homes, variables_at
from penstock.model.event import Ended, Exit, Kill, Order, SetVariables, UnsetVariables
from penstock.model.plan import ROOT
from penstock.model.run import ErrorKind, Failure, Phase, Step
from penstock.model.status import Outcome, StepStatus


class _Disobeyed(Exception):
    """An order cannot be followed; its text says why."""


def ended(draft: Draft, step: Step, event: Ended) -> None:
    """Take the end of an attempt that has orders: all about variables, in turn, and the last that says how the run
    ends. One that cannot be followed fails the attempt, and none of them counts.
    """
    home = next(iter(homes(draft.plan, step.key)), ROOT)
    exits = [order for order in event.orders if isinstance(order, Exit)]
    strict = draft.plan.flow.language.version == "2"
    try:
        variables = _revised(variables_at(draft, step.key), event.orders, strict=strict)
    except _Disobeyed as error:
        leaf.ended(draft, step, Outcome.FAILED, Failure(ErrorKind.TASK, str(error)))
        return
    if variables is not None and not draft.is_over(home):
        draft.rule(step.key, Rule.VARIABLES_CHANGED)
        if home == ROOT:
            draft.run = replace(draft.run, variables=variables)
        else:
            draft.put(replace(draft.held(home), variables=variables))
    if exits and not draft.stopping(step.key):
        _exit(draft, step, exits[-1].status, home)
    else:
        leaf.ended(draft, step, event.outcome, event.failure)


def _exit(draft: Draft, step: Step, status: StepStatus, home: str) -> None:
    """End the step, and let the run (the iteration that keeps to itself) follow: as killed with all that is at work,
    else beside what still runs.
    """
    draft.rule(home, Rule.EXIT, step.node, status)
    if home != ROOT:
        draft.end(step, status, _why(step, status))
        if status is StepStatus.KILLED:
            guard.halt(draft, home, status)
        draft.leaving = step.key
    elif draft.run.root.phase is Phase.AFTER and draft.plan.is_after(step.key):
        # How the run ends is known and stays; only what is left to do after it is given up.
        draft.run = replace(draft.run, root=replace(draft.run.root, closing=True))
        draft.end(step, status)
    elif status is StepStatus.KILLED:
        draft.end(step, status)
        kill.kill(draft, Kill(step.node))
    else:
        draft.end(step, status, _why(step, status))
        draft.leaving = step.key


def _why(step: Step, status: StepStatus) -> Failure | None:
    if status in (StepStatus.SUCCESS, StepStatus.WARNING):
        return None
    return Failure(ErrorKind.TASK, f'The task "{step.node}" ended the run as {status}.')


def _revised(variables: Mapping[str, object], orders: Iterable[Order], *, strict: bool) -> dict[str, object] | None:
    """The variables after these orders; None when none of them is about variables. If not `strict`, as in the language
    before version 2, removing `a.b` where `a` holds no `b` is no failure, and removing it where there is no map `a` is.
    """
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
                    try:
                        revised = _without(revised, name.split("."), must=not ignore_missing, strict=strict)
                    except KeyError:
                        raise _Disobeyed(f'There is no variable "{name}" to remove.') from None
            case Exit():
                pass
    return revised


def _merged(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """Maps merged into maps; a list takes in what it lacks; nothing leaves what was there."""
    merged = dict(old)
    for name, value in new.items():
        match merged.get(name), value:
            case _, None:
                pass
            case Mapping() as before, Mapping() as after:
                merged[name] = _merged(before, after)
            case list() as before, list() as after:
                merged[name] = [*before, *(each for each in after if each not in before)]
            case _:
                merged[name] = value
    return merged


def _without(old: Mapping[str, object], path: list[str], *, must: bool, strict: bool) -> dict[str, object]:
    """Variables without what a path leads to. Raises KeyError when it leads nowhere and must not."""
    left = dict(old)
    first, rest = path[0], path[1:]
    below = left.get(first)
    if not rest:
        if must and strict and first not in left:
            raise KeyError(first)
        left.pop(first, None)
    elif isinstance(below, Mapping):
        left[first] = _without(below, rest, must=must, strict=strict)
    elif must:
        raise KeyError(first)
    return left
