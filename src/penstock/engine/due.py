"""What follows when a timer rings? The retry or the look for which it was set, or the end of what took too long."""

from __future__ import annotations

from penstock.engine import begin, leaf, sla
from penstock.engine.draft import Draft
from penstock.engine.groups import guard, pause, until
from penstock.engine.rule import Rule
from penstock.model.effect import KillChild, Withdraw
from penstock.model.event import Due, Timer
from penstock.model.node import Node, Pause, Until
from penstock.model.plan import ROOT
from penstock.model.run import ErrorKind, Failure, Phase, Step
from penstock.model.status import RunStatus, StepStatus


def due(draft: Draft, event: Due) -> None:
    """Act on a timer, unless the attempt it was set for no longer counts."""
    over = draft.run.status.ended or draft.run.status is RunStatus.KILLING
    if over and (draft.run.status.ended or draft.run.root.phase is not Phase.AFTER):
        return
    match event.timer:
        case Timer.RETRY | Timer.SNOOZE:
            _try_again(draft, event)
        case Timer.STEP_TIMEOUT:
            step = draft.step(event.step)
            if step is not None and step.status.open:
                _step_too_long(draft, step, draft.node(event.step))
        case Timer.NEXT:
            _next_iteration(draft, event)
        case Timer.PAUSE:
            _pause_over(draft, event)
        case Timer.SLA:
            sla.too_long(draft, event.attempt)
        case Timer.BEGIN:
            begin.begin(draft)
        case Timer.RUN_TIMEOUT:
            if event.attempt == draft.run.rounds and draft.run.root.phase is not Phase.AFTER:
                draft.rule(ROOT, Rule.RUN_TIMEOUT, (draft.plan.flow.timeout or 0) / 1e6)
                guard.halt(draft, ROOT, StepStatus.CANCELLED)
                guard.fail(draft, ROOT, _timeout("run", draft.plan.flow.timeout))


def _try_again(draft: Draft, event: Due) -> None:
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt:
        return
    if draft.orphaned(event.step):
        if step.status.open:
            draft.rule(step.key, Rule.STOPPING)
            draft.end(step, StepStatus.CANCELLED)
    elif step.status is StepStatus.RETRYING and event.timer is Timer.RETRY:
        draft.rule(step.key, Rule.RETRY_DUE)
        leaf.retry_now(draft, step)
    elif step.status is StepStatus.SNOOZED and event.timer is Timer.SNOOZE:
        draft.rule(step.key, Rule.LOOKS_AGAIN)
        leaf.wake(draft, step)


def _next_iteration(draft: Draft, event: Due) -> None:
    step = draft.step(event.step)
    if step is None or step.status is not StepStatus.SNOOZED or step.group is None or step.group.next != event.attempt:
        return
    node = draft.node(event.step)
    assert isinstance(node, Until)
    if draft.orphaned(event.step):
        draft.end(step, StepStatus.CANCELLED)
    else:
        until.iterate(draft, event.step, node)


def _pause_over(draft: Draft, event: Due) -> None:
    step = draft.step(event.step)
    if step is None or step.status is not StepStatus.PAUSED or step.attempt != event.attempt:
        return
    node = draft.node(event.step)
    assert isinstance(node, Pause)
    if draft.orphaned(event.step):
        draft.end(step, StepStatus.CANCELLED)
        return
    status, failure = pause.time_over(draft, step, node)
    draft.end(step, leaf.forgiven(node, status), failure)


def _step_too_long(draft: Draft, step: Step, node: Node) -> None:
    if node.deadline is None or step.first_at is None or draft.now < step.first_at + node.deadline:
        return  # set for an earlier going-through
    failure = _timeout(f'step "{node.id}"', node.deadline)
    draft.rule(step.key, Rule.DEADLINE, node.deadline / 1e6)
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
