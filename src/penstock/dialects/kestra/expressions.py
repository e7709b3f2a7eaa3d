"""Which expressions of a flow cannot work, as far as its text tells? Each is checked against the names at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock import expr
from penstock.dialects.kestra.loops import fields_of, read_by_value
from penstock.dialects.kestra.page import Found, Page, add
from penstock.dialects.kestra.places import inside
from penstock.dialects.kestra.reach import Obstacle, Post, obstacle, posts
from penstock.dialects.kestra.tree import Scalar
from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.expr import UnknownName
from penstock.errors.flow import BadPolicy, CannotHaveRun, SecretDecides, SecretPrinted
from penstock.model.flow import Flow
from penstock.model.node import Task
from penstock.sdk.launch import promised

FREE: Final = None
SETS_VARIABLES: Final = "variables.set"
MOST: Final = 20
# What these make of a secret does not tell it.
HIDING: Final = frozenset({"length", "md5", "sha1", "sha256", "sha512", "className", "encrypt"})
CUT: Final = "YAML makes a key of what stands before a `: `; quote the whole text."
SECRET_INPUT: Final = "Write `secret()` where the task needs it."
IN_RUNS: Final = dict.fromkeys(
    ("labels", "trigger", "envs", "logicalDate", "dataInterval", "workingDir", "outputDir", "inputFile")
)
FLOW: Final = dict.fromkeys(("id", "namespace", "revision"))
EXECUTION: Final = dict.fromkeys(("id", "startDate", "originalId", "state", "outputs"))
TASK: Final = dict.fromkeys(("id", "type"))
TASKRUN: Final = dict.fromkeys(("id", "startDate", "attemptsCount", "parentId"))
ITERATION: Final = {**TASKRUN, **dict.fromkeys(("value", "iteration", "items"))}


ITEM: Final = dict.fromkeys(("value", "index", "key", "parent", "parents"))


class View(msgspec.Struct, frozen=True):
    """What is known of a flow while its expressions are checked: names before a run, names in it, names by place."""

    flow: Flow
    posts: dict[str, Post]
    lines: list[str]
    before: dict[str, object]
    within: dict[str, object]
    names: dict[tuple[int, bool, bool, bool, bool], dict[str, object]] = {}


def check_templates(page: Page, flow: Flow, lines: list[str], globals: Mapping[str, object] | None) -> None:
    """Note what is wrong with every template that the reading has found."""
    if not page.templates:
        return
    found = posts(flow)
    before = _before(flow, globals)
    view = View(flow, found, lines, before, before | _within(page, flow, found))
    for template in page.templates:
        _one(page, view, template)


def _one(page: Page, view: View, found: Found) -> None:
    text = found.scalar.text
    try:
        template = expr.compile(text)
    except PenstockError as error:
        problem = error.problem()
        _note(page, view, found.scalar, msgspec.structs.replace(problem, hint=CUT) if _cut(view, found) else problem)
        return
    names = _names(view, found)
    for problem in expr.check(template, names)[:MOST]:
        _note(page, view, found.scalar, problem)
    if found.sort in ("task", "decides", "limit"):
        _reach(page, view, found, template, names)
    for problem in read_by_value(page, template, view.posts):
        _note(page, view, found.scalar, problem)
    if found.printed and (what := _secret(view.flow, template)):
        sentence = f"The secret {what} would be seen here by everybody who sees the run."
        hint = "Give secrets to the tasks that use them; what a run hands on has stars in their place."
        at = Problem(SecretPrinted.code, sentence, Place(1, 1), hint, Severity.WARNING)
        _note(page, view, found.scalar, at)
    if found.sort == "input" and "secret" in template.uses.functions:
        sentence = "A secret cannot become an input: inputs are kept in the run's history."
        _note(page, view, found.scalar, Problem(SecretDecides.code, sentence, _place(text, "secret"), SECRET_INPUT))
    if found.sort in ("limit", "iteration") and not template.pure:
        hint = "Make it of inputs, labels, variables and outputs alone."
        what = "key of a limit" if found.sort == "limit" else "output of an iteration"
        sentence = f"The {what} reaches out of the run."
        _note(page, view, found.scalar, Problem(BadPolicy.code, sentence, Place(1, 1), hint))
    if found.sort == "decides" and "secret" in template.uses.functions and page.version != "0.20":
        sentence = "A secret cannot decide which tasks run: the answer would be kept in the run's history."
        at = Problem(SecretDecides.code, sentence, _place(text, "secret"), SecretDecides.hint)
        _note(page, view, found.scalar, at)


def _cut(view: View, found: Found) -> bool:
    """Whether YAML took a `: ` in the middle of an expression for the end of a key."""
    scalar = found.scalar
    if scalar.style or not scalar.line:
        return False
    rest = view.lines[scalar.line - 1][scalar.column - 1 + len(scalar.text) :]
    return rest.lstrip().startswith(":") and "}}" in rest


def _secret(flow: Flow, template: expr.Template) -> str:
    """The secret that a template prints, as its author writes it; empty where it prints none."""
    if not HIDING.isdisjoint(template.uses.filters):
        return ""
    secret_inputs = [each.id for each in flow.inputs if each.type == "SECRET"]
    for path in template.uses.paths if secret_inputs else ():
        if path[0] == "inputs" and ".".join(path[1:]) in secret_inputs:
            return f"`{'.'.join(path)}`"
    return "of `secret()`" if "secret" in template.uses.functions else ""


def _names(view: View, found: Found) -> dict[str, object]:
    """The names that an expression sees, by where it stands."""
    if found.sort == "input":
        return view.before
    if found.sort in ("trigger", "condition"):
        # `response` is what an address has answered that a trigger asks
        return {**view.before, **IN_RUNS, "trigger": FREE, "schedule": FREE, "response": FREE}
    if found.sort == "check":
        return {**view.before, **IN_RUNS, "execution": EXECUTION}
    if found.sort == "output":
        return view.within
    post = view.posts.get(found.owner)
    # A loop's own tasks see its value as theirs, and `parent` is the loop around; tasks in groups see it as `parent`,
    # and those in a branch see what decided for it.
    loops, handles, repeats, item, branch = 0, False, False, found.sort == "iteration", False
    if post is not None:
        loops, handles = min(post.loops + post.indirect, 2) if post.loops else 0, post.handles
        repeats, item, branch = post.repeats, item or post.item, post.branch_of
    key = (loops, handles, repeats, item, branch)
    if key not in view.names:
        taskrun = ITERATION if loops or repeats else TASKRUN
        names = {**view.within, "parents": FREE, "task": TASK, "taskrun": taskrun}
        if loops > 1 or branch:
            names["parent"] = FREE
        if handles:
            names["error"] = FREE
        if item:
            names["item"] = ITEM
        view.names[key] = names
    promises = promised(post.node.properties) if post is not None and isinstance(post.node, Task) else {}
    return {**view.names[key], **promises} if promises else view.names[key]


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
    used = {path[1] for path in template.uses.paths if len(path) > 1 and path[0] == "outputs"}
    left = {name: outputs[name] for name in used & outputs.keys() if name not in barred}
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


def _before(flow: Flow, globals: Mapping[str, object] | None) -> dict[str, object]:
    """The names that are there before a run begins."""
    variables = _below(flow.variables)
    return {
        "flow": FLOW,
        "inputs": _nested(each.id for each in flow.inputs),
        "vars": variables,
        "variables": variables,
        "globals": FREE if globals is None else _below(globals),
    }


def _within(page: Page, flow: Flow, found: dict[str, Post]) -> dict[str, object]:
    """The names that are there in a run besides."""
    outputs = {name: _outputs(page, post) for name, post in found.items()}
    names = {**IN_RUNS, "execution": EXECUTION, "outputs": outputs, "tasks": dict.fromkeys(found)}
    setters = (node for post in found.values() if isinstance(node := post.node, Task) and node.type == SETS_VARIABLES)
    variables: dict[str, object] | None = _below(flow.variables)
    for node in setters:
        given = node.properties.get("variables")
        if variables is not None and isinstance(given, Mapping) and not any("{{" in name for name in given):
            variables = {**variables, **dict.fromkeys(given)}
        else:
            variables = FREE
    return {**names, "vars": variables, "variables": variables}


def _outputs(page: Page, post: Post) -> Mapping[str, object] | None:
    """The fields of a task's outputs; of one in a loop anything, since the loop's values come first."""
    if post.loops:
        return FREE
    fields = fields_of(page, post.node)
    return FREE if fields is None else dict.fromkeys(fields)


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
