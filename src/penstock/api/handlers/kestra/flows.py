"""What can be asked about flows, and done with them, as Kestra's clients do it?"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.api.handlers.flows import draw_flow
from penstock.api.route import Call
from penstock.api.shapes.flows import RevisionAsked
from penstock.api.shapes.kestra.asked import Asked, filters, first, flag, numbered, whole
from penstock.api.shapes.kestra.flows import FlowGraph, Violation, flow_of, graph_told, violation
from penstock.app.manner import manner_of
from penstock.dialects.kestra import Reading
from penstock.errors import Severity
from penstock.errors.api import BadRequest, MayNot
from penstock.errors.project import InvalidFlows
from penstock.errors.run import UnknownFlow, UnknownStep
from penstock.model.access import Scope
from penstock.services import flows as verbs
from penstock.services.access import covers
from penstock.services.project import read_text, read_texts
from penstock.store import flows
from penstock.store.flows import Revision
from penstock.store.port import Tx

FlowTold = dict[str, object]
ALL_NAMESPACES = 10_000


class FlowsFound(msgspec.Struct, frozen=True):
    """A page of flows, and how many there are at least."""

    results: list[FlowTold]
    total: int


class Named(msgspec.Struct, frozen=True):
    """A flow by its name."""

    namespace: str
    id: str


class FlowsCounted(msgspec.Struct, frozen=True):
    """On how many flows it was done."""

    count: int


def search_flows(call: Call[Asked, None]) -> FlowsFound:
    """Flows that fit, by name."""
    page, namespace, text, exact = numbered(call.query), "", "", ""
    for one in filters(call.query):
        match one.field, one.operation:
            case "namespace", ("EQUALS" | "PREFIX"):
                namespace, exact = one.value, one.value if one.operation == "EQUALS" else ""
            case "q", _:
                text = one.value
            case "scope", _:
                pass
            case _:
                raise BadRequest(f'Flows cannot be asked for by "{one.field}" with {one.operation}.')

    def look(tx: Tx) -> tuple[list[Revision], int]:
        found = flows.page(tx, call.scope, ALL_NAMESPACES, namespace=namespace, text=text)
        fitting = [each for each in found if exact in ("", each.namespace)]
        shown = fitting[page.behind : page.until]
        read = [flows.revision(tx, each.namespace, each.id, each.revision) for each in shown]
        return [each for each in read if each is not None], len(fitting)

    found, total = call.core.store.read(look)
    return FlowsFound([flow_of(each, source=False) for each in found], total)


def list_flow_namespaces(call: Call[Asked, None]) -> list[str]:
    """Namespaces that have flows."""
    wanted = first(call.query, "q").lower()
    found = call.core.store.glance(lambda tx: flows.namespaces(tx, call.scope, ALL_NAMESPACES))
    return [name for name, _ in found if wanted in name.lower()]


def list_flows_of(call: Call[Asked, None]) -> list[FlowTold]:
    """The flows of a namespace."""
    return [flow_of(each, source=False) for each in _in(call, call.path["namespace"])]


def get_kestra_flow(call: Call[Asked, None]) -> FlowTold:
    """A revision of a flow, the newest unless another is asked for; with its text where that is wanted."""
    return flow_of(_revision(call, whole(call.query, "revision", 0)), source=flag(call.query, "source"))


def list_kestra_revisions(call: Call[Asked, None]) -> list[FlowTold]:
    """The revisions of a flow, oldest first."""
    namespace, flow_id = call.path["namespace"], call.path["flow"]
    found = call.core.store.read(lambda tx: flows.revisions(tx, namespace, flow_id))
    if not found:
        raise _unknown(call)
    return [flow_of(each, source=True) for each in sorted(found, key=lambda each: each.revision)]


def create_flow(call: Call[Asked, str]) -> FlowTold:
    """Store a new flow. Raises BadRequest where it is there already."""
    reading = _sound(call, call.body)
    there = call.core.store.glance(lambda tx: flows.newest(tx, reading.flow.namespace, reading.flow.id))
    if there is not None:
        raise InvalidFlows(
            f"The flow {reading.flow.name} is there already.", (), hint="PUT makes a new revision of it."
        )
    return _stored(call, reading)


def update_flow(call: Call[Asked, str]) -> FlowTold:
    """Make a text the newest revision of a flow."""
    reading = _sound(call, call.body)
    if (reading.flow.namespace, reading.flow.id) != (call.path["namespace"], call.path["flow"]):
        raise InvalidFlows(f"The text is the flow {reading.flow.name}, and the address is that of another one.", ())
    _revision(call, 0)
    return _stored(call, reading)


def delete_flow(call: Call[Asked, None]) -> None:
    """Let a flow start no more runs."""
    if not verbs.remove(call.core, call.path["namespace"], call.path["flow"]):
        raise _unknown(call)


def delete_flows_by_ids(call: Call[Asked, list[Named]]) -> FlowsCounted:
    """Let flows start no more runs."""
    return FlowsCounted(sum(verbs.remove(call.core, each.namespace, each.id) for each in call.body))


def update_flows_of(call: Call[Asked, str]) -> list[FlowTold]:
    """Make several texts the flows of a namespace; with `delete` those that are not among them go."""
    namespace = call.path["namespace"]
    several = [_checked(call, each) for each in read_texts(call.body, manner_of(call.app.project))]
    other = next((each for each in several if each.flow.namespace != namespace), None)
    if other is not None:
        raise InvalidFlows(f"The flow {other.flow.name} is not of the namespace {namespace}.", ())
    told = [_stored(call, each) for each in several]
    if first(call.query, "delete", "true") == "true":
        kept = {each.flow.id for each in several}
        for each in _in(call, namespace):
            if each.id not in kept:
                verbs.remove(call.core, namespace, each.id)
    return told


def check_flows(call: Call[Asked, str]) -> list[Violation]:
    """What is wrong with a text of one flow or several; nothing is kept."""
    several = read_texts(call.body, manner_of(call.app.project))
    return [violation(number, each, _is_outdated(call, each)) for number, each in enumerate(several)]


def draw_kestra_flow(call: Call[Asked, None]) -> FlowGraph:
    """A flow as a graph."""
    asked = RevisionAsked(revision=whole(call.query, "revision", 0) or None)
    made: Call[Any, Any] = Call(call.app, call.hub, call.core, call.actor, call.scope, call.path, asked, None)
    return graph_told(draw_flow(made))


def draw_execution(call: Call[Asked, None]) -> FlowGraph:
    """The flow of an execution as a graph."""
    return graph_told(draw_flow(_of_run(call)))


def get_flow_of_execution(call: Call[Asked, None]) -> FlowTold:
    """The flow of an execution, as it was."""
    run = call.run
    found = call.core.store.read(lambda tx: flows.revision(tx, run.namespace, run.flow, run.revision))
    if found is None:
        raise UnknownFlow(f"The flow of run {run.id} is not kept any more.")
    return flow_of(found, source=False)


def get_task_of_flow(call: Call[Asked, None]) -> object:
    """One task of a flow, as it is written."""
    told = flow_of(_revision(call, whole(call.query, "revision", 0)), source=False)
    found = _task(told, call.path["id"])
    if found is None:
        raise UnknownStep(f'The flow has no task "{call.path["id"][:100]}".')
    return found


def _of_run(call: Call[Asked, Any]) -> Call[Any, Any]:
    path = {"namespace": call.run.namespace, "flow": call.run.flow}
    asked = RevisionAsked(revision=call.run.revision)
    return Call(call.app, call.hub, call.core, call.actor, call.scope, path, asked, None)


def _task(tree: object, name: str) -> object:
    """What has this id and a type, wherever it stands."""
    if isinstance(tree, list):
        return next((found for each in tree if (found := _task(each, name)) is not None), None)
    if not isinstance(tree, dict):
        return None
    if tree.get("id") == name and "type" in tree:
        return tree
    return _task(list(tree.values()), name)


def _in(call: Call[Any, Any], namespace: str) -> list[Revision]:
    def look(tx: Tx) -> list[Revision | None]:
        found = flows.page(tx, Scope(namespaces=(namespace,)), ALL_NAMESPACES, namespace=namespace)
        here = [each for each in found if each.namespace == namespace]
        return [flows.revision(tx, namespace, each.id, each.revision) for each in here]

    return [each for each in call.core.store.read(look) if each is not None]


def _revision(call: Call[Any, Any], number: int) -> Revision:
    namespace, flow_id = call.path["namespace"], call.path["flow"]

    def look(tx: Tx) -> Revision | None:
        return flows.revision(tx, namespace, flow_id, number) if number else flows.current(tx, namespace, flow_id)

    found = call.core.store.read(look)
    if found is None:
        raise _unknown(call)
    return found


def _sound(call: Call[Asked, str], text: str) -> Any:
    return _checked(call, read_text(text, manner_of(call.app.project)))


def _checked(call: Call[Any, Any], reading: Reading) -> Any:
    """A text that was read without errors, of a flow where who asks may store one. Raises InvalidFlows, MayNot."""
    if reading.flow is None:
        count = sum(each.severity is Severity.ERROR for each in reading.problems)
        raise InvalidFlows(f"The text has {count} {'error' if count == 1 else 'errors'}.", reading.problems)
    if not covers(call.scope, reading.flow.namespace):
        raise MayNot(f'{call.by} may not store flows in "{reading.flow.namespace}".')
    return reading


def _stored(call: Call[Any, Any], reading: Any) -> FlowTold:
    plan = verbs.push(call.core, reading.flow, reading.source, reading.digest, call.by)
    flow = plan.flow
    found = call.core.store.read(lambda tx: flows.revision(tx, flow.namespace, flow.id, flow.revision))
    assert found is not None
    return flow_of(found, source=True)


def _is_outdated(call: Call[Asked, str], reading: Reading) -> bool:
    flow = reading.flow
    if flow is None or not covers(call.scope, flow.namespace):
        return False
    newest = call.core.store.glance(lambda tx: flows.newest(tx, flow.namespace, flow.id))
    return newest is not None and flow.revision != newest


def _unknown(call: Call[Any, Any]) -> UnknownFlow:
    return UnknownFlow(f'There is no flow "{call.path["namespace"]}.{call.path["flow"]}" in the store.'[:400])
