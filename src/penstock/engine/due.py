"""What follows when a timer rings? The retry or the look for which it was set, or the end of what took too long."""

from __future__ import annotations

from penstock.engine import leaf
from penstock.engine.draft import Draft
from penstock.engine.groups import guard
from penstock.model.effect import KillChild, Withdraw
from penstock.model.event import Due, Timer
from penstock.model.node import Node
from penstock.model.plan import ROOT
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import RunStatus, StepStatus


def due(draft: Draft, event: Due) -> None:
    """Act on a timer, unless the attempt it was set for no longer counts."""
    if draft.run.status.ended or draft.run.status is RunStatus.KILLING:
        return
    match event.timer:
        case Timer.RETRY | Timer.SNOOZE:
            _try_again(draft, event)
        case Timer.STEP_TIMEOUT:
            step = draft.step(event.step)
            if step is not None and step.status.open:
                _step_too_long(draft, step, draft.node(event.step))
        case Timer.RUN_TIMEOUT:
            if event.attempt == draft.run.rounds:
                guard.halt(draft, ROOT, StepStatus.CANCELLED)
                guard.fail(draft, ROOT, _timeout("run", draft.plan.flow.timeout))


def _try_again(draft: Draft, event: Due) -> None:
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt:
        return
    if draft.orphaned(event.step):
        if step.status.open:
            draft.end(step, StepStatus.CANCELLED)
    elif step.status is StepStatus.RETRYING and event.timer is Timer.RETRY:
        leaf.retry_now(draft, step)
    elif step.status is StepStatus.SNOOZED and event.timer is Timer.SNOOZE:
        leaf.wake(draft, step)


def _step_too_long(draft: Draft, step: Step, node: Node) -> None:
    if node.deadline is None or step.first_at is None or draft.now < step.first_at + node.deadline:
        return  # set for an earlier going-through
    failure = _timeout(f'step "{node.id}"', node.deadline)
    if step.group is not None:
        guard.halt(draft, step.key, StepStatus.CANCELLED)
        guard.fail(draft, step.key, failure)
        return
    if step.child:
        draft.emit(KillChild(step.child, "penstock"))
    else:
        draft.emit(Withdraw((step.key,)))
    draft.end(step, leaf.forgiven(node, StepStatus.FAILED), failure)


def _timeout(what: str, micros: int | None) -> Failure:
    return Failure(ErrorKind.TIMEOUT, f"The {what} took longer than {(micros or 0) / 1e6:g} s.")
