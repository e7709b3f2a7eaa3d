"""What follows when a run is to be killed? Nothing more starts; what runs is ended, children too; then it is killed."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine.draft import AT_REST, Draft
from penstock.engine.finish import tell_parent
from penstock.engine.rule import Rule
from penstock.model.effect import KillChild, Withdraw
from penstock.model.event import Kill
from penstock.model.plan import ROOT
from penstock.model.run import Phase, Step
from penstock.model.status import RunStatus, StepStatus


def kill(draft: Draft, event: Kill) -> None:
    """Begin to kill, or kill harder; a run that has ended only loses what still runs beside it."""
    run = draft.run
    if run.status is RunStatus.QUEUED:
        draft.rule(ROOT, Rule.KILL, event.by)
        draft.move_run(RunStatus.KILLED, event.by)
        draft.run = replace(draft.run, ended_at=draft.now, killed_by=event.by, reason="", pending="")
        tell_parent(draft, None)
        return
    if run.status is RunStatus.RETRIED and run.successor:
        draft.emit(KillChild(run.successor, event.by, event.force))
    if run.root.phase is Phase.AFTER and not run.status.ended:
        # How the run ends is known and stays; only what is left to do after it is given up.
        draft.run = replace(run, root=replace(run.root, closing=True))
    elif not run.status.ended:
        draft.rule(ROOT, Rule.KILL, event.by)
        draft.move_run(RunStatus.KILLING, event.by)
        draft.run = replace(draft.run, killed_by=run.killed_by or event.by, held_by="")
    _end_open_steps(draft, event)


def _end_open_steps(draft: Draft, event: Kill) -> None:
    root = draft.run.root
    held: list[str] = [ROOT] if root.result is not None and root.evaluation and not draft.run.status.ended else []
    for step in draft.loaded.all_open():
        if not draft.held(step.key).status.open:
            continue  # the one that wants the run killed
        if step.status in AT_REST or step.held:
            draft.rule(step.key, Rule.STOPPING)
            draft.end(step, StepStatus.KILLED)
        elif step.child and not step.evaluating:
            draft.emit(KillChild(step.child, event.by, event.force))
        elif _has_attempt(step):
            held.append(step.key)
    if held:
        draft.emit(Withdraw(tuple(held), event.force))


def _has_attempt(step: Step) -> bool:
    return step.group is None or step.evaluating
