"""Do a suite of tests and its flow fit each other? Tasks, inputs and every expression, before anything is run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from penstock import expr
from penstock.dialects.kestra.expressions import EXECUTION, FLOW, IN_RUNS
from penstock.dialects.kestra.loops import fields_of
from penstock.dialects.kestra.page import Found, Page
from penstock.dialects.kestra.places import inside
from penstock.dialects.kestra.reach import Post, posts
from penstock.dialects.kestra.suites import Case, SuiteReading, source_lines, with_problems
from penstock.dialects.kestra.types import Types
from penstock.errors import PenstockError, Place, Problem, Severity, nearest
from penstock.errors.expr import UnknownName
from penstock.errors.flow import UnknownDependency, UnknownProperty
from penstock.model.flow import Flow

FREE: Final = None
ANYTHING: Final = dict.fromkeys(("taskrun", "task", "parent", "parents", "item", "error", "globals"))


def checked(reading: SuiteReading, flow: Flow, types: Types) -> SuiteReading:
    """The same reading with what does not fit its flow among the problems."""
    if reading.suite is None:
        return reading
    page = Page(reading.suite.file, flow.language.version, types, flow.namespace)
    lines, found = source_lines(reading), posts(flow)
    problems: list[Problem] = []
    for case in reading.suite.cases:
        problems += _fixtures(case, flow, found)
        names = _names(page, case, flow, found)
        for template in case.templates:
            problems += _templates(template, names, lines)
    return with_problems(reading, problems)


def _fixtures(case: Case, flow: Flow, found: Mapping[str, Post]) -> Iterable[Problem]:
    for task in case.fixtures.tasks:
        if task.id not in found:
            sentence = f'The flow {flow.name} has no task "{task.id}".'
            yield Problem(UnknownDependency.code, sentence, task.place, nearest(task.id, found))
    for assertion in case.assertions:
        if assertion.task and assertion.task not in found:
            sentence = f'The flow {flow.name} has no task "{assertion.task}".'
            yield Problem(UnknownDependency.code, sentence, assertion.place, nearest(assertion.task, found))
    declared = [each.id for each in flow.inputs]
    for name in case.fixtures.inputs:
        if name not in declared and not any(each.startswith(f"{name}.") for each in declared):
            sentence = f'The flow {flow.name} has no input "{name}".'
            hint = nearest(name, declared) or f"It has: {', '.join(declared) or 'none'}."
            yield Problem(UnknownProperty.code, sentence, case.place, hint)


def _templates(found: Found, names: Mapping[str, object], lines: list[str]) -> Iterable[Problem]:
    text = found.scalar.text
    try:
        problems = list(expr.check(expr.compile(text), dict(names)))
    except PenstockError as error:
        problems = [error.problem()]
    for problem in problems:
        if found.sort == "null" and problem.code == UnknownName.code:
            continue
        place = problem.place
        if place is not None and found.scalar.line:
            place = Place(*inside(lines, found.scalar, _offset(text, place)))
        yield msgspec.structs.replace(problem, place=place, severity=Severity.ERROR)


def _offset(text: str, place: Place) -> int:
    at = 0
    for _ in range(place.line - 1):
        at = text.index("\n", at) + 1
    return at + place.column - 1


def _names(page: Page, case: Case, flow: Flow, found: Mapping[str, Post]) -> dict[str, object]:
    """What a test's expressions see: what the end of the flow sees, and the files of the test."""
    mocked = {task.id for task in case.fixtures.tasks}
    outputs = {name: FREE if name in mocked else _outputs(page, post) for name, post in found.items()}
    return {
        **IN_RUNS,
        **ANYTHING,
        "flow": FLOW,
        "inputs": dict.fromkeys(each.id.partition(".")[0] for each in flow.inputs),
        "vars": FREE,
        "variables": FREE,
        "execution": EXECUTION,
        "outputs": outputs,
        "tasks": dict.fromkeys(found),
        "files": dict.fromkeys(case.fixtures.files),
        "trigger": FREE,
    }


def _outputs(page: Page, post: Post) -> Mapping[str, object] | None:
    if post.loops:
        return FREE
    fields = fields_of(page, post.node)
    return FREE if fields is None else dict.fromkeys(fields)
