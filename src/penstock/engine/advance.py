"""What does a run become when something has happened to it? One entry for every kind of event; pure."""

from __future__ import annotations

from penstock.engine import admission, begin, due, ended, evaluated, hold, kill, mark, replay, reported, restart, sla
from penstock.engine.decision import Decision
from penstock.engine.draft import Draft
from penstock.engine.fault import give_up
from penstock.engine.groups import guard, until
from penstock.engine.loaded import Loaded
from penstock.engine.rule import Rule
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
    Fault,
    Held,
    Hold,
    Kill,
    Mark,
    Refused,
    Replayed,
    Reported,
    Restart,
    Resume,
    about,
)
from penstock.model.node import Until
from penstock.model.run import Phase


def advance(loaded: Loaded, event: Event, now: int) -> Decision:
    """Decide what follows from `event`, which happened at `now` (microseconds). Raises NotLoaded when it needs more."""
    if isinstance(event, Fault):
        return give_up(loaded, event.failure, now)
    draft = Draft(loaded, now, operator=isinstance(event, Restart | Replayed | Mark) or bool(loaded.run.pending))
    match event:
        case Begin(failure=failure):
            begin.begin(draft, failure)
        case Replayed():
            replay.replayed(draft, event)
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
        case Hold():
            hold.hold(draft, event)
        case Held():
            hold.held(draft, event)
        case Resume():
            hold.resume(draft, event)
        case Mark():
            mark.mark(draft, event)
        case Reported():
            reported.reported(draft, event)
    rest(draft)
    if draft.is_empty:
        draft.rule(about(event)[0], Rule.LATE)
    if draft.plan.flow.sla:
        sla.check(draft)
        rest(draft)
    return draft.close()


def rest(draft: Draft) -> None:
    """Work off all that follows, groups included whose turn comes to go on from what a restart left of them."""
    settle(draft)
    while draft.reopening:
        restart.reopen_half_done(draft, draft.reopening.popleft())
        settle(draft)


def expand(draft: Draft, event: Expand) -> None:
    """Start further children of a wide group, or a loop's next iteration, unless somebody else has by now."""
    step = draft.step(event.step)
    if step is None or not step.status.open or step.group is None or step.group.next != event.attempt:
        return
    if step.group.phase is not Phase.TASKS or step.group.result is not None:
        return
    node = draft.node(event.step)
    if draft.stopping(event.step):
        if isinstance(node, Until):
            guard.tasks_over(draft, event.step, draft.stopped_as(event.step))
    elif isinstance(node, Until):
        until.iterate(draft, event.step, node)
    else:
        go_on(draft, event.step, step.group)
