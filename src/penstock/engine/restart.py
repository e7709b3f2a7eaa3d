"""How does an ended run go on? From what did not succeed: those steps are tried again, what succeeded stays."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import leaf
from penstock.engine.begin import wait_for_limit
from penstock.engine.draft import OPEN, Draft
from penstock.engine.groups import branch, counts
from penstock.engine.settle import begin_group, go_on, set_deadline
from penstock.model import ids
from penstock.model.effect import SetTimer
from penstock.model.event import Restart, Timer
from penstock.model.node import ForEach, If, Node, Subflow, Switch, Task
from penstock.model.plan import ROOT
from penstock.model.run import GroupState, Phase, Step
from penstock.model.status import RunStatus, StepStatus

RESTART = "restart"
REPLAY = "replay "
REDO = frozenset({StepStatus.FAILED, StepStatus.KILLED, StepStatus.CANCELLED})


def restart(draft: Draft, event: Restart) -> None:
    """Set an ended run going again; behind its flow's limit it waits for its turn like any other.

    Not while steps of the last going-through still run beside it: their second attempt would be a third one's rival.
    """
    run = draft.run
    if not run.status.ended or run.open or run.status in (RunStatus.SUCCESS, RunStatus.RETRIED):
        return
    draft.run = replace(run, rounds=run.rounds + 1, ended_at=None, outputs=None, failure=None, killed_by="")
    if draft.plan.flow.limit is not None:
        draft.move_run(RunStatus.QUEUED, event.by)
        wait_for_limit(draft, pending=RESTART)
    else:
        reopen_run(draft, by=event.by)


def reopen_run(draft: Draft, from_step: str = "", by: str = "") -> None:
    """Put back what is to be tried again and start it; a replay goes on `from_step`, in errors or finally too."""
    draft.operator = True
    began = from_step or draft.run.root.counts or draft.run.root.result
    draft.move_run(RunStatus.RUNNING, by)
    draft.run = replace(draft.run, started_at=draft.run.started_at or draft.now)
    timeout = draft.plan.flow.timeout
    if timeout is not None:
        draft.emit(SetTimer(ROOT, draft.run.rounds, Timer.RUN_TIMEOUT, draft.now + timeout))
    if not began:
        begin_group(draft, ROOT, draft.plan.flow.body)
        return
    children: dict[str, list[Step]] = {}
    for step in draft.loaded.all_steps():
        children.setdefault(draft.plan.parent_key(step.key), []).append(step)
    lineage = [from_step, *draft.plan.ancestors(from_step)] if from_step else []
    asides = {draft.plan.parent_key(each): each for each in lineage if each and draft.plan.is_aside(each)}
    _reopen(draft, ROOT, children, asides)


def _reopen(draft: Draft, key: str, children: dict[str, list[Step]], asides: dict[str, str]) -> None:
    """Set a group going again: its errors and finally are put back, its bad children tried again, its counts made
    anew. Of `asides` the step is gone on from, and the tasks of its group stay as they ended.
    """
    if key in asides:
        _reopen_aside(draft, key, children, asides)
        return
    node = draft.node(key)
    own = [step for step in children.get(key, []) if not draft.plan.is_aside(step.key)]
    for step in children.get(key, []):
        if draft.plan.is_aside(step.key):
            _put_back(draft, step.key, children)
    state = draft.group(key)
    # What a worker may still say of the last going-through's outputs is no answer to this one's.
    evaluation = state.evaluation + bool(state.evaluation)
    state = replace(state, next=_cursor(draft, key, own), result=None, failure=None, evaluation=evaluation, lost=0)
    _set_going(draft, key, replace(state, phase=Phase.TASKS, counts=_recount(own)))
    if not _has_begun(node, key, state):
        assert not isinstance(node, Task | Subflow)
        begin_group(draft, key, node)
        return
    again = [step for step in own if step.status in REDO]
    for step in again:
        _once_more(draft, step, children, asides)
    if not again:
        go_on(draft, key, draft.group(key))


def _reopen_aside(draft: Draft, key: str, children: dict[str, list[Step]], asides: dict[str, str]) -> None:
    """Go on in the errors or finally of a group whose tasks are over, from the step that is replayed."""
    step = draft.held(asides[key])
    seat = draft.plan.seats[step.node]
    state = replace(draft.group(key), phase=Phase(seat.branch), next=seat.position + 1)
    _set_going(draft, key, replace(state, result=state.result or counts.rollup(state)))
    _once_more(draft, step, children, asides)


def _set_going(draft: Draft, key: str, state: GroupState) -> None:
    if key == ROOT:
        draft.run = replace(draft.run, root=state)
        return
    step = draft.held(key)
    fresh = replace(step, status=StepStatus.RUNNING, group=state, attempt=step.attempt + 1, lost=0, first_at=draft.now)
    draft.put(replace(fresh, ended_at=None, failure=None))
    set_deadline(draft, key, draft.node(key), fresh.attempt)


def _has_begun(node: Node, key: str, state: GroupState) -> bool:
    if ids.iteration_of(key) is not None:
        return True
    match node:
        case If() | Switch():
            return branch.chosen(state.branch)
        case ForEach():
            return state.total is not None
        case _:
            return True


def _put_back(draft: Draft, key: str, children: dict[str, list[Step]]) -> None:
    step = draft.held(key)
    if step.status.ended:
        group = GroupState() if step.group is not None else None
        draft.put(replace(step, status=StepStatus.WAITING, group=group, ended_at=None, failure=None))
    for child in children.get(key, []):
        _put_back(draft, child.key, children)


def _recount(own: list[Step]) -> dict[str, int]:
    found: dict[str, int] = {}
    for step in own:
        if step.status is not StepStatus.WAITING:
            word = OPEN if step.status in REDO or step.status.open else str(step.status)
            found[word] = found.get(word, 0) + 1
    return found


def _cursor(draft: Draft, key: str, own: list[Step]) -> int:
    """The next child to start: after the last one that has begun (a list of tasks is always begun in its order)."""
    if isinstance(draft.node(key), ForEach) and ids.iteration_of(key) is None:
        return 1 + max((ids.iteration_of(step.key) or 0 for step in own), default=-1)
    begun = [draft.plan.seats[step.node].position for step in own if step.status is not StepStatus.WAITING]
    return 1 + max(begun, default=-1)


def _once_more(draft: Draft, step: Step, children: dict[str, list[Step]], asides: dict[str, str]) -> None:
    """Begin a step anew, its condition and deadline included; its attempts go on counting."""
    if step.group is not None:
        _reopen(draft, step.key, children, asides)
        return
    node = draft.node(step.key)
    assert isinstance(node, Task | Subflow)
    leaf.begin(draft, step.key, node)
