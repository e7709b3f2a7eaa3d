"""What does a new run keep of an old one when it is replayed from a step, and how does it begin? With all before."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from penstock.engine.begin import wait_for_limit
from penstock.engine.draft import OPEN, Draft
from penstock.engine.groups import dag
from penstock.engine.loaded import Loaded
from penstock.engine.restart import REPLAY, Scope, go_on_pending, reopening
from penstock.engine.rule import Rule
from penstock.errors import nearest
from penstock.errors.run import UnknownStep
from penstock.model import ids
from penstock.model.event import Replayed
from penstock.model.node import Dag, ForEach, Parallel, Until
from penstock.model.plan import AFTER, ERRORS, FINALLY, ROOT, Plan
from penstock.model.run import GroupState, Run, Step
from penstock.model.status import RunStatus, StepStatus

GIVEN = (
    "id",
    "namespace",
    "flow",
    "revision",
    "created_at",
    "inputs",
    "labels",
    "trigger",
    "trace",
    "priority",
    "lane",
    "logical_date",
    "interval_start",
    "interval_end",
    "origin",
    "owner",
    "started_by",
)
LATER = (ERRORS, FINALLY, AFTER)
KEPT = frozenset({StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.SKIPPED})


def keep(old: Loaded, fresh: Run, from_step: str, by: str, *, alone: bool = False) -> tuple[Replayed, Loaded]:
    """Give the event that begins `fresh`, a queued copy of the run `old`, from one of its steps on; and `fresh` as it
    stands before, with what of the old run's outputs and values it keeps.

    What succeeded before that step, and beside it in parallel, is kept with its attempts; with `alone` everything
    else is kept, as it ended. Raises UnknownStep, and NotLoaded for what it needs of the old run.
    """
    plan, rows = old.plan, old.all_steps()
    # What a restart has put back stands behind work that is not done yet: nothing of before it could be kept.
    begun = [step.key for step in rows if step.status is not StepStatus.WAITING]
    if from_step not in begun:
        hint = nearest(from_step, begun) or "Replay from a step that has run."
        raise UnknownStep(f'The run has no step "{from_step}".', hint=hint)
    kept = _kept(plan, rows, from_step, alone=alone)
    outputs = {key: found if key in kept else None for key, found in old.outputs.items()}
    root = _as_found(old.run.root, _counts(plan, kept, ROOT))
    event = Replayed(by, old.run.id, from_step, tuple(kept.values()), root, alone, old.run.variables)
    return event, Loaded(plan, fresh, outputs=outputs, values=old.values, every=True)


def replayed(draft: Draft, event: Replayed) -> None:
    """Begin a run with what it keeps, and go on from there; its flow's limit holds it up like any other."""
    run = draft.run
    if run.status is not RunStatus.QUEUED or run.history:
        return
    draft.rule(ROOT, Rule.REPLAYED, event.from_step, event.of)
    draft.run = replace(run, rounds=1, root=event.root, variables=event.variables)
    draft.adopt(event.steps)
    draft.move_run(RunStatus.QUEUED, run.started_by)
    lineage = frozenset({event.from_step, *draft.plan.ancestors(event.from_step)})
    pending = reopening(Scope(chosen=lineage)) if event.alone else REPLAY + event.from_step
    if draft.plan.flow.limit is not None:
        wait_for_limit(draft, pending=pending)
    else:
        go_on_pending(draft, pending)


def untouched(run: Run) -> Run:
    """A copy of a run with nothing but what it was started with: no parent, and nothing of its going-through."""
    given = {name: getattr(run, name) for name in GIVEN}
    return Run(status=RunStatus.QUEUED, **given)


def _kept(plan: Plan, rows: list[Step], from_step: str, *, alone: bool) -> dict[str, Step]:
    """The steps that the new run begins with, each as it finds it, groups with counts of what is left of them."""
    around = {from_step, *plan.ancestors(from_step)}
    told = {step.key: step for step in rows}
    kept = {
        step.key: _as_ended(step) if alone else _as_kept(plan, step, told, around)
        for step in rows
        if not (from_step in plan.ancestors(step.key) if alone else _comes_after(plan, step.key, from_step))
    }
    start = kept[from_step]
    kept[from_step] = replace(start, status=StepStatus.CANCELLED, group=GroupState() if start.group else None)
    by_parent: dict[str, Counter[str]] = {}
    for step in kept.values():
        _count(plan, by_parent, step)
    return {
        key: replace(step, group=_as_found(step.group, by_parent.get(key, {}))) if step.group else step
        for key, step in kept.items()
    }


def _as_kept(plan: Plan, step: Step, told: dict[str, Step], around: set[str]) -> Step:
    """A step as the new run finds it: what succeeded stays, with all that lies in it; the rest is done again."""
    settled = step.status.ended or step.status is StepStatus.WAITING
    if step.key not in around and settled:
        for key in (step.key, *plan.ancestors(step.key)):
            if key in around:
                break
            if told[key].status in KEPT or step.status is StepStatus.WAITING:
                return step
        if _is_before_an_aside(plan, key_below(plan, step.key, around), around):
            return step
    return _cut_short(step)


def _as_ended(step: Step) -> Step:
    return _cut_short(step) if step.status.open else step


def _cut_short(step: Step) -> Step:
    over = replace(step, status=StepStatus.CANCELLED, child="", due_at=None, evaluating=False)
    return replace(over, held=False, waits_for=())


def key_below(plan: Plan, key: str, around: set[str]) -> str:
    """The outermost group that holds the step `key` and is not one of `around`, or the step itself."""
    below = key
    for above in plan.ancestors(key):
        if above in around:
            return below
        below = above
    return below


def _is_before_an_aside(plan: Plan, key: str, around: set[str]) -> bool:
    """Is the replayed step in the errors or finally of the group around `key`, whose tasks then stay as they are?"""
    group = plan.parent_key(key)
    return any(one and plan.is_aside(one) and plan.parent_key(one) == group for one in around)


def _comes_after(plan: Plan, key: str, from_step: str) -> bool:
    """Does `key` lie inside, or in the order of its flow behind, the step that is replayed?"""
    lineage = [from_step, *plan.ancestors(from_step)]
    mine = [key, *plan.ancestors(key)]
    if key in lineage:
        return False
    if from_step in mine:
        return True
    common = next(around for around in lineage if around in mine)
    theirs, own = lineage[lineage.index(common) - 1], mine[mine.index(common) - 1]
    if plan.is_aside(theirs) or plan.is_aside(own):
        return _aside_place(plan, own) > _aside_place(plan, theirs)
    group = plan.node(ids.node_of(common)) if common != ROOT else plan.node(ROOT)
    if isinstance(group, ForEach | Until) and ids.iteration_of(common) is None:
        in_order = isinstance(group, Until) or group.limit == 1
        return in_order and (ids.iteration_of(own) or 0) > (ids.iteration_of(theirs) or 0)
    places = plan.seats[ids.node_of(own)].position, plan.seats[ids.node_of(theirs)].position
    if isinstance(group, Dag) and ids.iteration_of(common) is None:
        return places[0] in dag.behind(plan.graphs[group.id], [places[1]])
    if isinstance(group, Parallel) and ids.iteration_of(common) is None:
        return False
    return places[0] > places[1]


def _aside_place(plan: Plan, key: str) -> tuple[int, int]:
    """Where a child stands when its group's tasks come first, then its errors, its finally, what is after the end."""
    if not plan.is_aside(key):
        return 0, 0
    seat = plan.seats[ids.node_of(key)]
    return 1 + LATER.index(seat.branch), seat.position


def _as_found(state: GroupState, counts: dict[str, int]) -> GroupState:
    return replace(state, counts=dict(counts))


def _counts(plan: Plan, kept: dict[str, Step], key: str) -> dict[str, int]:
    found: dict[str, Counter[str]] = {}
    for step in kept.values():
        if plan.parent_key(step.key) == key:
            _count(plan, found, step)
    return found.get(key, Counter())


def _count(plan: Plan, by_parent: dict[str, Counter[str]], step: Step) -> None:
    if not plan.is_aside(step.key) and step.status is not StepStatus.WAITING:
        word = OPEN if step.status.open else str(step.status)
        by_parent.setdefault(plan.parent_key(step.key), Counter())[word] += 1
