"""What else does a reading promise? Its source and digest, versions, a project's defaults, namespaces and names."""

from __future__ import annotations

import hashlib

from penstock.dialects.kestra import INSTALLED, Reading, read
from penstock.errors import Severity
from penstock.errors.report import render_problems
from penstock.model.node import Parallel, Task
from penstock.model.policy import OnChildFailure

TASKS = "tasks:\n  - {id: x, type: log, message: hello}\n"


def flow_of(
    text: str, version: str = "1", namespace: str = "", defaults: list[dict[str, object]] | None = None
) -> Reading:
    """Read a text that has nothing wrong."""
    found = read(text, types=INSTALLED, version=version, namespace=namespace, defaults=defaults or [])
    assert found.flow is not None, render_problems(found.problems)
    return found


def test_a_reading_keeps_the_text_and_its_digest() -> None:
    text = "id: a\nnamespace: co\n" + TASKS

    found = flow_of(text)

    assert found.source == text
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()


def test_bytes_and_text_give_the_same_reading() -> None:
    text = "id: a\nnamespace: co\ndescription: été\n" + TASKS

    assert flow_of(text) == read(text.encode(), types=INSTALLED)


def test_the_first_line_of_a_file_beats_the_version_of_the_project() -> None:
    group = "tasks:\n  - id: p\n    type: parallel\n    tasks: [{id: x, type: log, message: hello}]\n"

    old = flow_of("id: a\nnamespace: co\n" + group, version="2").flow
    new = flow_of("# kestra: 1\nid: a\nnamespace: co\n" + group, version="2").flow

    assert old is not None and new is not None
    assert isinstance(old.body.nodes[0], Parallel) and isinstance(new.body.nodes[0], Parallel)
    assert old.body.nodes[0].on_child_failure is OnChildFailure.FAIL
    assert new.body.nodes[0].on_child_failure is OnChildFailure.CONTINUE


def test_a_flow_without_a_namespace_gets_that_of_its_project() -> None:
    found = flow_of("id: a\n" + TASKS, namespace="warehouse").flow

    assert found is not None
    assert found.name == "warehouse.a"


def properties(text: str, project: list[dict[str, object]]) -> dict[str, object]:
    """The properties of the first task of a flow, under a project's defaults."""
    found = flow_of(text, defaults=project).flow
    assert found is not None
    task = found.body.nodes[0]
    assert isinstance(task, Task)
    return task.properties


def with_default(forced: bool) -> str:
    """A flow whose task, and whose own default, both say a level."""
    default = f"pluginDefaults:\n  - {{type: log, forced: {str(forced).lower()}, values: {{level: WARN}}}}\n"
    return f"id: a\nnamespace: co\n{default}tasks:\n  - {{id: x, type: log, message: hello, level: ERROR}}\n"


def test_of_defaults_at_three_levels_the_forced_ones_win_and_the_flows_before_the_projects() -> None:
    gentle: list[dict[str, object]] = [{"type": "log", "values": {"level": "DEBUG"}}]
    forced: list[dict[str, object]] = [{"type": "log", "values": {"level": "DEBUG"}, "forced": True}]

    levels = [properties(with_default(mine), theirs)["level"] for mine in (False, True) for theirs in (gentle, forced)]

    assert levels == ["ERROR", "DEBUG", "WARN", "WARN"]


def test_lists_of_defaults_come_before_those_of_the_task() -> None:
    text = "id: a\nnamespace: co\ntasks:\n  - {id: x, type: shell.commands, beforeCommands: [own], commands: [ls]}\n"
    project: list[dict[str, object]] = [
        {"type": "io.kestra.plugin.scripts", "values": {"beforeCommands": ["wide"]}},
        {"type": "shell.commands", "values": {"beforeCommands": ["exact"]}},
    ]

    found = properties(text, project)

    assert found["beforeCommands"] == ["wide", "exact", "own"]


def test_what_a_projects_default_makes_wrong_is_told_at_the_task() -> None:
    text = "id: a\nnamespace: co\n" + TASKS
    project: list[dict[str, object]] = [{"type": "log", "values": {"level": "LOUD", "message": "{{ inputs.no }}"}}]

    found = read(text, types=INSTALLED, defaults=project)

    assert [(problem.code, problem.place.line) for problem in found.problems if problem.place] == [("PS-216", 4)]


def test_only_the_globals_that_the_project_names_are_known() -> None:
    text = "id: a\nnamespace: co\ntasks:\n  - {id: x, type: log, message: '{{ globals.env }} {{ globals.evn }}'}\n"

    free = read(text, types=INSTALLED)
    named = read(text, types=INSTALLED, globals={"env": "prod"})

    assert free.problems == ()
    assert [problem.sentence for problem in named.problems] == ["`globals` has no `evn`."]


def test_warnings_and_notes_leave_the_flow_as_it_is() -> None:
    trigger = "triggers:\n  - {id: t, type: io.kestra.core.models.triggers.types.Schedule, cron: '@daily'}\n"
    text = "id: a\nnamespace: co\n" + TASKS + trigger

    found = flow_of(text)

    assert {problem.severity for problem in found.problems} == {Severity.NOTE}


def test_problems_come_in_the_order_of_the_text() -> None:
    text = "outputs: 3\ninputs: 4\nid: ..\nnamespace: co\ntasks:\n  - {id: x, type: no}\n  - {id: y, message: 1}\n"

    found = read(text, types=INSTALLED)

    lines = [problem.place.line for problem in found.problems if problem.place]
    assert lines == sorted(lines)
    assert len(lines) >= 5
