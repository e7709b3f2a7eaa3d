"""How does a working directory go on? A worker opens a folder, does its tasks one after the other, and closes it.

Opening and closing are attempts of the group's own step. A folder dies with its worker: then the group begins anew.
After a failure it is not closed, since what it would hand on is not whole: its worker sweeps it with the group's end.
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.groups import counts, guard, sequence
from penstock.engine.retry import MOST_LOST_IN_A_ROW
from penstock.engine.rule import Rule
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended
from penstock.model.node import Folder
from penstock.model.run import ErrorKind, Failure, GroupState, Step
from penstock.model.status import Outcome, StepStatus


def begin(draft: Draft, key: str) -> None:
    """Have a worker open the folder."""
    step = replace(draft.held(key), evaluating=True)
    draft.put(step)
    draft.make_ready(Ready(key, step.attempt, Work.OPEN))


def go_on(draft: Draft, key: str, state: GroupState, node: Folder) -> None:
    """Start the next task on the folder's worker; after the last one have the folder closed."""
    nodes = draft.plan.children(node.id, state.branch)
    if counts.open_children(state) or counts.has_bad(state) or state.next < len(nodes):
        sequence.go_on(draft, key, state)
        return
    step = draft.held(key)
    step = replace(step, attempt=step.attempt + 1, evaluating=True, group=replace(state, closing=True))
    draft.rule(key, Rule.FOLDER_CLOSES)
    draft.put(step)
    draft.make_ready(Ready(key, step.attempt, Work.CLOSE, state.worker))


def ended(draft: Draft, step: Step, node: Folder, event: Ended) -> None:
    """Go on when the folder is open, be over when it is closed; an attempt that was lost is one at the whole."""
    draft.put(replace(step, evaluating=False))
    state = draft.group(step.key)
    if event.outcome is Outcome.LOST:
        anew(draft, step.key, event.failure)
    elif event.outcome is not Outcome.DONE:
        guard.fail(draft, step.key, event.failure or Failure(ErrorKind.TASK, "The folder could not be opened."))
    elif state.closing:
        guard.tasks_over(draft, step.key, counts.rollup(state))
    else:
        draft.rule(step.key, Rule.FOLDER_OPEN, event.worker)
        state = replace(state, worker=event.worker)
        draft.set_group(step.key, state)
        go_on(draft, step.key, state, node)


def anew(draft: Draft, key: str, failure: Failure | None) -> None:
    """The folder is gone, and with it what its tasks have made: begin again with another one, but not for ever."""
    step = draft.held(key)
    if step.lost + 1 >= MOST_LOST_IN_A_ROW:
        guard.halt(draft, key, StepStatus.FAILED)
        guard.fail(draft, key, failure or Failure(ErrorKind.LOST, "The folder was lost with its worker too often."))
        return
    draft.rule(key, Rule.FOLDER_ANEW, step.lost + 1, MOST_LOST_IN_A_ROW)
    draft.run = replace(draft.run, redone=draft.run.redone + 1)
    guard.halt(draft, key, StepStatus.CANCELLED)
    for child in draft.loaded.all_steps():
        if key in draft.plan.ancestors(child.key):
            draft.put_back(draft.held(child.key))
    draft.put(replace(step, attempt=step.attempt + 1, lost=step.lost + 1, group=GroupState(), evaluating=False))
    begin(draft, key)
