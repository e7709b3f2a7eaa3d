"""What does a run become when something has happened to it? One entry for every kind of event; pure."""

from __future__ import annotations

from penstock.engine import admission, begin, due, ended, evaluated, kill, restart
from penstock.engine.decision import Decision
from penstock.engine.draft import Draft
from penstock.engine.loaded import Loaded
from penstock.engine.settle import go_on, settle
from penstock.model.event import (
    Admitted,
    Begin,
    ChildEnded,
    Due,
    Ended,
    Evaluated,
    Event,
    Expand,
    Kill,
    Refused,
    Restart,
)
from penstock.model.run import Phase


def advance(loaded: Loaded, event: Event, now: int) -> Decision:
    """Decide what follows from `event`, which happened at `now` (microseconds). Raises NotLoaded when it needs more."""
    draft = Draft(loaded, now, operator=isinstance(event, Restart) or bool(loaded.run.pending))
    match event:
        case Begin():
            begin.begin(draft)
        case Admitted():
            admission.admitted(draft, event)
        case Refused():
            admission.refused(draft, event)
        case Ended():
            ended.ended(draft, event)
        case Evaluated():
            evaluated.evaluated(draft, event)
        case ChildEnded():
            ended.child_ended(draft, event)
        case Due():
            due.due(draft, event)
        case Expand():
            expand(draft, event)
        case Kill():
            kill.kill(draft, event)
        case Restart():
            restart.restart(draft, event)
    settle(draft)
    return draft.close()


def expand(draft: Draft, event: Expand) -> None:
    """Start further values of a loop, unless somebody else has by now."""
    step = draft.step(event.step)
    if step is None or not step.status.open or step.group is None or step.group.next != event.attempt:
        return
    if step.group.phase is Phase.TASKS and not draft.stopping(event.step):
        go_on(draft, event.step, step.group)
