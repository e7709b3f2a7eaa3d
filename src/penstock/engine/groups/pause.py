"""How does a pause begin, and what ends it? A timer or somebody's word; no attempt of a worker, no process."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.around import status_word
from penstock.engine.draft import Draft
from penstock.engine.evaluate import evaluate, failure_of
from penstock.engine.rule import Rule
from penstock.engine.scope import instant
from penstock.engine.values import span_micros
from penstock.errors import PenstockError
from penstock.errors.run import InvalidInput
from penstock.model.effect import Produce, SetTimer
from penstock.model.event import Resume, Timer
from penstock.model.node import Pause, PauseEnd
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import StepStatus


def begin(draft: Draft, node: Pause, step: Step, values: dict[str, object] | None) -> None:
    """Let the step wait; `values` are what a worker evaluated."""
    draft.put(step)
    try:
        delay = micros(node, values["delay"] if values else evaluate(draft, step.key, node.delay))
    except PenstockError as error:
        draft.rule(step.key, Rule.CANNOT_RENDER)
        draft.end(step, StepStatus.FAILED, failure_of(error))
        return
    draft.rule(step.key, Rule.PAUSES)
    at = None if delay is None else draft.now + delay
    draft.put(replace(step, status=StepStatus.PAUSED, started_at=draft.now, due_at=at))
    if at is not None:
        draft.emit(SetTimer(step.key, step.attempt, Timer.PAUSE, at))


def resume(draft: Draft, step: Step, event: Resume) -> None:
    """Somebody lets it go on."""
    draft.rule(step.key, Rule.RESUMED, event.by or "somebody")
    _produce(draft, step, StepStatus.SUCCESS, event)
    draft.end(step, StepStatus.SUCCESS)


def time_over(draft: Draft, step: Step, node: Pause) -> tuple[StepStatus, Failure | None]:
    """What its time being over makes of a pause; its outputs are made, its end is the caller's."""
    draft.rule(step.key, Rule.PAUSE_OVER)
    status, failure = _late(node)
    _produce(draft, step, status)
    return status, failure


def _late(node: Pause) -> tuple[StepStatus, Failure | None]:
    late = Failure(ErrorKind.TIMEOUT, f'Nobody resumed "{node.id}" in time.')
    match node.at_end:
        case PauseEnd.RESUME:
            return StepStatus.SUCCESS, None
        case PauseEnd.WARN:
            return StepStatus.WARNING, late
        case PauseEnd.FAIL:
            return StepStatus.FAILED, late
        case PauseEnd.CANCEL:
            return StepStatus.CANCELLED, late


def micros(node: Pause, delay: object) -> int | None:
    """Microseconds of a pause's delay, as written or rendered; none for one without end. Raises InvalidInput."""
    if delay in ("", None):
        return None
    try:
        return delay if isinstance(delay, int) else span_micros(str(delay))
    except ValueError:
        raise InvalidInput(f'The delay of "{node.id}" is "{delay}", which is no duration such as PT5M.') from None


def outline(node: Pause) -> dict[str, object]:
    """The properties to evaluate, by name."""
    return {"delay": node.delay}


def _produce(draft: Draft, step: Step, status: StepStatus, event: Resume | None = None) -> None:
    """Hand on with what somebody let it go on, who and when; of one whose time is over, when and to what."""
    by: dict[str, object] = {"by": event.by} if event and event.by else {}
    resumed = {**by, "on": instant(draft.now), "to": status_word(draft.plan, status)}
    given: dict[str, object] = {"onResume": event.inputs} if event else {}
    draft.emit(Produce(step.key, step.attempt, {**given, "resumed": resumed}))
