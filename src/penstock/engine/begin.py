"""How does a run begin? At once, or, when its flow has a limit, once the limit lets it in."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import sla
from penstock.engine.draft import Draft
from penstock.engine.settle import begin_group
from penstock.model.effect import AskLimit, SetTimer
from penstock.model.event import Timer
from penstock.model.plan import ROOT
from penstock.model.status import RunStatus


def begin(draft: Draft) -> None:
    """Start a run that was only queued; said twice it is started once."""
    run = draft.run
    if run.status is not RunStatus.QUEUED or run.reason or run.history:
        return
    limit = draft.plan.flow.limit
    draft.move_run(RunStatus.QUEUED, run.started_by)
    if limit is None:
        go(draft)
    else:
        wait_for_limit(draft, pending="")


def wait_for_limit(draft: Draft, *, pending: str) -> None:
    """Leave the run queued, with its reason, until the flow's limit lets it in."""
    flow = draft.plan.flow
    assert flow.limit is not None
    reason = f"waits for the limit of {flow.limit.count} runs at once of {flow.name}"
    draft.run = replace(draft.run, reason=reason, pending=pending)
    draft.emit(AskLimit(flow.name, flow.limit))


def go(draft: Draft) -> None:
    """Set the run going from its root group."""
    draft.move_run(RunStatus.RUNNING)
    draft.run = replace(draft.run, started_at=draft.now, reason="")
    flow = draft.plan.flow
    sla.watch(draft)
    if flow.timeout is not None:
        draft.emit(SetTimer(ROOT, draft.run.rounds, Timer.RUN_TIMEOUT, draft.now + flow.timeout))
    begin_group(draft, ROOT, flow.body)
