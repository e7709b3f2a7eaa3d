"""Which expressions of a flow cannot work, as far as its text tells? Each is checked against the names at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock import expr
from penstock.dialects.kestra.page import Found, Page, add
from penstock.dialects.kestra.places import inside
from penstock.dialects.kestra.reach import Obstacle, Post, obstacle, posts
from penstock.dialects.kestra.tree import Scalar
from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.expr import UnknownName
from penstock.errors.flow import CannotHaveRun, SecretDecides
from penstock.model.flow import Flow
from penstock.model.node import If, Subflow, Switch, Task

FREE: Final = None
MOST: Final = 20
EVERYWHERE: Final = ("labels", "trigger", "envs", "kestra", "namespace", "schedule", "logicalDate", "dataInterval")
IN_TASKS: Final = ("parents", "error", "workingDir", "outputDir", "outputFiles", "workerTaskrun")
FLOW: Final = dict.fromkeys(("id", "namespace", "revision", "tenantId"))
EXECUTION: Final = dict.fromkeys(("id", "startDate", "originalId", "state", "outputs"))
TASK: Final = dict.fromkeys(("id", "type"))
TASKRUN: Final = dict.fromkeys(("id", "startDate", "attemptsCount", "parentId"))
ITERATION: Final = {**TASKRUN, **dict.fromkeys(("value", "iteration", "items"))}


class View(msgspec.Struct, frozen=True):
    """What is known of a flow while its expressions are checked; `names` by sort of place."""

    flow: Flow
    posts: dict[str, Post]
    lines: list[str]
    names: dict[str, dict[str, object]]


def check_templates(page: Page, flow: Flow, lines: list[str], globals: Mapping[str, object] | None) -> None:
    """Note what is wrong with every template that the reading has found."""
    if not page.templates:
        return
    found = posts(flow)
    view = View(flow, found, lines, _names(page, flow, found, globals))
    for template in page.templates:
        _one(page, view, template)


def _one(page: Page, view: View, found: Found) -> None:
    text = found.scalar.text
    try:
        template = expr.compile(text)
    except PenstockError as error:
        _note(page, view, found.scalar, error.problem())
        return
    names = view.names[_sort(view, found)]
    for problem in expr.check(template, names)[:MOST]:
        _note(page, view, found.scalar, problem)
    if found.sort in ("task", "decides"):
        _reach(page, view, found, template, names)
    if found.sort == "decides" and "secret" in template.uses.functions and page.version != "0.20":
        sentence = "A secret cannot decide which tasks run: the answer would be kept in the run's history."
        at = Problem(SecretDecides.code, sentence, _place(text, "secret"), SecretDecides.hint)
        _note(page, view, found.scalar, at)


def _sort(view: View, found: Found) -> str:
    if found.sort in ("input", "output"):
        return found.sort
    post = view.posts.get(found.owner)
    loops = post.loops if post else 0
    return ("task", "loop", "loops")[min(loops, 2)]


def _reach(page: Page, view: View, found: Found, template: expr.Template, names: dict[str, object]) -> None:
    """Note outputs that cannot be there yet. The check itself says where, and leaves out what `??` catches."""
    barred: dict[str, Obstacle] = {}
    for path in template.uses.paths:
        if len(path) > 1 and path[0] == "outputs" and path[1] in view.posts:
            reason = obstacle(view.posts, view.flow, found.owner, path[1])
            if reason is not None:
                barred[path[1]] = reason
    if not barred:
        return
    outputs = names["outputs"]
    assert isinstance(outputs, dict)
    left = {name: fields for name, fields in outputs.items() if name not in barred}
    for problem in expr.check(template, {**names, "outputs": left}):
        for name, reason in barred.items():
            if problem.code == UnknownName.code and problem.sentence.endswith(f"has no `{name}`."):
                severity = Severity.ERROR if reason.certain else Severity.WARNING
                verb = "is not there" if reason.certain else "may not be there"
                sentence = f"The output of `{name}` {verb} when this is read: {reason.why}."
                hint = "" if reason.certain else "`??` gives a value where it is missing."
                told = Problem(CannotHaveRun.code, sentence, problem.place, hint, severity)
                _note(page, view, found.scalar, told)


def _note(page: Page, view: View, scalar: Scalar, problem: Problem) -> None:
    """Add a problem whose place counts from the beginning of the template's text."""
    severity = problem.severity
    if page.version == "0.20" and severity is Severity.ERROR:
        severity = Severity.WARNING
    place: Place | None = None
    if scalar.line and problem.place is not None:
        place = Place(*inside(view.lines, scalar, _offset(scalar.text, problem.place)))
    add(page, msgspec.structs.replace(problem, place=place, severity=severity))


def _offset(text: str, place: Place) -> int:
    at = 0
    for _ in range(place.line - 1):
        at = text.index("\n", at) + 1
    return at + place.column - 1


def _place(text: str, word: str) -> Place:
    at = text.index(word)
    return Place(text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _names(
    page: Page, flow: Flow, found: dict[str, Post], globals: Mapping[str, object] | None
) -> dict[str, dict[str, object]]:
    variables = _below(flow.variables)
    base: dict[str, object] = {
        **dict.fromkeys(EVERYWHERE),
        "flow": FLOW,
        "execution": EXECUTION,
        "inputs": _nested(each.id for each in flow.inputs),
        "vars": variables,
        "variables": variables,
        "globals": FREE if globals is None else _below(globals),
    }
    ran: dict[str, object] = {
        "outputs": {name: _outputs(page, post) for name, post in found.items()},
        "tasks": dict.fromkeys(found),
    }
    task = {**base, **ran, **dict.fromkeys(IN_TASKS), "task": TASK, "taskrun": TASKRUN}
    loop = {**task, "taskrun": ITERATION}
    return {
        "input": base,
        "output": {**base, **ran, "error": FREE},
        "task": task,
        "loop": loop,
        "loops": {**loop, "parent": FREE},
    }


def _outputs(page: Page, post: Post) -> Mapping[str, object] | None:
    """The fields of a task's outputs; of one in a loop anything, since the loop's values come first."""
    if post.loops:
        return FREE
    match post.node:
        case Task(type=kind):
            info = page.types.find(kind)
            # What does people's own code may hand on anything, and says nothing of it.
            free = info is None or (not info.outputs and info.mode != "inline")
            return FREE if free or info is None else dict.fromkeys(info.outputs)
        case Subflow():
            return dict.fromkeys(("executionId", "state", "outputs"))
        case If():
            return dict.fromkeys(("evaluationResult",))
        case Switch():
            return dict.fromkeys(("value", "defaults"))
        case _:
            return {}


def _nested(names: Iterable[str]) -> dict[str, object]:
    """Names with dots as maps within maps."""
    tree: dict[str, object] = {}
    for name in names:
        *path, last = name.split(".")
        place = tree
        for part in path:
            below = place.get(part)
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        place.setdefault(last, FREE)
    return tree


def _below(values: Mapping[str, object]) -> dict[str, object]:
    """The names in nested maps; below a text or a list there may be anything, since it may be rendered or parsed."""
    return {name: _below(value) if isinstance(value, Mapping) else FREE for name, value in values.items()}
