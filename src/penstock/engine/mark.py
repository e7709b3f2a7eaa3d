"""What follows when an operator says how a step or a run ended? That it is so, and the run goes on from there."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard
from penstock.engine.restart import Scope, reopen
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.effect import KillChild, Withdraw
from penstock.model.event import Mark
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import RunStatus, StepStatus


def mark(draft: Draft, event: Mark) -> None:
    """Take an operator's word for a run that has ended, or for a step, whether it has begun or not."""
    if not event.step:
        _mark_run(draft, event)
        return
    if ids.part_of(event.step):
        return  # nothing depends on what an attempt reports
    step, run = draft.step(event.step), draft.run
    if step is None or step.status is StepStatus.WAITING:
        if event.status is StepStatus.SKIPPED and event.step not in run.skips:
            draft.run = replace(run, skips=(*run.skips, event.step))
    elif step.status.open:
        if run.status is not RunStatus.KILLING:
            _end_open(draft, step, event)
    elif run.status.ended and not run.open and run.status is not RunStatus.RETRIED:
        _end_anew(draft, step, event)


def _mark_run(draft: Draft, event: Mark) -> None:
    run = draft.run
    if not run.status.ended or run.status is RunStatus.RETRIED or event.status is StepStatus.SKIPPED:
        return
    draft.rule("", Rule.MARKED, event.by or "an operator")
    draft.move_run(RunStatus(event.status.value), event.by)
    draft.run = replace(draft.run, failure=_failure(event))


def _end_open(draft: Draft, step: Step, event: Mark) -> None:
    if step.child:
        draft.emit(KillChild(step.child, event.by))
    elif step.group is None or step.evaluating:
        draft.emit(Withdraw((step.key,)))
    if step.group is not None:
        guard.halt(draft, step.key, StepStatus.CANCELLED)
    draft.rule(step.key, Rule.MARKED, event.by or "an operator")
    draft.operator = False  # an open step ends as any does
    draft.end(draft.held(step.key), event.status, _failure(event))


def _end_anew(draft: Draft, step: Step, event: Mark) -> None:
    """The step had ended otherwise: its groups are opened again and hear of its new end.

    Not those around errors, finally and what comes after the end, since nothing follows from these; and nothing can go
    on behind a step whose working directory is gone.
    """
    if draft.plan.folder_of(step.key):
        return
    if not draft.plan.is_aside(step.key):
        around = draft.plan.parent_key(step.key)
        draft.set_group(around, counts.revised(draft.group(around), step.status, event.status))
    draft.rule(step.key, Rule.MARKED, event.by or "an operator")
    # From now on it is a step that has begun: a dag does not judge it anew as one that it had passed over.
    first = draft.now if step.first_at is None else step.first_at
    draft.put(replace(step, status=event.status, first_at=first, ended_at=draft.now, failure=_failure(event)))
    if not draft.plan.lies_aside(step.key):
        scope = Scope(chosen=frozenset(draft.plan.ancestors(step.key)), settled=step.key)
        reopen(draft, scope, event.by)


def _failure(event: Mark) -> Failure | None:
    if event.status in (StepStatus.SUCCESS, StepStatus.SKIPPED):
        return None
    return Failure(ErrorKind.TASK, event.reason or f"Marked as {event.status} by {event.by or 'an operator'}.")
