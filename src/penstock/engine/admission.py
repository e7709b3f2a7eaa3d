"""What follows from the limits' answer? The run, or the attempt, goes on from where it waited, or ends."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import begin, leaf, restart
from penstock.engine.draft import Draft
from penstock.engine.rule import Rule
from penstock.model.effect import Ready, Release
from penstock.model.event import Admitted, Refused
from penstock.model.policy import WhenFull
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import Outcome, RunStatus, StepStatus


def admitted(draft: Draft, event: Admitted) -> None:
    """There is room: begin, or go on with the restart that waited."""
    if event.step:
        _attempt_admitted(draft, event)
        return
    run = draft.run
    if run.status is not RunStatus.QUEUED:
        return
    draft.rule("", Rule.ADMITTED)
    if run.pending:
        draft.run = replace(run, pending="", reason="")
        restart.go_on_pending(draft, run.pending)
    else:
        begin.go(draft)


def refused(draft: Draft, event: Refused) -> None:
    """There is no room and no wait for it, or there never can be: the run, or the attempt, ends before it ran."""
    who = "task" if event.step else "flow"
    why = event.why or f"The limit of {event.limit} was reached, and the {who} says to {event.when_full}."
    failure = Failure(ErrorKind.LIMIT, why)
    if event.step:
        _attempt_refused(draft, event, failure)
    elif draft.run.status is RunStatus.QUEUED:
        draft.rule("", Rule.REFUSED)
        status = RunStatus.CANCELLED if event.when_full is WhenFull.CANCEL else RunStatus.FAILED
        begin.give_up(draft, status, failure)


def _attempt_admitted(draft: Draft, event: Admitted) -> None:
    step = _waiting(draft, event)
    if step is None:
        draft.rule(event.step, Rule.SLOTS_RETURNED)
        # It was killed, timed out or marked while the answer was on its way: its slots are free again.
        draft.emit(Release(event.step, event.attempt))
    elif draft.stopping(step.key):
        draft.emit(Release(step.key, step.attempt))
        draft.rule(step.key, Rule.STOPPING)
        draft.end(step, draft.stopped_as(step.key))
    elif draft.run.held_by:
        # A paused run keeps no slots from others; it asks again when it goes on.
        draft.emit(Release(step.key, step.attempt))
        draft.rule(step.key, Rule.HELD)
        draft.put(replace(step, waits_for=(), held=True))
    else:
        draft.rule(step.key, Rule.ADMITTED)
        draft.put(replace(step, waits_for=()))
        draft.make_ready(Ready(step.key, step.attempt, worker=draft.worker_of(step.key)))


def _attempt_refused(draft: Draft, event: Refused, failure: Failure) -> None:
    step = _waiting(draft, event)
    if step is None:
        return
    draft.rule(step.key, Rule.REFUSED)
    step = replace(step, waits_for=())
    if event.when_full is WhenFull.CANCEL:
        draft.end(step, StepStatus.CANCELLED, failure)
    else:
        leaf.ended(draft, step, Outcome.FAILED, failure)


def _waiting(draft: Draft, event: Admitted | Refused) -> Step | None:
    """The step whose attempt was answered, as long as that attempt waits."""
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt or step.status is not StepStatus.QUEUED or not step.waits_for:
        return None
    return step
