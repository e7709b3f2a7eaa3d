"""How do workers and commands stop when they are asked to, and what becomes of what they were doing?"""

from __future__ import annotations

import signal

import pytest

from penstock.store import queue, workers
from tests.acceptance.checks import check_not_again, check_settled, lost
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project

STUBBORN = "trap '' TERM"


def test_a_drain_lets_what_ends_in_time_end_and_hands_the_rest_back(project: Project) -> None:
    runs = [
        project.start(project.flow("short", project.step("short", gate="short"), project.step("next"))),
        project.start(project.flow("long", project.step("long", gate="long", script=STUBBORN))),
    ]
    first = project.worker("first")
    project.told("begin short")
    project.told("begin long")

    first.send(signal.SIGTERM)
    status = "SELECT status FROM workers"
    eventually(lambda: project.rows(status) == [("draining",)], "it says that it drains")
    project.open("short")

    assert first.ended() == 0
    assert project.lines("end") == ["end short 1"]
    assert not project.alive()
    assert project.count("claimed_attempts") == 0
    assert project.lines("begin next") == [], "it takes no new work"
    assert [ready(project, run) for run in runs] == [[("next", 1)], [("long", 1)]], "handed back as it was"
    assert project.store.read(workers.list_workers) == []
    project.open("long")
    second = project.worker("second")
    check_settled(project, runs, second)
    assert {project.of(run).status for run in runs} == {"success"}
    assert [lost(project, run) for run in runs] == [[], []]


def test_the_second_interrupt_stops_a_worker_at_once(project: Project) -> None:
    project.settings(grace="PT60S")
    run_id = project.start(project.flow("long", project.step("long", gate="long", script=STUBBORN)))
    first = project.worker("first")
    project.told("begin long")

    first.send(signal.SIGINT)
    eventually(lambda: project.rows("SELECT status FROM workers") == [("draining",)], "it drains")
    first.send(signal.SIGINT)

    assert first.ended(5) == 0
    assert not project.alive()
    assert ready(project, run_id) == [("long", 1)]
    project.open("long")
    second = project.worker("second")
    check_settled(project, [run_id], second)
    assert lost(project, run_id) == []


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_kills_the_run_cleanly_and_says_how_to_go_on(project: Project, times: int) -> None:
    if times == 2:
        project.settings(grace="PT60S")
    polite = f'trap "echo sorry >> {project.trace}; exit 1" TERM' if times == 1 else STUBBORN
    flow = project.flow(
        "chain", project.step("one"), project.step("two", gate="go", script=polite), project.step("three")
    )
    command, run_id = project.run(flow)
    project.told("begin two")

    command.send(signal.SIGINT)
    if times == 2:
        eventually(lambda: "Ctrl-C again" in command.said, "it says what a second Ctrl-C does")
        command.send(signal.SIGINT)

    assert command.ended(10) == 1
    assert project.of(run_id).status == "killed"
    assert ("sorry" in project.lines()) == (times == 1)
    assert "Traceback" not in command.said
    assert f"penstock runs restart {run_id}" in command.said
    check_settled(project, [run_id])
    project.open("go")
    said = project.call("runs", "restart", run_id)
    assert said.code == 0, said.err
    assert project.of(run_id).status == "success"
    assert len(project.lines("begin one")) == 1
    check_settled(project, [run_id])
    check_not_again(project, run_id)


def ready(project: Project, run_id: str) -> list[tuple[str, int]]:
    """What may be claimed of a run."""
    return [(step, attempt) for step, attempt, _ in project.store.read(lambda tx: queue.ready_of(tx, run_id))]
