"""What does a new run keep of an old one when it is replayed from a step? All that came before."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.decision import Decision
from penstock.engine.draft import Draft
from penstock.engine.loaded import Loaded
from penstock.engine.restart import reopen
from penstock.engine.settle import settle
from penstock.errors import nearest
from penstock.errors.run import UnknownStep
from penstock.model import ids
from penstock.model.node import ForEach, Parallel
from penstock.model.plan import ROOT, Plan
from penstock.model.run import GroupState, Run, Step
from penstock.model.status import RunStatus, StepStatus

KEPT = frozenset({StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.SKIPPED})


def replay(plan: Plan, old: list[Step], fresh: Run, from_step: str, now: int) -> Decision:
    """Decide the start of `fresh`, a queued copy of a run whose steps were `old`, from one of its steps on.

    What succeeded before that step, and beside it in parallel, is kept with its attempts. Raises UnknownStep.
    """
    if from_step not in {step.key for step in old}:
        hint = nearest(from_step, [step.key for step in old]) or "Replay from a step that has run."
        raise UnknownStep(f'The run has no step "{from_step}".', hint=hint)
    around = {from_step, *plan.ancestors(from_step)}
    kept = {step.key: _as_kept(step, from_step, around) for step in old if not _comes_after(plan, step.key, from_step)}
    loaded = Loaded(plan, replace(fresh, rounds=1), dict(kept), every=True)
    draft = Draft(loaded, now, operator=True)
    draft.move_run(RunStatus.QUEUED)
    draft.move_run(RunStatus.RUNNING)
    draft.run = replace(draft.run, started_at=now)
    children: dict[str, list[Step]] = {}
    for step in kept.values():
        children.setdefault(plan.parent_key(step.key), []).append(step)
    reopen(draft, ROOT, children)
    settle(draft)
    decision = draft.close()
    changed = {step.key for step in decision.steps}
    steps = (*decision.steps, *(step for key, step in kept.items() if key not in changed))
    return Decision(decision.run, steps, decision.effects)


def _as_kept(step: Step, from_step: str, around: set[str]) -> Step:
    """A step as the new run finds it: what succeeded stays; the step itself, what is around it and what failed is
    done again.
    """
    if step.key == from_step:
        return replace(step, status=StepStatus.CANCELLED, group=GroupState() if step.group else None)
    if step.key in around or step.status not in KEPT:
        return replace(step, status=StepStatus.CANCELLED)
    return step


def _comes_after(plan: Plan, key: str, from_step: str) -> bool:
    """Does `key` lie inside, or in the order of its flow behind, the step that is replayed?"""
    lineage = [from_step, *plan.ancestors(from_step)]
    mine = [key, *plan.ancestors(key)]
    if key == from_step:
        return False
    if from_step in mine:
        return True
    if key in lineage:
        return False
    common = next(around for around in lineage if around in mine)
    theirs, own = lineage[lineage.index(common) - 1], mine[mine.index(common) - 1]
    if plan.is_aside(own):
        return True
    group = plan.node(ids.node_of(common)) if common != ROOT else plan.node(ROOT)
    if isinstance(group, ForEach) and ids.iteration_of(common) is None:
        return group.limit == 1 and (ids.iteration_of(own) or 0) > (ids.iteration_of(theirs) or 0)
    if isinstance(group, Parallel):
        return False
    return plan.seats[ids.node_of(own)].position > plan.seats[ids.node_of(theirs)].position


def untouched(run: Run) -> Run:
    """A copy of a run with nothing of its going-through left."""
    return replace(
        run, status=RunStatus.QUEUED, version=0, started_at=None, ended_at=None, outputs=None, root=GroupState(),
        open=0, active=0, pending="", rounds=0, history=(), reason="", failure=None, killed_by="", parent=None, depth=0,
    )  # fmt: skip
