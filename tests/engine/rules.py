"""What holds after every event of every run? Counts are recounted, ends stay, and nothing waits for nothing."""

from __future__ import annotations

from collections import Counter

from penstock.engine.draft import OPEN, WAITING_FOR_TIME
from penstock.model import ids
from penstock.model.event import Timer
from penstock.model.node import ForEach, If, Sequence, Switch
from penstock.model.plan import ERRORS, FINALLY, ROOT
from penstock.model.policy import Retry
from penstock.model.run import Step
from penstock.model.status import RunStatus, StepStatus
from tests.engine.tale import Tale


def hold(tale: Tale) -> None:
    """Check everything that can be seen of a run at one instant."""
    recount(tale)
    timers_stand(tale)
    in_turn(tale)
    run = tale.run
    assert run.status is not RunStatus.KILLING or run.open, "a run with nothing left is still being killed"
    assert (run.ended_at is not None) == run.status.ended


def recount(tale: Tale) -> None:
    """A group's counts are those of its children's rows, the run's those of all rows."""
    by_parent: dict[str, Counter[str]] = {}
    for step in tale.steps.values():
        if tale.plan.is_aside(step.key) or step.status is StepStatus.WAITING:
            continue
        word = OPEN if step.status.open else str(step.status)
        by_parent.setdefault(tale.plan.parent_key(step.key), Counter())[word] += 1
    groups = {step.key: step.group for step in tale.steps.values() if step.group is not None} | {ROOT: tale.run.root}
    for key, state in groups.items():
        kept = {word: count for word, count in state.counts.items() if count}
        found = dict(by_parent.get(key, {}))
        assert kept == found, f"{key or 'root'} counts {kept}, its children are {found}"
    rows = tale.steps.values()
    assert tale.run.open == sum(step.status.open for step in rows)
    assert tale.run.retrying == sum(step.status is StepStatus.RETRYING for step in rows)
    leaves = [step for step in rows if step.group is None and step.status.open]
    assert tale.run.active == sum(step.status not in WAITING_FOR_TIME for step in leaves)


def timers_stand(tale: Tale) -> None:
    """Whatever waits for its time has a timer, unless its run has ended."""
    for step in tale.steps.values():
        if step.status in WAITING_FOR_TIME:
            timer = Timer.RETRY if step.status is StepStatus.RETRYING else Timer.SNOOZE
            assert (step.key, step.attempt, timer) in tale.timers, f"{step.key} is {step.status} for ever"


def in_turn(tale: Tale) -> None:
    """In a list of tasks that go one after the other, nothing has begun behind what has not ended well."""
    for step in tale.steps.values():
        before = _before(tale, step)
        if before is None or step.status is StepStatus.WAITING:
            continue
        row = tale.steps.get(before)
        assert row is not None, f"{step.key} has begun without {before}"
        if tale.plan.is_aside(step.key):
            assert row.status.ended or tale.run.rounds, f"{step.key} has begun beside {before}"
        elif step.status.open:
            assert row.status in (StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.SKIPPED), (
                f"{step.key} is {step.status} behind {before}, which is {row.status}"
            )


def _before(tale: Tale, step: Step) -> str | None:
    """Key of the step that must have ended before this one, where there is one."""
    if ids.iteration_of(step.key) is not None:
        return None
    plan, seat = tale.plan, tale.plan.seats[step.node]
    around = plan.node(seat.parent)
    rows = isinstance(around, Sequence | If | Switch | ForEach) or seat.branch in (ERRORS, FINALLY)
    if not rows or seat.position == 0:
        return None
    return ids.loop_prefix(step.key) + plan.children(seat.parent, seat.branch)[seat.position - 1].id


def policy(tale: Tale, step: Step) -> Retry | None:
    """The retry policy that a step goes by: its own, its nearest group's, its flow's."""
    place = step.node
    while place != ROOT:
        node = tale.plan.node(place)
        if node.retry is not None:
            return node.retry
        place = tale.plan.seats[place].parent
    return tale.plan.flow.body.retry or tale.plan.flow.retry
