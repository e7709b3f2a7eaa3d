"""Does each policy keep its promise from one look to the next? Waits, deadlines, room in a group, errors, finally."""

from __future__ import annotations

from penstock.engine.groups import counts
from penstock.engine.retry import MOST_LOST_IN_A_ROW
from penstock.model import ids
from penstock.model.node import Dag, Folder, ForEach, Parallel, Task
from penstock.model.plan import ERRORS, FINALLY, Plan
from penstock.model.run import ErrorKind, GroupState, Phase, Run, Step
from penstock.model.status import RunStatus, StepStatus

WAITING = (StepStatus.RETRYING, StepStatus.SNOOZED)
WENT_THROUGH = (StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.FAILED)


class Promises:
    """How each run stood when it was last looked at; opens with the watcher, checks one run at a time."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[Run, dict[str, Step]]] = {}

    def look(self, plan: Plan, run: Run, rows: list[Step], marked: set[str]) -> None:
        """Compare a run with how it stood before; how those that are `marked` have ended an operator has said."""
        steps = {step.key: step for step in rows}
        was_run, was = self._runs.get(run.id, (run, {}))
        self._runs[run.id] = run, steps
        assert run.outputs is None or run.status.ended or run.root.phase is Phase.AFTER, f"{run.id} shows old outputs"
        for step in rows:
            before = was.get(step.key)
            _tried_as_allowed(plan, step)
            if "#" in step.key or before is step:
                continue
            if before is not None:
                _not_too_soon(step, before)
            over = step.status.ended and (before is None or before.status is not step.status)
            if over and (step.group is None or not run.rounds):
                _took_too_long(plan, step)
            if step.group is not None and ids.iteration_of(step.key) is None:
                _has_room(plan, run, step.key, step.group)
                if before is not None and before.status.open and step.key not in marked:
                    _went_through(plan, run, step, was_run, was, steps)


def _tried_as_allowed(plan: Plan, step: Step) -> None:
    node = plan.node(step.node)
    assert step.lost < MOST_LOST_IN_A_ROW, f"{step.key} was lost {step.lost} times, and tried again"
    if isinstance(node, Task) and node.retry is not None and node.retry.max_attempts is not None:
        assert step.tries <= node.retry.max_attempts, f"{step.key} was tried {step.tries} times"


def _not_too_soon(step: Step, before: Step) -> None:
    """What waits for its time begins then, and not before."""
    if before.status in WAITING and step.status is StepStatus.QUEUED and step.attempt == before.attempt + 1:
        assert before.due_at is not None and step.queued_at is not None
        early = before.due_at - step.queued_at
        assert early <= 0, f"{step.key} begins {early / 1e6:g} s before its time"


def _took_too_long(plan: Plan, step: Step) -> None:
    """Whatever is ended for its deadline has had all its time; a group that is restarted may keep its failure."""
    node, why = plan.node(step.node), step.failure
    if why is None or why.kind is not ErrorKind.TIMEOUT or not why.message.startswith(f'The step "{node.id}" took'):
        return
    assert node.deadline is not None and step.first_at is not None and step.ended_at is not None
    took = step.ended_at - step.first_at
    # Of less than no time is what went through its errors after the clock was set back.
    assert took < 0 or took >= node.deadline, f"{step.key} is ended after {took / 1e6:g} s, before its deadline"


def _has_room(plan: Plan, run: Run, key: str, state: GroupState) -> None:
    """No more of its children are under way than a group's limit says, but for what an operator has chosen."""
    node = plan.node(ids.node_of(key))
    if isinstance(node, Parallel | ForEach | Dag) and node.limit and not run.rounds and not run.redone:
        found = counts.open_children(state)
        limit = node.limit if isinstance(node.limit, int) else state.limit
        assert limit is None or found <= limit, f"{found} children of {key} are under way, its limit is {limit}"


def _lost(plan: Plan, step: Step) -> bool:
    """Whether a working directory failed because its worker, and so its folder, was lost."""
    failure = step.group.failure if step.group is not None and isinstance(plan.node(step.node), Folder) else None
    return failure is not None and failure.kind is ErrorKind.LOST


def _went_through(plan: Plan, run: Run, step: Step, was_run: Run, was: dict[str, Step], steps: dict[str, Step]) -> None:
    """A group that ended by itself has gone through its errors, if it failed, and its finally."""
    if (
        step.status not in WENT_THROUGH
        or run.status is RunStatus.KILLING
        or was_run.status.ended
        or was_run.status is RunStatus.KILLING
    ):
        return
    around = [key for key in plan.ancestors(step.key) if key]
    if any(key not in was or not was[key].status.open for key in around) or step.group is None:
        return
    later = [steps[key].ended_at for key in around] + [run.ended_at]
    if step.ended_at is None or any(at is not None and at <= step.ended_at for at in later):
        return  # it may have ended because of what ended around it
    if any(_lost(plan, steps[key]) for key in around):
        return  # its folder went with its worker, and what was under way in it ended at once
    result = step.group.result
    wanted = [FINALLY] if result is not None else []
    if result is StepStatus.FAILED and not plan.children(step.node, FINALLY):
        wanted = [ERRORS]  # with a finally it may have failed in that, by its deadline, and has no errors then
    for branch in wanted:
        nodes = plan.children(step.node, branch)
        first = steps.get(plan.child_key(step.key, nodes[0], branch)) if nodes else None
        gone = not nodes or (first is not None and first.status is not StepStatus.WAITING)
        assert gone, f"{step.key} came to {result} and did not go through its {branch}"
