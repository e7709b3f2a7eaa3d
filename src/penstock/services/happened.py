"""What happened, in a sentence? One for each kind of event; a kind without one does not type-check."""

from __future__ import annotations

from penstock.model.event import (
    Admitted,
    Begin,
    ChildEnded,
    Due,
    Ended,
    Evaluated,
    Event,
    Exit,
    Expand,
    Fault,
    Held,
    Hold,
    Kill,
    Mark,
    Order,
    Refused,
    Replayed,
    Reported,
    Restart,
    Resume,
    SetVariables,
    Timer,
    UnsetVariables,
)
from penstock.model.status import Outcome

SOMEBODY = "somebody"


def happened(event: Event) -> str:
    """Tell an event to people."""
    match event:
        case Begin(by=by, notes=notes):
            return " · ".join((f"begun by {by or SOMEBODY}", *notes))
        case Replayed(by=by, of=old, from_step=step, steps=steps):
            return f'begun by {by or SOMEBODY} as a replay of {old} from "{step}", with {len(steps)} steps kept'
        case Admitted():
            return f"{_whose(event.step, event.attempt)} is let in by {event.limit}"
        case Refused():
            return f"{_whose(event.step, event.attempt)} is not let in by {event.limit}"
        case Ended():
            return " and ".join((f"{_whose(event.step, event.attempt)} {_ended(event)}", *map(_ordered, event.orders)))
        case Evaluated(step=step, attempt=attempt, failure=failure):
            found = f"could not evaluate what it asked for: {failure.message}" if failure else "has its values"
            return f"{_whose(step, attempt)} {found}"
        case ChildEnded(step=step, attempt=attempt, run=run, status=status, failure=failure):
            why = f": {failure.message}" if failure else ""
            return f"the run {run} of {_whose(step, attempt)} is {status}{why}"
        case Due(step=step, attempt=attempt, timer=timer):
            return _rang(step, attempt, timer)
        case Expand(step=step, attempt=attempt):
            return f'"{step}" goes on from number {attempt}'
        case Kill(by=by, force=force):
            return f"killed by {by or SOMEBODY}{', by force' if force else ''}"
        case Restart(by=by, parts=parts):
            return f"restarted by {by or SOMEBODY}{f' for {len(parts)} reported steps' if parts else ''}"
        case Hold(by=by):
            return f"paused by {by or SOMEBODY}"
        case Held(step=step, attempt=attempt):
            return f"{_whose(step, attempt)} is taken back, since the run is paused"
        case Resume(by=by, step=step):
            return f"{_whose(step, 0)} is let go on by {by or SOMEBODY}"
        case Mark(by=by, step=step, status=status, reason=reason):
            return f"{_whose(step, 0)} is marked as {status} by {by or SOMEBODY}{f': {reason}' if reason else ''}"
        case Reported(step=step, attempt=attempt, parts=parts):
            return f"{_whose(step, attempt)} tells of {len(parts)} of its parts"
        case Fault(failure=failure):
            return f"what happened could not be decided: {failure.message}"


def _ended(event: Ended) -> str:
    where = f" on {event.worker}" if event.worker else ""
    why = f": {event.failure.message}" if event.failure else ""
    match event.outcome:
        case Outcome.DONE:
            return f"is done{where}"
        case Outcome.WARNING:
            return f"is done with a warning{where}{why}"
        case Outcome.FAILED:
            return f"failed{where}{why}"
        case Outcome.SKIPPED:
            return f"found nothing to do{where}"
        case Outcome.SNOOZED:
            return f"wants to look again later{where}"
        case Outcome.KILLED:
            return f"was ended{where}"
        case Outcome.LOST:
            return f"was lost{where}{why}"


def _ordered(order: Order) -> str:
    match order:
        case SetVariables(values):
            return f"sets the variables {', '.join(values)}"
        case UnsetVariables(names):
            return f"removes the variables {', '.join(names)}"
        case Exit(status):
            return f"ends the run as {status}"


def _rang(step: str, attempt: int, timer: Timer) -> str:
    whose = _whose(step, attempt if timer in (Timer.RETRY, Timer.SNOOZE, Timer.PAUSE) else 0)
    match timer:
        case Timer.RETRY:
            return f"the wait for a retry after {whose} is over"
        case Timer.SNOOZE:
            return f"the time to look again after {whose} has come"
        case Timer.STEP_TIMEOUT:
            return f"the deadline of {whose} is over"
        case Timer.RUN_TIMEOUT:
            return "the timeout of the run is over"
        case Timer.NEXT:
            return f"the interval before the next iteration of {whose} is over"
        case Timer.PAUSE:
            return f"the time of {whose} is over"
        case Timer.SLA:
            return "the time of a service level is over"
        case Timer.BEGIN:
            return "the time to begin has come"


def _whose(step: str, attempt: int) -> str:
    if not step:
        return "the evaluation of the run's outputs" if attempt else "the run"
    return f'attempt {attempt} of "{step}"' if attempt else f'"{step}"'
