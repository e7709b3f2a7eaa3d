"""What follows when an attempt tells of its parts? Each is shown as a step of its own; nothing else depends on it."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft, is_at_work
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.event import Part, Reported
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import StepStatus


def reported(draft: Draft, event: Reported) -> None:
    """Take what the newest attempt of a step says of its parts; with an attempt that has ended, they have ended too."""
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt:
        return
    if not step.reports:
        draft.put(replace(step, reports=True))
    for part in event.parts:
        over = part.status.open and not is_at_work(step)
        draft.rule(ids.part_key(step.key, part.name), Rule.REPORTED)
        draft.put_part(_as_step(step, replace(part, status=StepStatus.CANCELLED) if over else part))


def _as_step(step: Step, part: Part) -> Step:
    failed = part.status is StepStatus.FAILED
    return Step(
        key=ids.part_key(step.key, part.name),
        node=step.node,
        status=part.status,
        attempt=step.attempt,
        tries=1,
        queued_at=step.queued_at,
        started_at=part.started_at,
        ended_at=part.ended_at,
        failure=Failure(ErrorKind.TASK, part.message) if failed or part.message else None,
    )
