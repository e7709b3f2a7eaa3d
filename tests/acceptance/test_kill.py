"""What becomes of a run when kill -9 ends who did it, in each phase of an attempt?"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest

from penstock.store import queue
from tests.acceptance.checks import check_not_again, check_settled, lost
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running

# On a quiet machine it is under two seconds, which `bench` measures.
SOON = 5.0
DOERS = ["worker", "run"]


def begun(project: Project, doer: str, flow: str) -> tuple[Running, str]:
    """Let a flow be done, by a standing worker or by the command that started it."""
    if doer == "run":
        return project.run(flow)
    worker = project.worker("first")
    return worker, project.start(flow)


@pytest.mark.parametrize("doer", DOERS)
def test_what_was_ready_is_done_by_the_next_worker(project: Project, doer: str) -> None:
    project.settings(attempts=1)
    parallel = "  - id: both\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"
    branches = project.step("held", gate="go") + project.step("waiting")
    flow = project.flow("wide", parallel, "".join(f"    {line}\n" for line in branches.splitlines()))
    killed, run_id = begun(project, doer, flow)
    project.told("begin held")
    assert [step for step, _, _ in project.store.read(lambda tx: queue.ready_of(tx, run_id))] == ["waiting"]

    killed.kill()
    project.open("go")
    second = project.worker("second")

    project.told("begin waiting", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("held", 1)]


@pytest.mark.parametrize("doer", DOERS)
def test_what_was_claimed_and_not_launched_is_launched_by_the_next_worker(project: Project, doer: str) -> None:
    again = "retry:\n  type: constant\n  interval: PT1S\n  maxAttempts: 2"
    flow = project.flow("twice", project.step("one", script="[ $PENSTOCK_ATTEMPT != 1 ] || exit 1", more=again))
    killed, run_id = begun(project, doer, flow)
    eventually(lambda: project.ends(run_id), "the first attempt has failed")
    os.kill(project.zygote().pid, signal.SIGSTOP)
    held = eventually(lambda: project.store.read(lambda tx: queue.claims_of(tx, run_id)), "the second is claimed")

    killed.kill()
    assert (held[0].attempt, project.lines("begin one 2")) == (2, [])
    second = project.worker("second")

    project.told("begin one 3", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("one", 2)]


@pytest.mark.parametrize("doer", DOERS)
def test_what_ran_ends_with_its_worker_and_is_done_again_and_nothing_else_is(project: Project, doer: str) -> None:
    strays = "setsid sh -c 'sleep 1000' &\n(sleep 1000 & sleep 1000) &"
    flow = project.flow(
        "chain", project.step("one"), project.step("two", gate="go", script=strays), project.step("three")
    )
    killed, run_id = begun(project, doer, flow)
    project.told("begin two")

    killed.kill()
    eventually(lambda: not project.alive(), "the whole tree went with it", 5)
    project.open("go")
    second = project.worker("second")

    project.told("begin two 2", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("two", 1)]
    assert len(project.lines("begin one")) == 1


@pytest.mark.parametrize("doer", DOERS)
def test_an_end_that_nobody_reported_never_happened(project: Project, doer: str) -> None:
    flow = project.flow("chain", project.step("one"), project.step("two", gate="go"), project.step("three"))
    killed, run_id = begun(project, doer, flow)
    project.told("begin two")

    with project.unwritable():
        project.open("go")
        project.told("end two 1")
        eventually(lambda: not any(b"PENSTOCK_STEP=two" in one.environment for one in project.alive()), "it has ended")
        killed.kill()
    second = project.worker("second")

    project.told("begin two 2", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("two", 1)]


@pytest.mark.parametrize("doer", DOERS)
def test_what_had_reported_is_not_done_again(project: Project, doer: str) -> None:
    flow = project.flow("chain", project.step("one", gate="go"), project.step("two", gate="on"), project.step("three"))
    killed, run_id = begun(project, doer, flow)
    project.told("begin one")

    with held_run(project, run_id) as reported:
        project.open("go")
        eventually(reported, "its end is reported")
        killed.kill()
    project.open("on")
    second = project.worker("second")

    project.told("begin two", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], second)
    check_not_again(project, run_id)
    assert project.lines("begin one") == ["begin one 1"]


@contextlib.contextmanager
def held_run(project: Project, run_id: str) -> Iterator[Callable[[], object]]:
    """Have the run, where the database lets one row be had, so that a report is kept and not folded."""
    if not project.on_postgres:
        yield lambda: project.ends(run_id)
        return
    with psycopg.connect(project.address) as session:
        session.execute("SELECT 1 FROM runs WHERE id = %s FOR UPDATE", (run_id,))
        yield lambda: project.count("inbox")
        session.rollback()


def test_a_worker_that_comes_back_under_its_name_goes_on_with_what_it_held(project: Project) -> None:
    flow = project.flow("chain", project.step("one"), project.step("two", gate="go"), project.step("three"))
    worker, run_id = begun(project, "worker", flow)
    project.told("begin two")
    zygote = project.zygote().pid
    os.kill(zygote, signal.SIGSTOP)

    worker.kill()
    again = project.worker("first")

    eventually(lambda: zygote not in {one.pid for one in project.alive()}, "what the first one left is ended", SOON)
    project.open("go")
    project.told("begin two 2", SOON)
    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], again)
    check_not_again(project, run_id)
    assert lost(project, run_id) == [("two", 1)]
