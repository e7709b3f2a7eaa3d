"""Which outputs of tasks in loops are read wrongly? They are kept by value, the outermost loop's first."""

from __future__ import annotations

from collections.abc import Iterator

from penstock import expr
from penstock.dialects.kestra.page import Page
from penstock.dialects.kestra.reach import Post
from penstock.errors import Place, Problem, Severity, nearest
from penstock.errors.expr import UnknownName
from penstock.errors.flow import LoopOutput
from penstock.expr.nodes import Const, Expr, Item, Name
from penstock.expr.uses import expressions, walk
from penstock.model.node import Folder, ForEach, If, Node, Pause, Subflow, Switch, Task, Until

CAUGHT = ("??", "default", "defined")


def fields_of(page: Page, node: Node) -> tuple[str, ...] | None:
    """The fields of what a node hands on; None when they cannot be known."""
    match node:
        case Task(type=kind):
            info = page.types.find(kind)
            # What does people's own code may hand on anything, and says nothing of it.
            if info is None or (not info.outputs and info.mode != "inline"):
                return None
            named = node.properties.get("output") if "output" in info.fields else None
            return (*info.outputs, named) if isinstance(named, str) and named else info.outputs
        case Subflow():
            return ("executionId", "state", "outputs")
        case If():
            return ("evaluationResult",)
        case Switch():
            return ("value", "defaults")
        case Pause():
            return ("onResume", "resumed")
        case Until():
            return ("iterationCount",)
        case Folder():
            return ("outputFiles",)
        case ForEach(gathers=True):
            counted = ("iterationCount", "runningIterations", "terminatedIterations")
            return (*counted, "outputs") if node.outputs else counted
        case ForEach(tallies=True):
            return ("numberOfBatches", "iterations")
        case _:
            return ()


def read_by_value(page: Page, template: expr.Template, posts: dict[str, Post]) -> Iterator[Problem]:
    """Problems with the outputs of tasks in loops, with places that count from the template's text."""
    names = {path[1] for path in template.uses.paths if len(path) > 1 and path[0] == "outputs" and path[1] in posts}
    if not any(posts[name].loops for name in names) or any(word in template.text for word in CAUGHT):
        return
    for outermost in expressions(template.body):
        for node in walk(outermost):
            keys = _keys(node)
            name = _word(keys[0]) if keys else None
            if name in names and posts[name].loops:
                yield from _one(page, template.text, posts[name], keys)


def _one(page: Page, text: str, post: Post, keys: list[Item]) -> Iterator[Problem]:
    fields = fields_of(page, post.node)
    first = _word(keys[1]) if len(keys) > 1 else None
    if fields is None:
        return
    if first in fields:
        value = "parent.taskrun.value" if post.loops > 1 else "taskrun.value"
        sentence = f"`{post.node.id}` runs once for each value of a loop, so its outputs are kept by value."
        hint = f"Inside the loop write `outputs.{post.node.id}[{value}]…`."
        yield Problem(LoopOutput.code, sentence, _place(text, keys[1].at), hint, Severity.WARNING)
    elif len(keys) > post.loops + 1:
        field = _word(keys[post.loops + 1])
        if field is not None and field not in fields:
            sentence = f"The outputs of `{post.node.id}` have no `{field}`."
            yield Problem(UnknownName.code, sentence, _place(text, keys[post.loops + 1].at), nearest(field, fields))


def _keys(node: Expr) -> list[Item]:
    """The steps of a path that begins at `outputs`, the first one first."""
    steps: list[Item] = []
    while isinstance(node, Item):
        steps.append(node)
        node = node.of
    return steps[::-1] if isinstance(node, Name) and node.name == "outputs" else []


def _word(step: Item) -> str | None:
    return step.key.value if isinstance(step.key, Const) and isinstance(step.key.value, str) else None


def _place(text: str, at: int) -> Place:
    return Place(text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)
