"""How does an ended run go on? From what did not succeed: those steps are tried again, what succeeded stays."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import leaf
from penstock.engine.begin import wait_for_limit
from penstock.engine.draft import OPEN, Draft
from penstock.engine.groups import branch
from penstock.engine.settle import begin_group, go_on
from penstock.model import ids
from penstock.model.effect import SetTimer
from penstock.model.event import Restart, Timer
from penstock.model.node import ForEach, If, Node, Subflow, Switch, Task
from penstock.model.plan import ROOT
from penstock.model.run import GroupState, Step
from penstock.model.status import RunStatus, StepStatus

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
        draft.move_run(RunStatus.QUEUED)
        wait_for_limit(draft, pending="restart")
    else:
        reopen_run(draft)


def reopen_run(draft: Draft) -> None:
    """Put back what is to be tried again and start it."""
    draft.operator = True
    began = draft.run.root.counts or draft.run.root.result
    draft.move_run(RunStatus.RUNNING)
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
    reopen(draft, ROOT, children)


def reopen(draft: Draft, key: str, children: dict[str, list[Step]]) -> None:
    """Set a group going again: its errors and finally are put back, its bad children tried again, its counts made
    anew.
    """
    node = draft.node(key)
    own = [step for step in children.get(key, []) if not draft.plan.is_aside(step.key)]
    for step in children.get(key, []):
        if draft.plan.is_aside(step.key):
            _put_back(draft, step.key, children)
    state = draft.group(key)
    state = replace(state, next=_cursor(draft, key, state, own), result=None, failure=None, evaluation=state.evaluation)
    state = replace(state, phase=GroupState().phase, counts=_recount(own))
    if key != ROOT:
        step = draft.held(key)
        fresh = replace(step, status=StepStatus.RUNNING, group=state, attempt=step.attempt + 1, first_at=draft.now)
        draft.put(replace(fresh, ended_at=None, failure=None))
    else:
        draft.run = replace(draft.run, root=state)
    if not _has_begun(node, key, state):
        assert not isinstance(node, Task | Subflow)
        begin_group(draft, key, node)
        return
    again = [step for step in own if step.status in REDO]
    for step in again:
        if step.group is not None:
            reopen(draft, step.key, children)
        else:
            leaf.again(draft, draft.node(step.key), _once_more(step, draft.now))
    if not again:
        go_on(draft, key, draft.group(key))


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
        draft.put(replace(step, status=StepStatus.WAITING, ended_at=None, failure=None))
    for child in children.get(key, []):
        _put_back(draft, child.key, children)


def _recount(own: list[Step]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for step in own:
        if step.status is not StepStatus.WAITING:
            word = OPEN if step.status in REDO or step.status.open else str(step.status)
            counts[word] = counts.get(word, 0) + 1
    return counts


def _cursor(draft: Draft, key: str, state: GroupState, own: list[Step]) -> int:
    """The next child to start: after the last one that has begun (a list of tasks is always begun in its order)."""
    if isinstance(draft.node(key), ForEach) and ids.iteration_of(key) is None:
        return 1 + max((ids.iteration_of(step.key) or 0 for step in own), default=-1)
    begun = [draft.plan.seats[step.node].position for step in own if step.status is not StepStatus.WAITING]
    return 1 + max(begun, default=-1)


def _once_more(step: Step, now: int) -> Step:
    return replace(
        step, attempt=step.attempt + 1, tries=1, lost=0, queued_at=now, first_at=now, started_at=None, ended_at=None,
        failure=None, child="",
    )  # fmt: skip
