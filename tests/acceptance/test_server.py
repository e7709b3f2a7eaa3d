"""What becomes of runs when PostgreSQL is killed or restarted while they go?"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from projects.servers import PostgresServer, debian_binaries, postgres_server, wheel_binaries
from tests.acceptance.checks import check_not_again, check_settled
from tests.acceptance.observe import eventually, processes_of
from tests.acceptance.project import Project
from tests.acceptance.test_serving import address, ask
from tests.servers import DEMANDED, Postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="module", params=[15, 18])
def server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that keeps what it has committed, as those of the other tests do not when they are killed."""
    binaries = debian_binaries(15) if request.param == 15 else wheel_binaries()
    if binaries is None:
        (pytest.fail if DEMANDED else pytest.skip)(f"PostgreSQL {request.param} is not here")
    with postgres_server(server_folder / f"durable{request.param}", binaries=binaries) as started:
        yield started


@pytest.fixture
def project(folder: Path, server: PostgresServer) -> Iterator[Project]:
    """A project on that server."""
    made = Project(folder, server.create_database(f"durable_{next(_numbers)}"))
    yield made
    made.close()


@pytest.mark.parametrize("kill", [True, False], ids=["kill -9", "fast stop"])
def test_runs_go_on_when_the_server_is_back(project: Project, server: PostgresServer, kill: bool) -> None:
    steps = [project.step(f"s{number}", script="sleep 0.05") for number in range(12)]
    wide = "  - id: wide\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"
    branches = "".join(project.step(f"w{number}", script="sleep 0.2") for number in range(8))
    flows = [
        project.flow("chain", *steps),
        project.flow("wide", wide, "".join(f"    {line}\n" for line in branches.splitlines())),
    ]
    worker = project.worker("worker")
    runs = [project.start(flow) for flow in flows]
    command, mine = project.run(
        project.flow("own", *(project.step(f"o{number}", script="sleep 0.05") for number in range(12)))
    )
    project.told("begin s2")

    server.restart(kill=kill)

    check_settled(project, [*runs, mine], worker, command)
    assert [project.of(run).status for run in (*runs, mine)] == ["success"] * 3
    for run in (*runs, mine):
        check_not_again(project, run)
    assert len(project.lines("begin")) == len(project.lines("end")) == 12 + 8 + 12, "nothing ran twice"
    assert command.ended() == 0
    assert worker.process.poll() is None, worker.said


def test_runs_go_on_after_kill_9_of_everything(project: Project, server: PostgresServer) -> None:
    flow = project.flow("chain", project.step("one"), project.step("two", gate="go"), project.step("three"))
    project.worker("worker")
    runs = [project.start(flow), project.run(flow)[1]]
    eventually(lambda: len(project.lines("begin two")) == 2, "both are in their middle")

    for one in processes_of(project.folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)
    server.restart(kill=True)
    project.open("go")
    again = project.worker("again")

    eventually(lambda: len(project.lines("begin two 2")) == 2, "both go on", 5)
    check_settled(project, runs, again)
    assert [project.of(run).status for run in runs] == ["success"] * 2
    assert len(project.lines("begin one")) == 2, "what had reported is not done again"


def test_an_end_that_comes_while_the_server_is_away_is_reported_when_it_is_back(
    project: Project, server: PostgresServer
) -> None:
    project.settings(lease="PT30S")
    worker = project.worker("worker")
    run_id = project.start(project.flow("one", project.step("one", gate="go"), project.step("two")))
    project.told("begin one")

    server.close()
    project.open("go")
    project.told("end one 1")
    eventually(lambda: not any(b"PENSTOCK_STEP=" in one.environment for one in project.alive()), "it has ended")
    server.start()

    assert project.finished(run_id).status == "success"
    check_settled(project, [run_id], worker)
    assert project.lines("begin") == ["begin one 1", "begin two 1"]
    worker.send(signal.SIGTERM)
    assert worker.ended() == 0


def test_a_server_that_is_not_there_is_told_plainly(project: Project, server: PostgresServer) -> None:
    flow = project.flow("one", project.step("one"))

    server.close()
    said = project.call("run", flow)
    server.start()

    assert said.code == 4
    assert "PS-403" in said.err
    assert "cannot be reached" in said.err
    assert "Traceback" not in said.err
    assert project.address.rpartition("@")[0].rpartition(":")[2] not in said.err, "the password stays untold"


def test_runs_end_after_a_failover_that_lost_the_last_moment(served: Project, postgres: Postgres) -> None:
    """A database that answers before it writes comes back, when killed, as it was a moment ago."""
    project = served
    database = conninfo_to_dict(project.address)["dbname"]
    with psycopg.connect(postgres.dsn, autocommit=True) as session:
        session.execute(f"ALTER DATABASE {database} SET synchronous_commit = off".encode())
    flow = project.flow("chain", *(project.step(f"s{number}", script="sleep 0.03") for number in range(12)))
    worker = project.worker("worker")
    runs = [project.start(flow) for _ in range(3)]
    project.told("begin s2")

    postgres.restart(kill=True)

    check_settled(project, [run.id for run in project.runs()], worker)
    assert {run.status for run in project.runs()} <= {"success"}
    assert runs


def test_a_server_without_its_database_lives_says_why_it_is_not_ready_and_is_so_again(
    project: Project, server: PostgresServer
) -> None:
    standing = project.begin("serve", "--port", "0")
    url = address(standing)
    eventually(lambda: ask(project, f"{url}/ready", key=False)[0] == 200, "it is ready")

    server.crash()
    eventually(lambda: ask(project, f"{url}/ready", key=False)[0] == 503, "it is not")
    began = time.monotonic()
    status, told = ask(project, f"{url}/ready", key=False)
    took = time.monotonic() - began
    living = ask(project, f"{url}/live", key=False)[0]
    server.start()
    eventually(lambda: ask(project, f"{url}/ready", key=False)[0] == 200, "it is again")

    assert (status, living) == (503, 200)
    assert took < 4, "who asks for health does not wait for long"
    assert [each["part"] for each in told["troubles"]] == ["store"]
    assert "postgresql" not in str(told)
    standing.send(signal.SIGTERM)
    assert standing.ended() == 0
