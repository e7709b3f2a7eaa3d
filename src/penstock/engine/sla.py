"""What follows when a run misses a service level? Labels, and as the level says: nothing more, a failure, an end."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine.draft import Draft
from penstock.engine.evaluate import evaluate, is_pure
from penstock.engine.groups import guard
from penstock.engine.rule import Rule
from penstock.errors import PenstockError
from penstock.model.effect import SetTimer
from penstock.model.event import Timer
from penstock.model.plan import ROOT
from penstock.model.policy import Breach, Sla
from penstock.model.run import ErrorKind, Failure, Phase
from penstock.model.status import RunStatus, StepStatus


def watch(draft: Draft) -> None:
    """Have a timer ring for every level that bounds the time of a run, from its creation on."""
    for place, level in enumerate(draft.plan.flow.sla):
        if level.duration is not None:
            draft.emit(SetTimer(ROOT, place, Timer.SLA, draft.run.created_at + level.duration))


def too_long(draft: Draft, place: int) -> None:
    """The time of a level is over and the run has not ended."""
    level = draft.plan.flow.sla[place]
    _missed(draft, level, f'Service level "{level.id}": the run took longer than {(level.duration or 0) / 1e6:g} s.')


def check(draft: Draft) -> None:
    """Look at the levels that say what must be true whatever happens; one that cannot be rendered is kept.

    As in Kestra, where several are missed only the first one acts, and the others not as long as it is missed.
    """
    for level in draft.plan.flow.sla:
        if level.condition and _is_false(draft, level):
            _missed(draft, level, f'Service level "{level.id}": it is not true any more that {level.condition}.')
            return


def _is_false(draft: Draft, level: Sla) -> bool:
    if not is_pure(level.condition, draft.run):
        return False
    try:
        return not expr.truthy(evaluate(draft, ROOT, level.condition))
    except PenstockError:
        return False


def _missed(draft: Draft, level: Sla, why: str) -> None:
    run = draft.run
    if level.id in run.breached or run.status.ended or run.status in (RunStatus.KILLING, RunStatus.QUEUED):
        return
    # one that only labels must not keep a stricter one, whose time comes later, from ending the run
    acted = any(each.id in run.breached and each.breach is not Breach.LABEL for each in draft.plan.flow.sla)
    draft.rule(ROOT, Rule.SERVICE_LEVEL, level.id)
    draft.run = replace(run, breached=(*run.breached, level.id), labels=run.labels | level.labels)
    if level.breach is Breach.LABEL or acted or run.root.phase is Phase.AFTER:
        return
    failure = Failure(ErrorKind.TIMEOUT if level.duration is not None else ErrorKind.LIMIT, why)
    guard.halt(draft, ROOT, StepStatus.CANCELLED)
    guard.fail(draft, ROOT, failure, StepStatus.FAILED if level.breach is Breach.FAIL else StepStatus.CANCELLED)
