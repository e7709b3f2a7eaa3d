"""How is a flow told to Kestra's clients? Its text as values, beside what the store knows of it."""

from __future__ import annotations

import msgspec

from penstock.dialects.kestra import Reading
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.yaml import parse
from penstock.errors import Severity
from penstock.services.document import instant
from penstock.services.graph import Graph
from penstock.store.flows import Revision

ROOT = "root"


class Violation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wrong with one of several flows; nothing where `constraints` is null."""

    index: int
    flow: str | None
    namespace: str | None
    constraints: str | None
    outdated: bool
    deprecation_paths: list[str]
    warnings: list[str]
    infos: list[str]


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a graph."""

    uid: str
    type: str
    task: dict[str, str]
    branch_type: str | None = None


class GraphEdge(msgspec.Struct, frozen=True):
    """One node comes before another."""

    source: str
    target: str


class GraphCluster(msgspec.Struct, frozen=True):
    """A group, and what stands in it."""

    cluster: dict[str, str]
    nodes: list[str]
    parents: list[str]


class FlowGraph(msgspec.Struct, frozen=True):
    """A flow as a graph."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    clusters: list[GraphCluster]


def flow_of(found: Revision, *, source: bool) -> dict[str, object]:
    """A revision of a flow, with its text where that is wanted."""
    written = plain(parse(found.source, []))
    told = dict(written) if isinstance(written, dict) else {}
    if isinstance(labels := told.get("labels"), dict):
        told["labels"] = [{"key": name, "value": value} for name, value in labels.items()]
    disabled = told.get("disabled")
    told |= {
        "id": found.id,
        "namespace": found.namespace,
        "revision": found.revision,
        "updated": instant(found.created_at),
        "disabled": disabled if isinstance(disabled, bool) else False,
        "draft": False,
        "deleted": False,
    }
    return told | ({"source": found.source} if source else {})


def violation(index: int, reading: Reading, outdated: bool) -> Violation:
    """What was found in a text."""
    wrong = [each for each in reading.problems if each.severity is Severity.ERROR]
    return Violation(
        index=index,
        flow=reading.flow.id if reading.flow else None,
        namespace=reading.flow.namespace if reading.flow else None,
        constraints="\n".join(f"{each.path}: {each.sentence}".removeprefix(": ") for each in wrong) or None,
        outdated=outdated,
        deprecation_paths=[],
        warnings=[each.sentence for each in reading.problems if each.severity is Severity.WARNING],
        infos=[each.sentence for each in reading.problems if each.severity is Severity.NOTE],
    )


def graph_told(graph: Graph) -> FlowGraph:
    """A graph: `root` is the group that all stands in."""
    inside: dict[str, list[str]] = {}
    for node in graph.nodes:
        inside.setdefault(node.parent or ROOT, []).append(node.id)
    parents = {node.id: node.parent or ROOT for node in graph.nodes}
    return FlowGraph(
        nodes=[GraphNode(uid=each.id, type=each.type, task={"id": each.id, "type": each.type}) for each in graph.nodes],
        edges=[GraphEdge(each.source, each.target) for each in graph.edges],
        clusters=[
            GraphCluster({"uid": name}, nodes, [parents[name]] if name in parents else [])
            for name, nodes in inside.items()
        ],
    )
