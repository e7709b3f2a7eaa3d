"""Does a flow fit together as a whole? Ids that repeat, inputs that wait in a circle, a flow that calls itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.groups import OF_VALUES
from penstock.dialects.kestra.page import Page, shown, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text
from penstock.errors import nearest
from penstock.errors.flow import Cycle, DuplicateId, Recursion, UnknownDependency
from penstock.model.flow import Flow
from penstock.model.node import Subflow
from penstock.model.plan import every_node

LONGEST_CIRCLE = 8
LISTS = ("tasks", "errors", "finally", "then", "else", "defaults", "afterExecution", "listeners")


def check_flow(page: Page, tree: Map, flow: Flow) -> None:
    """Note everything that can be seen only when the flow is seen whole."""
    _unique(page, (part.entries["id"] for part in _tasks(tree) if "id" in part.entries), "task")
    _made_up(page, tree, flow)
    for name, word in (("inputs", "input"), ("outputs", "output"), ("triggers", "trigger")):
        _unique(page, _ids(tree, name), word)
    _dependencies(page, tree, flow)
    _recursion(page, tree, flow)


def _unique(page: Page, found: Iterable[Tree], word: str) -> None:
    first: dict[str, int] = {}
    for tree in found:
        if not isinstance(tree, Scalar):
            continue
        name = as_text(tree)
        if name in first:
            sentence = f'There are two {word}s with the id "{shown(name)}".'
            tell(page, DuplicateId, tree, sentence, f"The first is in line {first[name]}.")
        else:
            first[name] = tree.line


def _made_up(page: Page, tree: Map, flow: Flow) -> None:
    """No id that the reading itself makes up is one that a person has given to another task."""
    seen: set[str] = set()
    for node in every_node(flow):
        if node.id in seen and node.id.endswith(OF_VALUES):
            tell(
                page,
                DuplicateId,
                tree,
                f'No task can be called "{node.id}" here.',
                "A loop needs this name for itself.",
            )
        seen.add(node.id)


def _ids(tree: Map, name: str) -> Iterator[Tree]:
    found = tree.entries.get(name)
    for item in found.items if isinstance(found, Items) else ():
        if isinstance(item, Map):
            for word in ("id", "name"):
                if word in item.entries:
                    yield item.entries[word]
                    break


def _tasks(tree: Map) -> Iterator[Map]:
    """Every task of a flow or a group, in the order written."""
    for name, part in tree.entries.items():
        lists = [part]
        if name == "cases" and isinstance(part, Map):
            lists = list(part.entries.values())
        elif name not in LISTS:
            continue
        for each in lists:
            for item in each.items if isinstance(each, Items) else ():
                inner = item.entries.get("task") if isinstance(item, Map) else None
                task = inner if isinstance(inner, Map) else item
                if isinstance(task, Map):
                    yield task
                    yield from _tasks(task)


def _dependencies(page: Page, tree: Map, flow: Flow) -> None:
    names = [each.id for each in flow.inputs]
    places = {as_text(name): name for name in _ids(tree, "inputs") if isinstance(name, Scalar)}
    waits = {each.id: each.depends_on for each in flow.inputs}
    for each in flow.inputs:
        for other in each.depends_on:
            if other not in waits:
                at = _dependency(tree, each.id, other, places.get(each.id, tree))
                sentence = f'Input "{shown(each.id)}" waits for "{shown(other)}", which does not exist.'
                tell(page, UnknownDependency, at, sentence, nearest(other, names))
    for circle in _circles(waits):
        way = circle if len(circle) <= LONGEST_CIRCLE else (*circle[:LONGEST_CIRCLE], "…")
        sentence = f"Inputs wait for each other in a circle: {' → '.join(map(shown, (*way, circle[0])))}."
        tell(page, Cycle, places.get(circle[0], tree), sentence)


def _dependency(tree: Map, name: str, other: str, otherwise: Tree) -> Tree:
    """Where an input says that it waits for another."""
    found = tree.entries.get("inputs")
    for item in found.items if isinstance(found, Items) else ():
        if isinstance(item, Map) and fields.given(item, "dependsOn") and _named(item) == name:
            note = item.entries["dependsOn"]
            listed = note.entries.get("inputs") if isinstance(note, Map) else None
            for each in listed.items if isinstance(listed, Items) else ():
                if isinstance(each, Scalar) and as_text(each) == other:
                    return each
    return otherwise


def _named(item: Map) -> str:
    found = item.entries.get("id") or item.entries.get("name")
    return as_text(found) if isinstance(found, Scalar) else ""


def _circles(waits: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Each circle once, beginning at its first input in the order written."""
    done: set[str] = set()
    for start in waits:
        trail: list[str] = []
        waiting: list[tuple[str, int]] = [(start, 0)]
        while waiting:
            name, depth = waiting.pop()
            del trail[depth:]
            if name in trail:
                yield tuple(trail[trail.index(name) :])
                continue
            if name in done or name not in waits:
                continue
            trail.append(name)
            done.add(name)
            waiting.extend((other, depth + 1) for other in reversed(waits[name]))


def _recursion(page: Page, tree: Map, flow: Flow) -> None:
    own = {node.id for node in every_node(flow) if isinstance(node, Subflow) and _calls(node, flow)}
    for task in _tasks(tree) if own else ():
        called = task.entries.get("flowId")
        if called is not None and _named(task) in own:
            sentence = f'Task "{_named(task)}" runs this same flow, {flow.name}, which would run itself again.'
            tell(page, Recursion, called, sentence)


def _calls(node: Subflow, flow: Flow) -> bool:
    return node.namespace == flow.namespace and node.flow == flow.id
