"""What becomes of a worker that stands still for longer than its lease, and what of one that dies elsewhere?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from penstock.model.event import Ended
from penstock.store import workers
from tests.acceptance.checks import check_not_again, check_settled, lost
from tests.acceptance.observe import Seen, eventually, processes_of
from tests.acceptance.project import Project


def test_a_worker_that_stood_still_beyond_its_lease_changes_nothing_when_it_comes_back(project: Project) -> None:
    project.settings(lease="PT2S")
    run_id = project.start(project.flow("one", project.step("one", gate="go")))
    stalled = project.worker("stalled")
    project.told("begin one 1")

    with stopped(stalled.process.pid):
        eventually(lambda: not attempts_alive(project), "its child is ended while it stands still", 5)
        second = project.worker("second")
        project.told("begin one 2")
        project.open("go")
        before = project.finished(run_id)
    eventually(lambda: refused(project, run_id), "its late report is refused")

    assert project.of(run_id) == before
    assert lost(project, run_id) == [("one", 1)]
    check_settled(project, [run_id], stalled, second)
    check_not_again(project, run_id)
    second.send(signal.SIGTERM)
    second.ended()
    again = project.start(project.flow("two", project.step("two")))
    assert project.finished(again).status == "success", "the one that stood still works on"


def test_a_worker_that_stood_still_alone_does_anew_what_was_ended_meanwhile(project: Project) -> None:
    project.settings(lease="PT2S")
    run_id = project.start(project.flow("one", project.step("one", gate="go")))
    alone = project.worker("alone")
    project.told("begin one 1")

    with stopped(alone.process.pid):
        eventually(lambda: not attempts_alive(project), "its child is ended while it stands still", 5)
        project.open("go")

    assert project.finished(run_id).status == "success", "nobody else was there, and the task itself did not fail"
    assert lost(project, run_id) == [("one", 1)]
    check_settled(project, [run_id], alone)
    check_not_again(project, run_id)


def test_a_machine_that_stood_still_whole_changes_nothing_when_it_comes_back(project: Project) -> None:
    project.settings(lease="PT2S")
    flow = project.flow("one", project.step("one", gate="go"))
    run_id = project.start(flow)
    stalled = project.worker("stalled")
    project.told("begin one 1")

    with stopped(*(one.pid for one in processes_of(project.folder))):
        second = project.worker("second")
        project.told("begin one 2")
        project.open("go")
        before = project.finished(run_id)
    eventually(lambda: refused(project, run_id), "its late report is refused")

    assert project.of(run_id) == before
    check_settled(project, [run_id], stalled, second)


def test_a_machine_that_died_is_followed_by_another_within_its_lease(on_server: Project) -> None:
    project = on_server
    elsewhere = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*elsewhere, "true"], check=False).returncode:
        pytest.skip("no other machine can be feigned here: that takes a name of its own, and root")
    flow = project.flow("chain", project.step("one"), project.step("two", gate="go"), project.step("three"))
    run_id = project.start(flow)
    far = project.worker("far", prefix=elsewhere)
    project.told("begin two")
    near = project.worker("near")
    assert [one.host for one in project.store.read(workers.list_workers) if one.id == "far"] == ["elsewhere"]

    far.kill()
    project.open("go")
    project.told("begin two 2", 15)

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], near)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("two", 1)]


@contextlib.contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Let processes stand still for a while."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def attempts_alive(project: Project) -> list[Seen]:
    """The processes that attempts began."""
    return [one for one in processes_of(project.folder) if b"PENSTOCK_STEP=" in one.environment]


def refused(project: Project, run_id: str) -> list[Ended]:
    """The ends of attempts that came too late."""
    return [told.event for told in project.story(run_id) if not told.accepted and isinstance(told.event, Ended)]
