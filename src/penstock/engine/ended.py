"""What follows from the end of an attempt, or of a child run? From one that no longer counts: nothing."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import leaf, orders
from penstock.engine.around import status_word
from penstock.engine.draft import Draft
from penstock.engine.finish import awaits_outputs, finish_with
from penstock.engine.groups import folder, guard, subflow
from penstock.engine.retry import MOST_LOST_IN_A_ROW
from penstock.engine.rule import Rule
from penstock.engine.settle import ask_worker
from penstock.model.effect import Produce, Ready, Work
from penstock.model.event import ChildEnded, Ended
from penstock.model.node import Folder, Subflow
from penstock.model.plan import ROOT
from penstock.model.run import Step
from penstock.model.status import Outcome, RunStatus, StepStatus

HELD = (StepStatus.QUEUED, StepStatus.RUNNING)
# How a child run stands that nobody waits for: it is there, and that is all that is known.
CREATED = "created"


def ended(draft: Draft, event: Ended) -> None:
    """Take the end of an attempt into its step."""
    if event.step == ROOT:
        _root_evaluation_ended(draft, event)
        return
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt or step.status not in HELD:
        return
    if step.group is not None:
        _group_evaluation_ended(draft, step, event)
        return
    if event.started_at is not None and step.started_at is None:
        step = replace(step, started_at=event.started_at)
    home = draft.plan.folder_of(step.key) if event.outcome is Outcome.LOST else ""
    if home and not draft.stopping(step.key):
        folder.anew(draft, home, event.failure)
        return
    if event.orders and event.outcome in (Outcome.DONE, Outcome.WARNING):
        orders.ended(draft, step, event)
    else:
        leaf.ended(draft, step, event.outcome, event.failure, event.until)


def child_ended(draft: Draft, event: ChildEnded) -> None:
    """Take the end of a child run (or its start, or why there is none) into the subflow step that waits for it."""
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt or step.status not in HELD:
        return
    if step.child not in (event.run, event.first or event.run):
        return
    node = draft.node(event.step)
    assert isinstance(node, Subflow)
    if event.status is RunStatus.RETRIED and node.transmit_cancelled:
        return  # the run that takes its place will tell
    if not node.wait and not event.status.ended:
        draft.emit(
            Produce(step.key, step.attempt, {"executionId": step.child, "state": status_word(draft.plan, CREATED)})
        )
        leaf.ended(draft, step, Outcome.DONE, None)
    elif event.status is RunStatus.CANCELLED and node.transmit_failed and node.transmit_cancelled:
        draft.rule(step.key, Rule.KILLED)
        draft.end(step, StepStatus.CANCELLED, event.failure)
    else:
        # What never began is no failure of the other flow, so it counts even where these are not transmitted.
        outcome = subflow.outcome_of(node, event.status) if event.started else Outcome.FAILED
        leaf.ended(draft, step, outcome, event.failure)


def _group_evaluation_ended(draft: Draft, step: Step, event: Ended) -> None:
    """A worker did not get to evaluating a group's properties: it was killed, or lost and another shall try."""
    if not step.evaluating:
        return
    stopping = draft.stopping(step.key)
    node = draft.node(step.key)
    if isinstance(node, Folder) and event.outcome is not Outcome.KILLED and not stopping:
        folder.ended(draft, step, node, event)
        return
    if event.outcome is Outcome.LOST and not stopping and step.lost + 1 < MOST_LOST_IN_A_ROW:
        draft.put(replace(step, attempt=step.attempt + 1, lost=step.lost + 1))
        draft.rule(step.key, Rule.LOST_AGAIN, step.lost + 1, MOST_LOST_IN_A_ROW)
        ask_worker(draft, step.key)
        return
    draft.put(replace(step, evaluating=False))
    if event.outcome is Outcome.KILLED or stopping:
        draft.rule(step.key, Rule.STOPPING)
    if event.outcome is Outcome.KILLED or draft.killing(step.key):
        guard.tasks_over(draft, step.key, StepStatus.KILLED)
    elif stopping:
        guard.tasks_over(draft, step.key, StepStatus.CANCELLED)
    else:
        guard.fail(draft, step.key, event.failure or leaf.unexplained(event.outcome))


def _root_evaluation_ended(draft: Draft, event: Ended) -> None:
    root = draft.run.root
    if event.attempt != root.evaluation or not awaits_outputs(draft):
        return
    if event.outcome is Outcome.LOST and root.lost + 1 < MOST_LOST_IN_A_ROW:
        draft.run = replace(draft.run, root=replace(root, evaluation=root.evaluation + 1, lost=root.lost + 1))
        draft.emit(Ready(ROOT, root.evaluation + 1, Work.EVALUATE))
    else:
        finish_with(draft, {}, event.failure or leaf.unexplained(event.outcome))
