"""Can the child run that a subflow asks for be started? Found out before the parent's commit only inserts it."""

from __future__ import annotations

from penstock.engine import Loaded
from penstock.errors import PenstockError
from penstock.model.effect import StartChild
from penstock.model.event import Begin
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import checks
from penstock.services.batch import Batch, ChildStart
from penstock.services.core import Core
from penstock.services.flows import newest_plan
from penstock.services.inputs import typed_inputs
from penstock.services.render import calls_in
from penstock.services.secrets.given import sealed, taken
from penstock.telemetry import traces


def prepare_children(core: Core, batch: Batch, now: int) -> None:
    """Make each child run that the batch asks for, or find out why it cannot be."""
    for effect in batch.effects:
        if isinstance(effect, StartChild):
            batch.children.append(_prepare(core, batch.loaded.run, effect, now))


def _prepare(core: Core, parent: Run, asked: StartChild, now: int) -> ChildStart:
    try:
        plan = newest_plan(core, asked.namespace, asked.flow, asked.revision)
        given, secret = taken(core, parent.namespace, parent.flow, asked.inputs)
        typed = typed_inputs(plan.flow, given, calls_in(core, asked.namespace, set()))
        inputs = sealed(core, plan.flow, typed, secret)
    except PenstockError as error:
        return ChildStart(asked, None, str(error))
    flow = plan.flow
    child = Run(
        id=asked.id,
        namespace=flow.namespace,
        flow=flow.id,
        revision=flow.revision,
        status=RunStatus.QUEUED,
        created_at=now,
        inputs=inputs,
        labels=flow.labels | asked.labels | {"system.correlationId": _correlation(parent)},
        trigger={
            "id": asked.parent.step,
            "type": "subflow",
            "executionId": parent.id,
            "namespace": parent.namespace,
            "flowId": parent.flow,
            "flowRevision": parent.revision,
        },
        priority=parent.priority,
        lane=parent.lane,
        logical_date=parent.logical_date,
        interval_start=parent.interval_start,
        interval_end=parent.interval_end,
        parent=asked.parent,
        depth=asked.depth,
        owner=parent.owner,
        started_by=f"run {parent.id}",
        trace=traces.of_attempt(parent, asked.parent.step, asked.parent.attempt, core.knobs.traces),
    )
    try:
        judged = checks.judge(core, Loaded(plan, child, every=True))
    except PenstockError as error:
        return ChildStart(asked, None, str(error))
    begin = Begin(child.started_by, judged.failure, judged.notes)
    return ChildStart(asked, child, begin=begin)


def _correlation(parent: Run) -> str:
    return parent.labels.get("system.correlationId", parent.id)
