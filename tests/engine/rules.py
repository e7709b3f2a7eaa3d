"""What holds after every event of every run? Counts are recounted, ends stay, and nothing waits for nothing."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from penstock.engine.draft import AT_REST, OPEN
from penstock.engine.groups.rules import MARKS, READY, WAITING
from penstock.model import ids
from penstock.model.event import Timer
from penstock.model.node import Dag, Folder, ForEach, If, Need, Pause, Sequence, Switch, Task, Until
from penstock.model.plan import AFTER, ERRORS, FINALLY, ROOT, Plan
from penstock.model.policy import Retry
from penstock.model.run import GroupState, Phase, Run, Step
from penstock.model.status import RunStatus, StepStatus
from tests.engine.triggers import may_begin

GOOD = (StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.SKIPPED)


class Shown(Protocol):
    """A run at one instant, from wherever it was read."""

    @property
    def plan(self) -> Plan:
        """The flow that it goes by."""

    @property
    def run(self) -> Run:
        """The run itself."""

    @property
    def steps(self) -> dict[str, Step]:
        """All its steps by key."""

    @property
    def timers(self) -> dict[tuple[str, int, Timer], int]:
        """What is to ring, and when."""


def hold(tale: Shown) -> None:
    """Check everything that can be seen of a run at one instant."""
    recount(tale)
    timers_stand(tale)
    in_turn(tale)
    after_the_end(tale)
    for key in groups_of(tale):
        if isinstance(tale.plan.node(ids.node_of(key) if key else ROOT), Dag) and ids.iteration_of(key) is None:
            dag_is_marked(tale, key)
    run = tale.run
    assert run.status is not RunStatus.KILLING or run.open or run.root.phase is Phase.AFTER, "nothing is left to kill"
    assert (run.ended_at is not None) == run.status.ended
    assert not (run.status.ended and run.held_by), "an ended run is still held"
    assert (run.status is RunStatus.RETRIED) == bool(run.successor)


def rows_of(tale: Shown) -> list[Step]:
    """Every step but those that attempts have merely reported."""
    return [step for step in tale.steps.values() if "#" not in step.key]


def groups_of(tale: Shown) -> dict[str, GroupState]:
    """The memory of every group."""
    return {step.key: step.group for step in rows_of(tale) if step.group is not None} | {ROOT: tale.run.root}


def recount(tale: Shown) -> None:
    """A group's counts are those of its children's rows, the run's those of all rows."""
    by_parent: dict[str, Counter[str]] = {}
    rows = rows_of(tale)
    for step in rows:
        if tale.plan.is_aside(step.key) or step.status is StepStatus.WAITING:
            continue
        word = OPEN if step.status.open else str(step.status)
        by_parent.setdefault(tale.plan.parent_key(step.key), Counter())[word] += 1
    for key, state in groups_of(tale).items():
        kept = {word: count for word, count in state.counts.items() if count}
        found = dict(by_parent.get(key, {}))
        assert kept == found, f"{key or 'root'} counts {kept}, its children are {found}"
    assert tale.run.open == sum(step.status.open for step in rows)
    assert tale.run.retrying == sum(step.status is StepStatus.RETRYING for step in rows)
    assert tale.run.waiting == sum(step.status is StepStatus.PAUSED for step in rows)
    leaves = [step for step in rows if step.group is None and step.status.open]
    assert tale.run.active == sum(step.status not in AT_REST for step in leaves)


def timers_stand(tale: Shown) -> None:
    """Whatever waits for its time has a timer, unless its run has ended."""
    for step in rows_of(tale):
        node = tale.plan.node(step.node)
        match step.status:
            case StepStatus.RETRYING:
                asked = (step.key, step.attempt, Timer.RETRY)
            case StepStatus.SNOOZED if step.group is not None:
                assert isinstance(node, Until), f"{step.key} is snoozed"
                asked = (step.key, step.group.next, Timer.NEXT)
            case StepStatus.SNOOZED:
                asked = (step.key, step.attempt, Timer.SNOOZE)
            case StepStatus.PAUSED:
                assert isinstance(node, Pause), f"{step.key} is paused"
                if step.due_at is None:
                    continue
                asked = (step.key, step.attempt, Timer.PAUSE)
            case _:
                continue
        assert asked in tale.timers, f"{step.key} is {step.status} for ever"
        assert tale.timers[asked] == step.due_at, f"{step.key} waits until {step.due_at}, its timer rings another time"


def in_turn(tale: Shown) -> None:
    """In a list of tasks that go one after the other, nothing has begun behind what has not ended well."""
    for step in rows_of(tale):
        before = _before(tale, step)
        if before is None or step.status is StepStatus.WAITING:
            continue
        row = tale.steps.get(before)
        assert row is not None, f"{step.key} has begun without {before}"
        if tale.plan.is_aside(step.key):
            assert row.status.ended or tale.run.rounds, f"{step.key} has begun beside {before}"
        elif step.status.open and not _is_chosen(tale, step, row):
            assert row.status in GOOD, f"{step.key} is {step.status} behind {before}, which is {row.status}"


def _is_chosen(tale: Shown, step: Step, before: Step) -> bool:
    """May an operator have wanted this step again, though one before it had been said to have failed meanwhile?"""
    return bool(tale.run.rounds) and step.attempt > 1 and before.status.ended


def _before(tale: Shown, step: Step) -> str | None:
    """Key of the step that must have ended before this one, where there is one."""
    if ids.iteration_of(step.key) is not None:
        return None
    plan, seat = tale.plan, tale.plan.seats[step.node]
    around = plan.node(seat.parent)
    rows = isinstance(around, Sequence | If | Switch | ForEach | Until | Folder)
    if not (rows or seat.branch in (ERRORS, FINALLY, AFTER)) or seat.position == 0:
        return None
    return ids.loop_prefix(step.key) + plan.children(seat.parent, seat.branch)[seat.position - 1].id


def after_the_end(tale: Shown) -> None:
    """The tasks after the end have begun only once it is known how the run ends, and then it ends so."""
    run = tale.run
    if run.root.phase is Phase.AFTER:
        assert run.root.verdict is not None, "the tasks after the end go on before the end is known"
    for step in rows_of(tale):
        if step.status is not StepStatus.WAITING and tale.plan.is_after(step.key):
            assert run.root.phase is Phase.AFTER, f"{step.key} has begun in the phase {run.root.phase}"


def dag_is_marked(tale: Shown, key: str) -> None:
    """While a dag goes on, a mark is what its node's row says, and nothing has begun against its rule."""
    state = groups_of(tale)[key]
    dag = tale.plan.node(ids.node_of(key))
    assert isinstance(dag, Dag)
    if state.result is not None or not tale.steps[key].status.open or not state.marks:
        return
    nodes = tale.plan.children(dag.id, "tasks")
    found = [tale.steps.get(tale.plan.child_key(key, node, "tasks")) for node in nodes]
    statuses = {node.id: _word(row) for node, row in zip(nodes, found, strict=True)}
    given_up = tale.run.root.closing and tale.plan.is_after(key)
    stopped = (
        given_up
        or tale.run.status is RunStatus.KILLING
        or any(tale.steps[around].status.ended for around in tale.plan.ancestors(key) if around)
    )
    for node, row, mark in zip(nodes, found, state.marks, strict=True):
        need = dag.needs.get(node.id, Need())
        on = [statuses[one] for one in need.on if one in statuses]
        setups = [statuses[one] for one in need.setups if one in statuses]
        if row is not None and row.status.open:
            assert may_begin(need.rule, on, setups), f"{row.key} has begun by {need.rule} of {on}"
        if stopped or tale.run.status.ended:
            continue
        if row is None or row.status is StepStatus.WAITING:
            assert mark in (WAITING, READY), f"{node.id} of {key} is marked {mark} and has not begun"
            ready = may_begin(need.rule, on, setups)
            assert ready == (mark == READY), f"{node.id} of {key} is marked {mark} by {need.rule} of {on}"
        else:
            want = "o" if row.status.open else MARKS[row.status]
            assert mark == want, f"{row.key} is {row.status} and marked {mark}"


def _word(row: Step | None) -> str:
    if row is None:
        return "waiting"
    return "open" if row.status.open else str(row.status)


def policy(tale: Shown, step: Step) -> Retry | None:
    """The retry policy that a step goes by: its own; where it may not fail its nearest group's, its flow's."""
    own = tale.plan.node(step.node)
    if own.retry is not None or own.allow_failure:
        return own.retry
    place = step.node
    while place != ROOT:
        node = tale.plan.node(place)
        if node.retry is not None:
            return node.retry
        place = tale.plan.seats[place].parent
    return tale.plan.flow.body.retry or tale.plan.flow.retry


def is_limited(tale: Shown, key: str) -> bool:
    """Do the attempts of this step wait behind limits?"""
    node = tale.plan.node(ids.node_of(key))
    return isinstance(node, Task) and bool(node.limits)
