"""What follows when an operator pauses a run or a pause is let go? Nothing more begins; or what was held begins."""

from __future__ import annotations

from msgspec.structs import replace

from penstock.engine import finish, leaf
from penstock.engine.draft import Draft
from penstock.engine.groups import pause
from penstock.engine.rule import Rule
from penstock.model import ids
from penstock.model.effect import Ready, Recall, Release, Work
from penstock.model.event import Held, Hold, Resume
from penstock.model.node import Folder, Node, Subflow, Task
from penstock.model.plan import ROOT
from penstock.model.run import Step
from penstock.model.status import RunStatus, StepStatus


def hold(draft: Draft, event: Hold) -> None:
    """Pause a run: what is ready is taken back, what runs may end; said twice it is paused once."""
    run = draft.run
    if run.status.ended or run.status is RunStatus.KILLING or run.held_by:
        return
    draft.rule(ROOT, Rule.RUN_HELD, event.by or "somebody")
    draft.run = replace(run, held_by=event.by, reason=run.reason or f"paused by {event.by}")
    draft.emit(Recall())


def held(draft: Draft, event: Held) -> None:
    """A ready attempt was taken back: it waits for the run to go on, or begins after all, or ends with its run."""
    if event.step == ROOT:
        finish.evaluate_again(draft, event.attempt)
        return
    step = draft.step(event.step)
    meant = step is not None and step.attempt == event.attempt
    evaluating = meant and step is not None and step.evaluating
    if ids.node_of(event.step) in draft.plan.seats and _is_limited(draft.node(event.step)) and not evaluating:
        # Whatever has become of the step meanwhile: this attempt never ran, and nothing else frees what it uses.
        draft.emit(Release(event.step, event.attempt))
    if step is None or not meant or not step.status.open:
        return
    if not draft.stopping(event.step):
        begin_held(draft, step)
    else:
        draft.end(step, draft.stopped_as(event.step))


def resume(draft: Draft, event: Resume) -> None:
    """Let one pause go on, or the run that was paused as a whole; a late or doubled word changes nothing."""
    if event.step:
        step = draft.step(event.step)
        if step is not None and step.status is StepStatus.PAUSED and step.attempt == event.attempt:
            pause.resume(draft, step, event)
        return
    if not draft.run.held_by or draft.run.status.ended:
        return
    draft.rule(ROOT, Rule.RESUMED, event.by or "somebody")
    reason = draft.run.reason if draft.run.status is RunStatus.QUEUED else ""
    draft.run = replace(draft.run, held_by="", reason=reason)
    for step in draft.loaded.all_open():
        if step.held:
            begin_held(draft, step)


def begin_held(draft: Draft, step: Step) -> None:
    """Let a step's attempt begin, or be held, as its run is now."""
    step = replace(step, held=False)
    node = draft.node(step.key)
    if (isinstance(node, Subflow) or _is_limited(node)) and not step.evaluating:
        leaf.attempt(draft, node, step)
        return
    draft.put(step)
    draft.make_ready(ready_of(draft, step, node))


def _is_limited(node: Node) -> bool:
    return isinstance(node, Task) and bool(node.limits)


def ready_of(draft: Draft, step: Step, node: Node) -> Ready:
    """How the newest attempt of a step is made claimable, by what it is at."""
    if isinstance(node, Folder) and step.group is not None:
        closing = step.group.closing
        return Ready(step.key, step.attempt, Work.CLOSE if closing else Work.OPEN, step.group.worker)
    if step.evaluating:
        return Ready(step.key, step.attempt, Work.EVALUATE)
    return Ready(step.key, step.attempt, worker=draft.worker_of(step.key))
