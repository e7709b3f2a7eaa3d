"""How does a flow look as a graph? Its tasks and groups as nodes, and who comes after whom as edges."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from penstock.model.node import Dag, Node, Parallel, Subflow
from penstock.model.plan import ROOT, TASKS, Plan
from penstock.services.document import type_of


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """A task or group: `parent` is the group that it stands in (empty: the flow), `branch` the list of it.

    `calls` is the flow that a subflow starts.
    """

    id: str
    type: str
    parent: str
    branch: str
    position: int
    description: str
    calls: str


class GraphEdge(msgspec.Struct, frozen=True):
    """One node comes after another: as lists say, or (`needs`) since it waits for it."""

    source: str
    target: str
    needs: bool = False


class Graph(msgspec.Struct, frozen=True):
    """A flow's enabled nodes in the order of their lists, and their edges; groups are nodes that others stand in."""

    namespace: str
    flow: str
    revision: int
    nodes: list[GraphNode]
    edges: list[GraphEdge]


def graph_of(plan: Plan) -> Graph:
    """The graph of a flow."""
    nodes = [
        GraphNode(
            id=node_id,
            type=type_of(plan, node_id),
            parent=seat.parent,
            branch=seat.branch,
            position=seat.position,
            description=seat.node.description,
            calls=f"{seat.node.namespace}.{seat.node.flow}" if isinstance(seat.node, Subflow) else "",
        )
        for node_id, seat in plan.seats.items()
    ]
    flow = plan.flow
    return Graph(flow.namespace, flow.id, flow.revision, nodes, list(_edges(plan)))


def _edges(plan: Plan) -> Iterator[GraphEdge]:
    for (group, branch), nodes in plan.lists.items():
        around = plan.flow.body if group == ROOT else plan.node(group)
        if branch == TASKS and isinstance(around, Dag):
            yield from _needs(plan, group, nodes)
        elif branch != TASKS or not isinstance(around, Parallel):
            yield from (GraphEdge(before.id, after.id) for before, after in pairwise(nodes))


def _needs(plan: Plan, group: str, nodes: tuple[Node, ...]) -> Iterator[GraphEdge]:
    for place, wanted in enumerate(plan.graphs[group].needs):
        for each in dict.fromkeys(wanted):
            yield GraphEdge(nodes[each].id, nodes[place].id, needs=True)
