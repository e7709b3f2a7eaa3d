"""Is everything dead that a task began, once it is over, out of time, or killed?"""

from __future__ import annotations

import pytest

from penstock.model.run import ErrorKind
from tests.acceptance.checks import check_settled
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project

# Grandchildren beside it, in a session of their own, behind a parent that is gone, and one that hears no SIGTERM.
FAMILY = """sh -c 'sleep 1000 & sleep 1000' &
setsid sleep 1000 &
(setsid sh -c 'sleep 1000 & sleep 1000' &)
sh -c 'trap "" TERM; sleep 1000; sleep 1000' &"""


def test_a_time_limit_ends_grandchildren_too(light: Project) -> None:
    project = light
    step = project.step("one", gate="never", script=FAMILY, more="timeout: PT1S")
    worker = project.worker("worker")
    run_id = project.start(project.flow("late", step))
    project.told("begin one")

    project.finished(run_id)

    assert project.of(run_id).status == "failed"
    (end,) = project.ends(run_id)
    assert end.failure is not None
    assert end.failure.kind is ErrorKind.TIMEOUT
    check_settled(project, [run_id], worker)


@pytest.mark.parametrize("force", [False, True])
def test_a_kill_from_another_process_ends_grandchildren_too(project: Project, force: bool) -> None:
    if force:
        project.settings(grace="PT60S")
    worker = project.worker("worker")
    run_id = project.start(
        project.flow("killed", project.step("one", gate="never", script=FAMILY), project.step("two"))
    )
    project.told("begin one")
    eventually(lambda: len(project.alive(worker)) >= 7, "the whole family is there")

    said = project.call("runs", "kill", run_id, *(["--force"] if force else []))

    assert said.code == 0, said.err
    assert project.of(run_id).status == "killed"
    check_settled(project, [run_id], worker)
    assert project.lines("begin two") == []


def test_what_a_task_leaves_behind_does_not_outlive_it(light: Project) -> None:
    project = light
    said = project.call("run", project.flow("leaves", project.step("one", script=FAMILY), project.step("two")))

    assert said.code == 0, said.err
    check_settled(project, [run.id for run in project.runs()])


def test_a_kill_goes_down_to_the_runs_that_a_run_started(project: Project) -> None:
    project.flow("child", project.step("deep", gate="never", script=FAMILY))
    sub = "  - id: down\n    type: io.kestra.plugin.core.flow.Subflow\n    namespace: acc\n    flowId: child\n"
    command, parent = project.run(project.flow("parent", sub, project.step("after")))
    project.told("begin deep")

    said = project.call("runs", "kill", parent)

    assert said.code == 0, said.err
    assert {run.flow: run.status for run in project.runs()} == {"child": "killed", "parent": "killed"}
    assert command.ended() == 1
    check_settled(project, [run.id for run in project.runs()])
