"""Which names does an expression see, and what stands behind them? Data of the run only, looked up when asked for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from penstock.engine.around import (
    Parent,
    Seen,
    gathers,
    is_parent,
    item_told,
    iteration_told,
    iterations,
    over_values,
    status_word,
)
from penstock.engine.handed import Outputs, Tasks
from penstock.engine.values import span_micros
from penstock.model import ids
from penstock.model.flow import Flow
from penstock.model.node import Node, Subflow, Task
from penstock.model.plan import ROOT, Plan
from penstock.model.trigger import LOOKS_FOR

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def scope_of(seen: Seen, key: str) -> dict[str, object]:
    """The names that an expression of the step `key` sees; parts not loaded raise NotLoaded when they are touched."""
    plan, run = seen.plan, seen.run
    flow, variables = plan.flow, variables_at(seen, key)
    scope: dict[str, object] = {
        # A flow that looks for a trigger speaks of the one that has the trigger.
        "flow": {"id": flow.id.partition(LOOKS_FOR)[0], "namespace": flow.namespace, "revision": run.revision},
        "execution": {
            "id": run.id,
            "startDate": instant(run.started_at or run.created_at),
            "originalId": run.origin or run.id,
            "state": status_word(plan, run.root.verdict or run.status),
            "outputs": run.outputs or {},
        },
        "inputs": nested(inputs_told(flow, run.inputs)),
        "globals": flow.globals,
        "labels": nested(run.labels),
        "outputs": Outputs(seen, key),
        "tasks": Tasks(seen, key),
    }
    if run.trigger:
        scope["trigger"] = run.trigger
    if variables or flow.variables:
        scope |= {"vars": variables, "variables": variables}
    if run.logical_date is not None:
        scope["logicalDate"] = instant(run.logical_date)
    if run.interval_start is not None and run.interval_end is not None:
        scope["dataInterval"] = {"start": instant(run.interval_start), "end": instant(run.interval_end)}
    if key != ROOT:
        scope |= _about_step(seen, key)
    return scope


def inputs_told(flow: Flow, inputs: dict[str, object]) -> dict[str, object]:
    """The inputs as expressions of a flow see them."""
    if not flow.language.durations_as_seconds:
        return inputs
    spans = [each.id for each in flow.inputs if each.type == "DURATION" and isinstance(inputs.get(each.id), str)]
    return inputs | {name: span_micros(str(inputs[name])) / 1e6 for name in spans} if spans else inputs


def variables_at(seen: Seen, key: str) -> dict[str, object]:
    """The variables where a step stands: its flow's, until a task changes them, in an iteration or in the run."""
    for around in homes(seen.plan, key):
        step = seen.step(around)
        if step is not None and step.variables is not None:
            return step.variables
    return seen.plan.flow.variables if seen.run.variables is None else seen.run.variables


def homes(plan: Plan, key: str) -> list[str]:
    """The iterations around a step that keep what they do to themselves, the nearest first."""
    return [each for each in iterations(plan, key) if gathers(plan, each)] if key != ROOT else []


def _about_step(seen: Seen, key: str) -> dict[str, object]:
    plan = seen.plan
    node = plan.node(ids.node_of(key))
    step = seen.step(key)
    around = iterations(plan, key)
    taskrun: dict[str, object] = {
        "id": f"{seen.run.id}/{key}",
        "startDate": instant((step.first_at if step else None) or seen.run.created_at),
        "attemptsCount": max(0, step.tries - 1) if step else 0,
        "parentId": plan.parent_key(key) or None,
    }
    here: dict[str, object] = {"task": {"id": node.id, "type": _type(node)}, "taskrun": taskrun}
    if around:
        taskrun |= iteration_told(seen, around[0])
    valued = over_values(plan, around)
    if valued:
        taskrun["value"] = iteration_told(seen, valued[0])["value"]
    parents = [Parent(seen, other) for other in plan.ancestors(key) if is_parent(plan, other)]
    if parents:
        here["parent"] = parents[0]
    here["parents"] = parents
    items = [item_told(seen, other) for other in valued if gathers(plan, other)]
    if items:
        item = items[0]
        if items[1:]:
            item |= {"parent": items[1], "parents": items[:0:-1]}
        here["item"] = item
    failure = _nearest_failure(seen, key)
    if failure:
        here["error"] = failure
    return here


def _type(node: Node) -> str:
    return (
        node.type if isinstance(node, Task) else "subflow" if isinstance(node, Subflow) else type(node).__name__.lower()
    )


def _nearest_failure(seen: Seen, key: str) -> dict[str, object] | None:
    for around in seen.plan.ancestors(key):
        step = seen.step(around) if around else None
        state = seen.run.root if not around else step.group if step else None
        if state and state.failure:
            return {"message": state.failure.message, "kind": str(state.failure.kind)}
    return None


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """Names with dots as maps within maps: `a.b` is reached as `x.a.b`."""
    if not any("." in name for name in flat):
        return dict(flat)
    tree: dict[str, object] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        place = tree
        for part in path:
            below = place.setdefault(part, {})
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        place[last] = value
    return tree


def instant(micros: int) -> str:
    """An instant as ISO-8601 text in UTC."""
    return (EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def plain(value: object) -> object:
    """A value that may be stored: lookups that were lazy become maps."""
    match value:
        case Mapping():
            return {str(name): plain(below) for name, below in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
