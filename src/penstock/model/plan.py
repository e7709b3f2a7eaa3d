"""Where does each node stand in its flow? Computed once per revision; node ids are unique, so an id is an address."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from penstock.model import ids
from penstock.model.flow import Flow
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    Group,
    If,
    Node,
    Parallel,
    Pause,
    Sequence,
    Subflow,
    Switch,
    Task,
    Until,
)

ROOT = ""
ERRORS = "errors"
FINALLY = "finally"
AFTER = "after"
TASKS = "tasks"
ASIDE = frozenset({ERRORS, FINALLY, AFTER})
LOOPS = (ForEach, Until)


class Seat(msgspec.Struct, frozen=True):
    """A node's place: its parent's id, the list it stands in (tasks, errors, finally, after, then, else, case:x,
    default), its position.
    """

    node: Node
    parent: str
    branch: str
    position: int


class Graph(msgspec.Struct, frozen=True):
    """A dag's edges by position in its list: whom each node needs, and who needs it."""

    needs: tuple[tuple[int, ...], ...]
    dependents: tuple[tuple[int, ...], ...]


class Plan(msgspec.Struct, frozen=True):
    """A flow with the seat of each node; disabled nodes have no seat and stand in no list (nobody waits for them)."""

    flow: Flow
    seats: dict[str, Seat]
    lists: dict[tuple[str, str], tuple[Node, ...]]
    graphs: dict[str, Graph] = {}
    has_folders: bool = False
    has_limits: bool = False
    # Pauses that people let go on with a secret.
    secret_pauses: frozenset[str] = frozenset()

    def node(self, node_id: str) -> Node:
        """The node of this id (the root group for the empty one); KeyError when there is none."""
        return self.flow.body if node_id == ROOT else self.seats[node_id].node

    def children(self, node_id: str, branch: str) -> tuple[Node, ...]:
        """The enabled nodes of one list of a group, in order."""
        return self.lists.get((node_id, branch), ())

    def parent_key(self, key: str) -> str:
        """The key of the group that holds the step `key`: the iteration inside a loop, the root's empty key at the
        top.
        """
        if "#" in key:
            return ids.whole_of(key)
        node_id = ids.node_of(key)
        prefix = ids.loop_prefix(key)
        if ids.iteration_of(key) is not None:
            return prefix + node_id
        seat = self.seats[node_id]
        if isinstance(self.node(seat.parent), LOOPS) and seat.branch == TASKS:
            return prefix[:-1]
        return prefix + seat.parent if seat.parent else ROOT

    def ancestors(self, key: str) -> Iterator[str]:
        """Keys of the groups around a step, from the nearest out; the root's empty key comes last."""
        while key != ROOT:
            key = self.parent_key(key)
            yield key

    def is_aside(self, key: str) -> bool:
        """Does the step stand in the errors, finally or after list of its group, and not among its tasks?"""
        return ids.iteration_of(key) is None and self.seats[ids.node_of(key)].branch in ASIDE

    def lies_aside(self, key: str) -> bool:
        """Does the step lie anywhere in what stands aside, whose end changes nothing of its run's?"""
        return any(around and self.is_aside(around) for around in (key, *self.ancestors(key)))

    def is_after(self, key: str) -> bool:
        """Does the step lie among the tasks after the end of its run?"""
        if not self.flow.after:
            return False
        return any(around and self.seats[ids.node_of(around)].branch == AFTER for around in (key, *self.ancestors(key)))

    def folder_of(self, key: str) -> str:
        """The key of the working directory among whose tasks a step lies; empty when in none."""
        if self.has_folders:
            below = key
            for around in self.ancestors(key):
                inside = around and ids.iteration_of(around) is None and not self.is_aside(below)
                if inside and isinstance(self.node(ids.node_of(around)), Folder):
                    return around
                below = around
        return ""

    def child_key(self, parent_key: str, node: Node, branch: str) -> str:
        """The key of a child of the group at `parent_key`."""
        if branch == TASKS and ids.iteration_of(parent_key) is not None:
            return f"{parent_key}/{node.id}"
        return ids.loop_prefix(parent_key) + node.id


def plan(flow: Flow) -> Plan:
    """Give every enabled node its seat."""
    seats: dict[str, Seat] = {}
    lists: dict[tuple[str, str], tuple[Node, ...]] = {}
    graphs: dict[str, Graph] = {}
    waiting: list[Node] = [flow.body]
    while waiting:
        group = waiting.pop()
        held = branches(group) if group is not flow.body else (*branches(group), (AFTER, flow.after))
        for branch, nodes in held:
            enabled = tuple(node for node in nodes if not node.disabled)
            lists[group.id, branch] = enabled
            for position, node in enumerate(enabled):
                seats[node.id] = Seat(node, group.id, branch, position)
            waiting.extend(enabled)
        if isinstance(group, Dag):
            graphs[group.id] = graph(group, lists[group.id, TASKS])
    has_folders = any(isinstance(seat.node, Folder) for seat in seats.values())
    has_limits = bool(flow.limits) or any(isinstance(s.node, Task) and s.node.limits for s in seats.values())
    pauses = (seat.node for seat in seats.values() if isinstance(seat.node, Pause))
    secret = frozenset(pause.id for pause in pauses if any(each.type == "SECRET" for each in pause.inputs))
    return Plan(flow, seats, lists, graphs, has_folders, has_limits, secret)


def graph(dag: Dag, enabled: tuple[Node, ...]) -> Graph:
    """The edges of a dag between the nodes that are enabled."""
    places = {node.id: place for place, node in enumerate(enabled)}
    needs = [tuple(places[one] for one in _on(dag, node) if one in places) for node in enabled]
    dependents: list[list[int]] = [[] for _ in enabled]
    for place, wanted in enumerate(needs):
        for one in dict.fromkeys(wanted):
            dependents[one].append(place)
    return Graph(tuple(needs), tuple(tuple(those) for those in dependents))


def _on(dag: Dag, node: Node) -> tuple[str, ...]:
    need = dag.needs.get(node.id)
    return need.on if need else ()


def branches(node: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Every list of nodes that a node holds, with its name."""
    match node:
        case Sequence() | Parallel() | ForEach() | Dag() | Until() | Folder():
            yield TASKS, node.nodes
        case If():
            yield "then", node.then
            yield "else", node.else_
        case Switch():
            for case, nodes in node.cases.items():
                yield f"case:{case}", nodes
            yield "default", node.default
        case Task() | Subflow() | Pause():
            pass
    if isinstance(node, Group):
        yield ERRORS, node.errors
        yield FINALLY, node.finally_


def every_node(flow: Flow) -> Iterator[Node]:
    """All nodes of a flow, disabled ones too, parents before their children, in the order written."""
    waiting: list[Node] = [*reversed(flow.after), flow.body]
    while waiting:
        node = waiting.pop()
        if node.id:
            yield node
        waiting.extend(reversed([child for _, nodes in branches(node) for child in nodes]))
