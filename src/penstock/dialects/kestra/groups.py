"""How are tasks arranged? One reader for each way that the language has and the engine knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from penstock.dialects.kestra import fields
from penstock.dialects.kestra.inputs import outputs
from penstock.dialects.kestra.labels import labels
from penstock.dialects.kestra.page import Page, key_of, note_templates, tell
from penstock.dialects.kestra.tree import Items, Map, Scalar, Tree, as_text, plain
from penstock.errors import Severity
from penstock.errors.flow import Certain, Deprecated, NothingToDo, WrongValue
from penstock.model.node import ForEach, If, Node, Parallel, Sequence, Subflow, Switch
from penstock.model.policy import OnChildFailure

Children: TypeAlias = Callable[[Map, str], tuple[Node, ...]]
Reader: TypeAlias = Callable[[Page, Map, str, Children], Node]


def sequence(page: Page, tree: Map, name: str, children: Children) -> Node:
    """One after the other."""
    return Sequence(id=name, nodes=tasks(page, tree, name, children))


def allow_failure(page: Page, tree: Map, name: str, children: Children) -> Node:
    """One after the other, and a failure is only a warning outside."""
    return Sequence(id=name, nodes=tasks(page, tree, name, children), allow_failure=True)


def parallel(page: Page, tree: Map, name: str, children: Children) -> Node:
    """Side by side; what a failure does to siblings depends on the language version where it is not written."""
    default = "FAIL" if page.version == "2" else "CONTINUE"
    word = fields.choice(page, tree, "onChildFailure", ("CONTINUE", "CANCEL", "FAIL"), default)
    return Parallel(
        id=name,
        nodes=tasks(page, tree, name, children),
        limit=fields.how_many(page, tree, "concurrent", name),
        on_child_failure=OnChildFailure(word.lower()),
    )


def foreach(page: Page, tree: Map, name: str, children: Children) -> Node:
    """Once for each value."""
    limit = fields.how_many(page, tree, "concurrencyLimit", name, default=1)
    return ForEach(
        id=name, values=_values(page, tree, "values", name), nodes=tasks(page, tree, name, children), limit=limit
    )


def loop(page: Page, tree: Map, name: str, children: Children) -> Node:
    """Once for each value, each for itself; what the iterations hand on is gathered.

    Its `errors` and `finally` belong to each iteration, which then holds a group of all of them.
    """
    transmit = fields.flag(page, tree, "transmitFailed", True)
    nodes = tasks(page, tree, name, children)
    errors, last = children(tree, "errors"), children(tree, "finally")
    if errors or last:
        nodes = (Sequence(id=f"{name[:93]}{OF_VALUES}", nodes=nodes, errors=errors, finally_=last),)
    fields.choice(page, tree, "fetchType", ("AUTO", "FETCH", "STORE"), "AUTO")
    return ForEach(
        id=name,
        values=_values(page, tree, "values", name),
        nodes=nodes,
        limit=fields.how_many(page, tree, "concurrencyLimit", name),
        distinct=False,
        on_child_failure=OnChildFailure.CONTINUE if transmit else OnChildFailure.FINISH,
        gathers=True,
        outputs=outputs(page, tree, name),
        # Of what is not told to the outside, neither the failures nor the warnings count there.
        allow_failure=not transmit,
        allow_warning=not transmit,
    )


def each_sequential(page: Page, tree: Map, name: str, children: Children) -> Node:
    """The older word for a loop over one value at a time."""
    return ForEach(id=name, values=_values(page, tree, "value", name), nodes=tasks(page, tree, name, children), limit=1)


def each_parallel(page: Page, tree: Map, name: str, children: Children) -> Node:
    """The older word for a loop over all values at once, in which the tasks of one value go side by side too."""
    nodes = tasks(page, tree, name, children)
    if len(nodes) > 1:
        nodes = (Parallel(id=f"{name[:93]}{OF_VALUES}", nodes=nodes),)
    limit = fields.how_many(page, tree, "concurrent", name)
    return ForEach(id=name, values=_values(page, tree, "value", name), nodes=nodes, limit=limit)


def if_(page: Page, tree: Map, name: str, children: Children) -> Node:
    """One of two branches."""
    fields.needed(page, tree, "condition", f'Task "{name}"')
    condition = fields.template(page, tree, "condition", name, "decides")
    certain(page, tree, "condition", condition)
    then = children(tree, "then")
    some(page, tree, "then", f'Task "{name}" has no tasks in "then".')
    return If(id=name, condition=condition, then=then, else_=children(tree, "else"))


def switch(page: Page, tree: Map, name: str, children: Children) -> Node:
    """The branch that a value names."""
    fields.needed(page, tree, "value", f'Task "{name}"')
    value = fields.template(page, tree, "value", name, "decides")
    found = fields.mapping(page, tree, "cases")
    cases = {} if found is None else {case: children(found, case) for case in found.entries}
    default = children(tree, "defaults")
    if not default and not any(cases.values()):
        tell(page, NothingToDo, tree, f'Task "{name}" has tasks neither in "cases" nor in "defaults".')
    return Switch(id=name, value=value, cases=cases, default=default)


def subflow(page: Page, tree: Map, name: str, _: Children) -> Node:
    """A run of another flow."""
    owner = f'Task "{name}"'
    fields.needed(page, tree, "namespace", owner)
    fields.needed(page, tree, "flowId", owner)
    given = fields.mapping(page, tree, "inputs")
    for each in ("inputs", "labels"):
        if each in tree.entries:
            note_templates(page, tree.entries[each], name, "task", printed=each == "labels")
    if "outputs" in tree.entries:
        hint = "Declare `outputs` in the other flow; they are at `outputs." + name + ".outputs`."
        tell(
            page,
            Deprecated,
            tree.keys["outputs"],
            "A subflow's `outputs` are not read any more.",
            hint,
            Severity.WARNING,
        )
    return Subflow(
        id=name,
        namespace=fields.template(page, tree, "namespace", name, "decides"),
        flow=fields.template(page, tree, "flowId", name, "decides"),
        revision=fields.whole(page, tree, "revision", least=1),
        inputs={} if given is None else {key: plain(item) for key, item in given.entries.items()},
        labels=dict(labels(page, tree)),
        wait=fields.flag(page, tree, "wait", True),
        transmit_failed=fields.flag(page, tree, "transmitFailed", True),
        transmit_cancelled=page.version != "0.20",
        inherit_labels=fields.flag(page, tree, "inheritLabels"),
        at=fields.template(page, tree, "scheduleDate", name, "task"),
        go_on=fields.choice(page, tree, "restartBehavior", RESTARTS, RESTARTS[0]) == RESTARTS[0],
    )


def later(page: Page, tree: Map, name: str, children: Children) -> Node:
    """A way that cannot be run yet: its tasks are read, so that what is wrong with them is told too."""
    return Sequence(id=name, nodes=children(tree, "tasks"))


def certain(page: Page, tree: Map, name: str, condition: str) -> None:
    """Warn of a condition that looks false and is true, as the language has it."""
    if condition.strip().lower() in LOOKS_FALSE and condition.strip() != "false":
        sentence = f'The condition "{condition}" is always true: only "", "false", "0" and "-0" are false.'
        tell(page, Certain, tree.entries[name], sentence, severity=Severity.WARNING)


def tasks(page: Page, tree: Map, name: str, children: Children) -> tuple[Node, ...]:
    """The tasks of a group, of which there must be one."""
    nodes = children(tree, "tasks")
    some(page, tree, "tasks", f'Task "{name}" has no tasks.')
    return nodes


def some(page: Page, tree: Map, key: str, sentence: str) -> None:
    """Note that a list of tasks is empty or not there."""
    found = fields.given(tree, key)
    if found is None or (isinstance(found, Items) and not found.items):
        tell(page, NothingToDo, key_of(tree, key), sentence)


def _values(page: Page, tree: Map, word: str, name: str) -> list[object] | dict[str, object] | str:
    found = fields.needed(page, tree, word, f'Task "{name}"')
    if found is None:
        return []
    note_templates(page, found, name, "decides")
    match found:
        case Items():
            for item in found.items:
                _value(page, item, name)
            return [plain(item) for item in found.items]
        case Map():
            return {key: plain(item) for key, item in found.entries.items()}
        case Scalar() if isinstance(found.value, str):
            if "{" not in found.text and not found.text.lstrip().startswith("["):
                fields.wrong(page, found, word, "a list, or an expression that gives one")
            return as_text(found)
        case Scalar():
            fields.wrong(page, found, word, "a list, or an expression that gives one")
            return []


def _value(page: Page, item: Tree, name: str) -> None:
    if isinstance(item, Scalar) and item.value is None:
        tell(page, WrongValue, item, f'A value of the loop "{name}" is empty.', 'Write "" where empty text is meant.')


RESTARTS: Final = ("RETRY_FAILED", "NEW_EXECUTION")
OF_VALUES: Final = "-values"
# Whose errors and finally are read with their tasks, since they do not stand around the whole of them.
OWN_ENDS: Final = frozenset({"loop", "pause"})
LOOKS_FALSE: Final = frozenset({"false", "no", "off", "null", "none", "0.0", "[]", "{}"})
READERS: Final[dict[str, tuple[Reader, tuple[str, ...]]]] = {
    "sequence": (sequence, ("tasks",)),
    "allow_failure": (allow_failure, ("tasks",)),
    "parallel": (parallel, ("tasks", "concurrent", "onChildFailure")),
    "foreach": (foreach, ("tasks", "values", "concurrencyLimit")),
    "loop": (loop, ("tasks", "values", "concurrencyLimit", "transmitFailed", "fetchType", "outputs")),
    "each_sequential": (each_sequential, ("tasks", "value")),
    "each_parallel": (each_parallel, ("tasks", "value", "concurrent")),
    "if": (if_, ("condition", "then", "else")),
    "switch": (switch, ("value", "cases", "defaults")),
    "subflow": (
        subflow,
        (
            "namespace",
            "flowId",
            "revision",
            "inputs",
            "labels",
            "wait",
            "transmitFailed",
            "inheritLabels",
            "scheduleDate",
            "outputs",
            "restartBehavior",
        ),
    ),
}
