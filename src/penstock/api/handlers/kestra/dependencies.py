"""Which flows start which, as Kestra's clients are told it?"""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.api.route import Call
from penstock.api.shapes.kestra.asked import Asked, flag
from penstock.errors.run import UnknownFlow
from penstock.services import dependencies
from penstock.services.dependencies import Around
from penstock.store import flows

RELATIONS: Final = {"subflow": "FLOW_TASK", "trigger": "FLOW_TRIGGER"}
DEEPEST: Final = 50


class TopologyNode(msgspec.Struct, frozen=True):
    """A flow."""

    uid: str
    namespace: str
    id: str


class TopologyEdge(msgspec.Struct, frozen=True):
    """A flow starts another."""

    source: str
    target: str
    relation: str


class Topology(msgspec.Struct, frozen=True):
    """Flows and what links them."""

    nodes: list[TopologyNode]
    edges: list[TopologyEdge]


def draw_flow_dependencies(call: Call[Asked, None]) -> Topology:
    """What starts a flow and what it starts; with `destinationOnly` the latter, with `expandAll` however far."""
    name = call.path["namespace"], call.path["flow"]
    if call.core.store.glance(lambda tx: flows.newest(tx, *name)) is None:
        raise UnknownFlow(f'There is no flow "{name[0]}.{name[1]}".'[:400])
    depth = DEEPEST if flag(call.query, "expandAll") else 1
    up = not flag(call.query, "destinationOnly")
    return _told(dependencies.of_flow(call.core, call.scope, name, depth, up=up))


def draw_namespace_dependencies(call: Call[Asked, None]) -> Topology:
    """What the flows of a namespace start, and what starts them."""
    return _told(dependencies.of_namespace(call.core, call.scope, call.path["namespace"]))


def _told(found: Around) -> Topology:
    nodes = [TopologyNode(_uid(name), *name) for name in sorted(found.distances)]
    edges = {(_uid(each.source), _uid(each.target), RELATIONS[each.kind]): None for each in found.links}
    return Topology(nodes, [TopologyEdge(*each) for each in edges])


def _uid(name: tuple[str, str]) -> str:
    return "_".join(("main", *name))
