"""How are tasks arranged that need more than an order? Graphs, loops until, pauses, working directories, batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.groups import READERS, Children, Reader, some, subflow, tasks
from penstock.dialects.kestra.inputs import declared
from penstock.dialects.kestra.older import of_pause
from penstock.dialects.kestra.page import Page, key_of, note_templates, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, as_text, plain
from penstock.errors import Severity, nearest
from penstock.errors.flow import Cycle, NoEffect, UnfitProperty, UnknownDependency
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    Keep,
    Need,
    Node,
    Pause,
    PauseEnd,
    Sequence,
    Subflow,
    Task,
    TriggerRule,
    Until,
)
from penstock.model.plan import ASIDE, branches
from penstock.model.policy import SECOND, OnChildFailure

MINUTE: Final = 60 * SECOND
RULES: Final = tuple(rule.value.upper() for rule in TriggerRule if rule is not TriggerRule.ALL_DONE_SETUP_SUCCESS)
ALL_DONE, NONE_FAILED = TriggerRule.ALL_DONE, TriggerRule.NONE_FAILED
EDGES: Final = ("dependsOn", "teardownOf")
FILES: Final = ("inputFiles", "outputFiles", "namespaceFiles", "cache")
OF_NAMESPACE: Final = ("enabled", "include", "exclude", "namespaces", "ifExists", "folderPerNamespace")
# What these do is done to the run, and not by a worker in a folder.
BY_THE_ENGINE: Final = frozenset({"labels", "exit", "variables.set", "variables.unset"})
OF_PAUSE: Final = "-group"


def dag(page: Page, tree: Map, name: str, children: Children) -> Node:
    """By what each depends on. As in Kestra a failure lets nothing more begin; a `rule` on a task, or one that takes
    down what others set up, decides otherwise: what has no rule then begins when nothing it depends on has failed.
    """
    entries = list(fields.maps(page, tree, "tasks", "An entry of a Dag"))
    some(page, tree, "tasks", f'Task "{name}" has no tasks.')
    ruled = any(key in item.entries for item in entries for key in ("rule", "teardownOf"))
    nodes: list[Node] = []
    needs: dict[str, Need] = {}
    for index, item in enumerate(entries):
        fields.known(page, item, ("task", *EDGES, "rule"), "An entry of a Dag")
        inner = fields.needed(page, item, "task", "An entry of a Dag")
        if not isinstance(inner, Map):
            continue
        only = Items(item.line, item.column, (inner,))
        node = children(Map(item.line, item.column, {str(index): only}, {}), str(index))
        nodes += node
        if node:
            needs[node[0].id] = _need(page, item, ruled=ruled)
    _edges(page, tree, needs)
    default = "FINISH" if ruled else "CONTINUE"
    word = fields.choice(page, tree, "onChildFailure", ("CONTINUE", "CANCEL", "FAIL", "FINISH"), default)
    tears = {one for one, need in needs.items() if need.setups}
    return Dag(
        id=name,
        nodes=tuple(nodes),
        needs={one: need for one, need in needs.items() if need.on or need.rule not in (ALL_DONE, NONE_FAILED)},
        limit=fields.how_many(page, tree, "concurrent", name),
        judges=tuple(node.id for node in nodes if node.id not in tears) if tears else (),
        on_child_failure=OnChildFailure(word.lower()),
    )


def _need(page: Page, item: Map, *, ruled: bool) -> Need:
    """What an entry of a dag waits for; what it takes down must have been set up, and what used it be done."""
    on, setups = (fields.texts(page, item, key) for key in EDGES)
    rule = fields.choice(page, item, "rule", RULES, "NONE_FAILED" if ruled else "ALL_DONE")
    if not setups:
        return Need(on, TriggerRule(rule.lower()))
    if "rule" in item.entries:
        hint = "It begins when all it depends on has ended, and what it takes down had been set up."
        tell(page, NoEffect, item.keys["rule"], '"rule" has no effect beside "teardownOf".', hint, Severity.WARNING)
    return Need((*on, *(one for one in setups if one not in on)), TriggerRule.ALL_DONE_SETUP_SUCCESS, setups)


def _edges(page: Page, tree: Map, needs: dict[str, Need]) -> None:
    """Note edges to nowhere, and circles, in which nothing could ever begin."""
    for item in fields.maps(page, tree, "tasks", "An entry of a Dag"):
        for one in (*fields.items(page, item, EDGES[0]), *fields.items(page, item, EDGES[1])):
            if isinstance(one, Scalar) and as_text(one) not in needs:
                sentence = f'There is no task "{as_text(one)}" in this Dag.'
                tell(page, UnknownDependency, one, sentence, nearest(as_text(one), needs))
    waiting = {name: {one for one in need.on if one in needs} for name, need in needs.items()}
    while free := [name for name, on in waiting.items() if not on]:
        for name in free:
            del waiting[name]
        for on in waiting.values():
            on.difference_update(free)
    if waiting:
        named = ", ".join(f'"{name}"' for name in waiting)
        tell(page, Cycle, tree.entries["tasks"], f"These tasks wait for each other: {named}.")


def loop_until(page: Page, tree: Map, name: str, children: Children) -> Node:
    """Again and again until a condition is true; the limits that are not written depend on the language version."""
    old = page.version == "0.20"
    fields.needed(page, tree, "condition", f'Task "{name}"')
    often = fields.mapping(page, tree, "checkFrequency") or Map(tree.line, tree.column, {}, {})
    fields.known(page, often, ("maxIterations", "maxDuration", "interval"), "`checkFrequency`")
    most = fields.whole(page, often, "maxIterations", least=1)
    longest = fields.duration(page, often, "maxDuration")
    interval = fields.duration(page, often, "interval")
    if old:
        # The release 0.20 asks whether there were more than the maximum, so that one more is done.
        most, longest = (100 if most is None else most) + 1, 60 * MINUTE if longest is None else longest
    return Until(
        id=name,
        condition=fields.template(page, tree, "condition", name, "decides"),
        nodes=tasks(page, tree, name, children),
        most=most,
        longest=longest,
        interval=(SECOND if old else MINUTE) if interval is None else interval,
        keep=Keep(fields.choice(page, tree, "keep", ("LAST", "ALL"), "LAST").lower()),
        fail_at_most=fields.flag(page, tree, "failOnMaxReached"),
    )


def pause(page: Page, tree: Map, name: str, children: Children) -> Node:
    """Until somebody resumes it, or its time is over; what stands around it becomes a sequence around it."""
    of_pause(page, tree)
    delay = _delay(page, tree, name, "pauseDuration" if "pauseDuration" in tree.entries else "delay")
    word = fields.choice(page, tree, "behavior", tuple(end.value.upper() for end in PauseEnd), "RESUME")
    if delay == "":
        delay = _delay(page, tree, name, "timeout")
        word = "FAIL" if delay != "" else word
    node = Pause(
        id=name, delay=delay, at_end=PauseEnd(word.lower()), inputs=declared(page, tree, "onResume", name),
        resumers=fields.texts(page, tree, "resumers"),
    )  # fmt: skip
    before: tuple[Node, ...] = ()
    first = fields.mapping(page, tree, "onPause")
    if first is not None:
        one = Items(first.line, first.column, (first,))
        before = children(Map(tree.line, tree.column, {"onPause": one}, {}), "onPause")
    errors, last = children(tree, "errors"), children(tree, "finally")
    behind = children(tree, "tasks")
    if not (before or behind or errors or last):
        return node
    return Sequence(id=f"{name[:94]}{OF_PAUSE}", nodes=(*before, node, *behind), errors=errors, finally_=last)


def working_directory(page: Page, tree: Map, name: str, children: Children) -> Node:
    """One after the other in one folder on one worker."""
    properties: dict[str, object] = {}
    for key in FILES:
        found = fields.given(tree, key)
        if found is not None:
            note_templates(page, found, name, "task")
            properties[key] = plain(found)
    kept = fields.mapping(page, tree, "cache")
    if kept is not None:
        fields.known(page, kept, ("patterns", "ttl"), "`cache`")
        fields.needed(page, kept, "patterns", "`cache`")
        ttl = fields.duration(page, kept, "ttl")
        found_patterns = list(fields.texts(page, kept, "patterns"))
        properties["cache"] = {"patterns": found_patterns, "ttl": None if ttl is None else ttl / SECOND}
    files = fields.given(tree, "namespaceFiles")
    if isinstance(files, Map):
        fields.known(page, files, OF_NAMESPACE, "`namespaceFiles`")
    nodes = tasks(page, tree, name, children)
    for each in aside(nodes):
        sentence = f'"{each.id}" cannot stand in a working directory: its tasks are those that do work in it.'
        tell(page, UnfitProperty, key_of(tree, "tasks"), sentence, "Write it beside the working directory.")
    return Folder(id=name, nodes=nodes, properties=properties)


def aside(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """What cannot stand in a working directory, be it in a group there: what a worker does not do in a folder."""
    for node in nodes:
        if isinstance(node, Subflow | Pause) or (isinstance(node, Task) and node.type in BY_THE_ENGINE):
            yield node
        for branch, inside in branches(node):
            if branch not in ASIDE:
                yield from aside(inside)


def foreach_item(page: Page, tree: Map, name: str, children: Children) -> Node:
    """A file in batches, a run of another flow for each: written out as a split, a loop, subflows and a merge."""
    fields.needed(page, tree, "items", f'Task "{name}"')
    items = fields.template(page, tree, "items", name, "task")
    batch = fields.mapping(page, tree, "batch") or Map(tree.line, tree.column, {}, {})
    fields.known(page, batch, ("rows", "bytes", "partitions", "separator"), "`batch`")
    split: dict[str, object] = {"from": items}
    for key in ("rows", "bytes", "partitions", "separator"):
        if key in batch.entries:
            split[key] = plain(batch.entries[key])
    for key in ("rows", "partitions"):
        if isinstance(found := batch.entries.get(key), Scalar) and "{{" not in found.text:
            fields.whole(page, batch, key, least=1)
    if not any(key in split for key in ("rows", "bytes", "partitions")):
        split["rows"] = 1
    child = subflow(page, tree, f"{name[:90]}_batch", children)
    assert isinstance(child, Subflow)
    return batches(name, split, child)


def batches(name: str, split: dict[str, object], child: Subflow) -> Sequence:
    """What a loop over a file in batches is written out as: `split` says how it is split, `child` is run for each."""
    loop = ForEach(
        id=f"{name[:90]}_items",
        values=f"{{{{ outputs['{name[:90]}_split'].uris }}}}",
        nodes=(child,),
        limit=0,
        distinct=False,
        on_child_failure=OnChildFailure.FINISH,
        tallies=True,
    )
    return Sequence(
        id=name,
        nodes=(
            Task(id=f"{name[:90]}_split", type="files.split", properties={**split, "listed": True}),
            loop,
            Task(id=f"{name[:90]}_merge", type="files.write", properties=_gathered(child.id)),
        ),
    )


def _gathered(child: str) -> dict[str, object]:
    """A file with a line for each run that has handed on something: its outputs."""
    given = "(each.outputs ?? {}) is not empty"
    line = "{% if " + given + " %}{{ each.outputs | toJson }}\n{% endif %}"
    every = "{% for each in (outputs['" + child + "'] ?? {}) | values %}" + line + "{% endfor %}"
    return {"content": every, "extension": "jsonl", "output": "subflowOutputs", "keepEmpty": False}


def _delay(page: Page, tree: Map, name: str, key: str) -> str | int:
    found = fields.given(tree, key)
    if found is None:
        return ""
    if isinstance(found, Scalar) and "{{" in found.text:
        note_templates(page, found, name, "decides")
        return as_text(found)
    span = fields.span(page, found, key)
    return "" if span is None else span


OF_SUBFLOW: Final = READERS["subflow"][1]
WAYS: Final[dict[str, tuple[Reader, tuple[str, ...]]]] = {
    "dag": (dag, ("tasks", "concurrent", "onChildFailure")),
    "loop_until": (loop_until, ("tasks", "condition", "checkFrequency", "failOnMaxReached", "keep")),
    "pause": (pause, ("delay", "timeout", "pauseDuration", "behavior", "onResume", "onPause", "tasks", "resumers")),
    "working_directory": (working_directory, ("tasks", *FILES)),
    "foreach_item": (foreach_item, ("items", "batch", *OF_SUBFLOW)),
}
