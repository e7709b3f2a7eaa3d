"""How does a run begin? At once, or, when its flow has a limit, once the limit lets it in."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import sla, wants
from penstock.engine.draft import Draft
from penstock.engine.evaluate import failure_of
from penstock.engine.finish import tell_parent
from penstock.engine.rule import Rule
from penstock.engine.settle import begin_group
from penstock.errors import PenstockError
from penstock.model.effect import AskLimit, SetTimer, Want
from penstock.model.event import Timer
from penstock.model.plan import ROOT
from penstock.model.run import Failure
from penstock.model.status import RunStatus


def begin(draft: Draft, failure: Failure | None = None) -> None:
    """Start a run that was only queued, or end it where a check has failed it; said twice it is started once."""
    run = draft.run
    if run.status is not RunStatus.QUEUED or run.history:
        return
    draft.move_run(RunStatus.QUEUED, run.started_by)
    if failure is not None:
        draft.rule(ROOT, Rule.CHECK_UNMET)
        give_up(draft, RunStatus.FAILED, failure)
    elif not draft.plan.flow.limits:
        go(draft)
    else:
        wait_for_limit(draft, pending="")


def wait_for_limit(draft: Draft, *, pending: str) -> None:
    """Leave the run queued, with its reason, until the flow's limits let it in."""
    try:
        asked = wants.of_run(draft)
    except PenstockError as error:
        give_up(draft, RunStatus.FAILED, failure_of(error))
        return
    reason = " and ".join(_reason(want) for want in asked)
    draft.run = replace(draft.run, reason=f"waits for {reason}", pending=pending)
    draft.rule(ROOT, Rule.WAITS_FOR_LIMIT, draft.run.reason)
    draft.emit(AskLimit(asked))


def _reason(want: Want) -> str:
    limit = want.limit
    if not limit.count:
        return f"{limit.weight} slots of the pool {limit.name}"
    if limit.window is not None:
        return f"the limit of {limit.count} starts in {limit.window / 1e6:g} s of {want.name}"
    return f"the limit of {limit.count} runs at once of {want.name}"


def give_up(draft: Draft, status: RunStatus, failure: Failure) -> None:
    """End a run that was only queued, before anything of it ran."""
    draft.move_run(status)
    draft.run = replace(draft.run, ended_at=draft.now, reason="", pending="", failure=failure)
    tell_parent(draft, None)


def go(draft: Draft) -> None:
    """Set the run going from its root group."""
    draft.rule(ROOT, Rule.BEGINS)
    draft.move_run(RunStatus.RUNNING)
    draft.run = replace(draft.run, started_at=draft.now, reason="")
    flow = draft.plan.flow
    sla.watch(draft)
    if flow.timeout is not None:
        draft.emit(SetTimer(ROOT, draft.run.rounds, Timer.RUN_TIMEOUT, draft.now + flow.timeout))
    begin_group(draft, ROOT, flow.body)
