"""What becomes of a job when the worker that waits for it dies or stops, and when the run is killed?"""

from __future__ import annotations

import itertools
import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from projects.lakehouse.services.stack import Stack
from tests.acceptance.conftest import folder, light
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project
from tests.lakehouse.test_flink import NUMBERS

__all__ = ["folder", "light"]

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
names = itertools.count(1)
ENDED = ("FINISHED", "FAILED", "CANCELED")
# Seconds for what a machine with nothing else to do has done in a few.
LONG = 120.0


class Flow:
    """A flow whose first task begins a job, and whose second waits for it for ever."""

    def __init__(self, project: Project, stack: Stack, name: str) -> None:
        self.project, self.stack, self.name = project, stack, name

    def written(self, *, on_kill: str = "LEAVE", until: str = "RUNNING") -> str:
        """Write it down, and give its name."""
        sql = "".join(f"      {line}\n" for line in NUMBERS.splitlines())
        url = f"    jobManagerUrl: {self.stack.jobmanager.address}\n    onKill: {on_kill}\n"
        begin = f"    gatewayUrl: {self.stack.gateway.address}\n    name: {self.name}\n    until: {until}\n"
        session = "    session: {execution.checkpointing.interval: 500ms}\n"
        return self.project.flow(
            "streaming",
            f"  - id: begin\n    type: flink.submit\n{url}{begin}{session}    sql: |\n{sql}",
            f"  - id: wait\n    type: flink.wait\n{url}    names: [{self.name}]\n    state: FINISHED\n",
        )

    def jobs(self) -> list[tuple[str, str]]:
        """Id and state of each job of the name that Flink knows."""
        with urllib.request.urlopen(f"{self.stack.jobmanager.address}/jobs/overview", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["jobs"]
        return [(job["jid"], job["state"]) for job in found if job["name"] == self.name]

    def works(self) -> str:
        """Wait until a job of the name runs, and give its id."""
        eventually(lambda: any(state == "RUNNING" for _, state in self.jobs()), "the job runs", LONG)
        return self.jobs()[0][0]

    def said(self, run_id: str, text: str) -> bool:
        """Whether a run's log says it."""
        return text in self.project.call("runs", "logs", run_id).out

    def waits(self, run_id: str, worker: str = "one") -> None:
        """Wait until the run's second task waits, held by a worker."""

        def waiting() -> bool:
            steps = {step["key"]: step for step in self.project.document(run_id)["steps"]}
            tried = steps["wait"]["attempts"]
            return bool(tried) and (tried[-1]["status"], tried[-1]["worker"]) == ("running", worker)

        eventually(waiting, "the second task waits", LONG)


@pytest.fixture
def flow(light: Project, lakehouse: Stack) -> Iterator[Flow]:
    """The flow, whose job is cancelled afterwards."""
    light.settings(grace="PT20S")
    made = Flow(light, lakehouse, f"worked-{os.getpid()}-{next(names)}")
    yield made
    for job_id, state in made.jobs():
        if state not in ENDED:
            asked = urllib.request.Request(f"{lakehouse.jobmanager.address}/jobs/{job_id}", method="PATCH")
            urllib.request.urlopen(asked, timeout=30).close()


def test_who_takes_over_from_a_worker_that_died_finds_the_job_and_a_kill_ends_it(flow: Flow) -> None:
    project = flow.project
    worker = project.worker("one")
    run_id = project.start(flow.written(on_kill="CANCEL", until="FINISHED"))
    job = flow.works()

    worker.kill()
    project.worker("two")
    eventually(lambda: flow.said(run_id, "is there already"), "the other worker finds the job", LONG)
    found = flow.jobs()
    project.call("runs", "kill", run_id)
    project.finished(run_id, LONG)

    assert found == [(job, "RUNNING")]
    assert flow.jobs() == [(job, "CANCELED")]
    assert project.of(run_id).status == "killed"
    assert flow.said(run_id, "The run is killed, and with it the job")


@pytest.mark.long
@pytest.mark.parametrize(
    ("on_kill", "state"), [("LEAVE", "RUNNING"), ("CANCEL", "CANCELED"), ("SAVEPOINT", "FINISHED")]
)
def test_a_kill_does_with_the_job_what_the_flow_says(flow: Flow, on_kill: str, state: str) -> None:
    project = flow.project
    project.worker("one")
    run_id = project.start(flow.written(on_kill=on_kill))
    job = flow.works()
    flow.waits(run_id)

    project.call("runs", "kill", run_id)
    project.finished(run_id, LONG)

    assert project.of(run_id).status == "killed"
    assert flow.jobs() == [(job, state)]
    assert flow.said(run_id, "The savepoint is file:") is (on_kill == "SAVEPOINT")


@pytest.mark.long
@pytest.mark.parametrize("dies", [False, True])
def test_a_worker_that_stops_or_dies_leaves_the_job_alone(flow: Flow, *, dies: bool) -> None:
    project = flow.project
    project.settings(grace="PT1S")
    worker = project.worker("one")
    run_id = project.start(flow.written(on_kill="CANCEL"))
    job = flow.works()
    flow.waits(run_id)

    if dies:
        worker.kill()
    else:
        worker.send(signal.SIGTERM)
        assert worker.ended(60) == 0, worker.said
    assert flow.jobs() == [(job, "RUNNING")]
    project.worker("two")
    flow.waits(run_id, "two")

    assert flow.jobs() == [(job, "RUNNING")]
    project.call("runs", "kill", run_id)
    project.finished(run_id, LONG)
    assert flow.jobs() == [(job, "CANCELED")]
