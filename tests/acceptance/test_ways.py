"""What becomes of working directories, pauses and waits when kill -9 ends who did them?"""

from __future__ import annotations

from tests.acceptance.checks import check_settled
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, indented

FOLDER = "  - id: dir\n    type: io.kestra.plugin.core.flow.WorkingDirectory\n    tasks:\n"


def test_a_working_directory_begins_anew_when_its_worker_dies(project: Project) -> None:
    inside = project.step("make", script="echo made > file") + project.step("use", gate="go", script="cat file")
    flow = project.flow("folder", FOLDER, indented(inside, 4), project.step("last"))
    killed = project.worker("first")
    run_id = project.start(flow)
    project.told("begin use")

    killed.kill()
    project.open("go")
    second = project.worker("second")

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second, anew=("dir", "make"))
    assert len(project.lines("begin make")) == 2, "what the first had made was gone with it"
    assert len(project.lines("end last")) == 1


def test_a_run_waits_through_the_death_of_every_worker_and_is_resumed(project: Project) -> None:
    pause = "  - id: ask\n    type: io.kestra.plugin.core.flow.Pause\n"
    flow = project.flow("waits", project.step("one"), pause, project.step("two"))
    first = project.worker("first")
    run_id = project.start(flow)
    eventually(lambda: project.of(run_id).status == "paused", "the run waits")

    first.kill()
    project.call("runs", "resume", run_id)
    second = project.worker("second")

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    assert [len(project.lines(f"begin {step}")) for step in ("one", "two")] == [1, 1]


def test_a_paused_run_holds_what_a_dead_worker_had_until_it_is_resumed(project: Project) -> None:
    flow = project.flow("held", project.step("one", gate="go"), project.step("two"))
    first = project.worker("first")
    run_id = project.start(flow)
    project.told("begin one")

    project.call("runs", "pause", run_id)
    first.kill()
    project.open("go")
    second = project.worker("second")
    eventually(lambda: any(end.outcome == "lost" for end in project.ends(run_id)), "the loss is known")
    assert len(project.lines("begin one")) == 1
    project.call("runs", "resume", run_id)

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)


def test_a_wait_between_iterations_survives_its_worker(project: Project) -> None:
    until = (
        "  - id: until\n    type: io.kestra.plugin.core.flow.LoopUntil\n"
        '    condition: "{{ outputs.look.vars.n >= 3 }}"\n    checkFrequency: {interval: PT1S}\n    tasks:\n'
    )
    told = 'echo \'::{"outputs": {"n": {{ taskrun.iteration + 1 }} }}::\''
    look = project.step("look", script=told)
    flow = project.flow("looks", until, indented(look, 4))
    first = project.worker("first")
    run_id = project.start(flow)
    project.told("end look")

    first.kill()
    second = project.worker("second")

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    assert len(project.lines("end look")) in (3, 4)
