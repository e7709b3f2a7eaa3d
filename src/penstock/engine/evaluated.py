"""What follows when a worker has evaluated expressions that reach out? Whatever waited for their values goes on."""

from __future__ import annotations

from msgspec.structs import replace

from penstock import expr
from penstock.engine import leaf
from penstock.engine.draft import Draft
from penstock.engine.finish import awaits_outputs, finish_with
from penstock.engine.groups import guard
from penstock.engine.rule import Rule
from penstock.engine.settle import begin_group, open_group
from penstock.model.event import Evaluated
from penstock.model.node import Node, Pause, Subflow, Task
from penstock.model.plan import ROOT
from penstock.model.run import ErrorKind, Failure, Step
from penstock.model.status import StepStatus


def evaluated(draft: Draft, event: Evaluated) -> None:
    """Go on with recorded values; a late or doubled answer changes nothing."""
    if event.step == ROOT:
        if event.attempt == draft.run.root.evaluation and awaits_outputs(draft):
            finish_with(draft, event.values, event.failure)
        return
    step = draft.step(event.step)
    if step is None or step.attempt != event.attempt or not step.evaluating or step.status.ended:
        return
    step = replace(step, evaluating=False)
    draft.put(step)
    draft.rule(step.key, Rule.VALUES_KNOWN)
    node = draft.node(event.step)
    if draft.stopping(event.step):
        _stop(draft, step)
    elif event.failure is not None:
        _fail(draft, step, event.failure)
    else:
        _go_on(draft, step, node, event.values)


def _go_on(draft: Draft, step: Step, node: Node, values: dict[str, object]) -> None:
    if "runIf" in values and not expr.truthy(values["runIf"]):
        draft.rule(step.key, Rule.CONDITION_FALSE)
        draft.end(step, StepStatus.SKIPPED)
        return
    match node:
        case Task():
            leaf.attempt(draft, node, step)
        case Subflow() | Pause():
            leaf.attempt(draft, node, step, values)
        case _ if step.group is None:
            open_group(draft, step, node)
        case _:
            begin_group(draft, step.key, node, values)


def _stop(draft: Draft, step: Step) -> None:
    """Nothing of what was to be begun begins any more."""
    draft.rule(step.key, Rule.STOPPING)
    if step.group is not None:
        guard.tasks_over(draft, step.key, draft.stopped_as(step.key))
    else:
        draft.end(step, draft.stopped_as(step.key))


def _fail(draft: Draft, step: Step, failure: Failure) -> None:
    failure = failure if failure.kind is not ErrorKind.TASK else replace(failure, kind=ErrorKind.EXPRESSION)
    if step.group is not None:
        guard.fail(draft, step.key, failure)
    else:
        draft.rule(step.key, Rule.CANNOT_RENDER)
        draft.end(step, StepStatus.FAILED, failure)
