"""Is a job told of that lives already, and does none begin anew whose checkpoints are only out of sight?"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from penstock.errors.task import Refused
from penstock.plugins.flink import lineage
from penstock.plugins.flink.gateway import Session
from penstock.plugins.flink.jobs import JobManager
from penstock.plugins.flink.known import Keeper, Known
from penstock.plugins.flink.script import statements
from penstock.plugins.rest.patient import Patient
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import About, Ask, Context, Level
from penstock.sdk.local import LocalContext
from penstock.sdk.task import TaskFailed

JOB = "abcdef" + "0" * 26
NAME = "bronze"
SQL = (
    "SET 'a' = 'b'; DROP TABLE old; CREATE OR REPLACE TABLE older (n INT); CREATE TABLE orders (n INT); "
    "INSERT INTO copies SELECT n FROM orders;"
)
TABLE = (
    "CREATE TABLE `c`.`d`.`{0}` (\n  `n` INT\n)\nWITH (\n  'connector' = 'filesystem',\n  'path' = 's3://lake/{0}'\n)"
)
PLAN = {"plan": {"nodes": [{"description": "TableSourceScan(table=[[c, d, orders]], fields=[n])"}]}}
TASK = {"plan": {}, "tasks": {"RUNNING": 1, "FINISHED": 0, "SCHEDULED": 0}, "parallelism": 1, "id": "v", "name": "v"}
READS_AND_WRITES = [("writes", "s3://lake", "copies"), ("reads", "s3://lake", "orders")]


class Flink(ThreadingHTTPServer):
    """A gateway and a JobManager in one, as far as they are asked; `said` are the statements."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.said: list[str] = []
        self.jobs = [JOB]

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def manager(self, waiting: Waiting) -> JobManager:
        """Who asks it for jobs."""
        return JobManager(self.rest, waiting)

    @property
    def rest(self) -> Patient:
        """A way to it."""
        return Patient(address=self.address, called="Flink", cause=str, patience=0.0)

    def answer(self, path: str) -> object:
        """What it answers."""
        overview = [{"jid": each, "name": NAME, "state": "RUNNING", "start-time": 1} for each in self.jobs]
        tasks = {"running": 1, "finished": 0, "scheduled": 0, "total": 1}
        match path.strip("/").split("/"):
            case ["v1", "sessions"]:
                return {"sessionHandle": "s"}
            case [*_, "statements"]:
                return {"operationHandle": str(len(self.said) - 1)}
            case [*_, "status"]:
                return {"status": "FINISHED"}
            case [*_, "operations", number, "result", _]:
                asked = self.said[int(number)]
                rows = [{"kind": "INSERT", "fields": [TABLE.format(asked.split()[-1].split(".")[-1].strip("`"))]}]
                data = rows if asked.startswith("SHOW") else []
                return {"resultType": "EOS", "results": {"columns": [{"name": "r"}], "data": data}}
            case ["jobs", "overview"]:
                return {"jobs": [{**each, "tasks": tasks} for each in overview]}
            case ["jobs", _, "plan"]:
                return PLAN
            case ["jobs", _, "checkpoints"]:
                return {"counts": {"completed": 0, "failed": 0}, "latest": {}}
            case ["jobs", _]:
                return {**overview[0], "vertices": [TASK]}
            case _:
                return {}


class Answers(BaseHTTPRequestHandler):
    """What Flink answers, in JSON."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Flink)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST" and self.path.endswith("/statements"):
            self.server.said.append(json.loads(body)["statement"])
        told = json.dumps(self.server.answer(self.path.partition("?")[0])).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is told."""


class Refuses:
    """A worker that remembers nothing, as where a secret would be kept."""

    def __init__(self) -> None:
        self.heard: list[dict[str, object]] = []

    def send(self, frame: dict[str, object]) -> None:
        """Keep it."""
        self.heard.append(frame)

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Refuse what is to be kept."""
        if what == Ask.KV_SET:
            raise Refused("A secret would be kept where everybody can read it.")
        return {"found": False}


class Remembers(Refuses):
    """A worker that remembers one thing."""

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known

    def ask(self, what: str, body: dict[str, object]) -> object:
        """It."""
        return {"found": True, "value": self.known}


@pytest.fixture
def flink() -> Iterator[Flink]:
    with Flink() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_what_is_not_remembered_is_told_and_fails_nothing(flink: Flink) -> None:
    worker = Refuses()
    waiting = Waiting(Context(About(lineage=True), worker))
    session = Session(flink.rest, waiting, {}, 5)

    lineage.tell(waiting, session, statements(SQL)[-1], flink.manager(waiting), JOB, name=NAME)

    assert [frame["t"] for frame in worker.heard] == ["data", "data", "log"]
    assert worker.heard[-1]["level"] == Level.DEBUG


def test_a_job_that_lives_is_told_of_though_nothing_was_remembered(flink: Flink) -> None:
    asked = {"gatewayUrl": flink.address, "jobManagerUrl": flink.address, "name": NAME, "sql": SQL, "from": "latest"}
    with LocalContext() as local:
        plain = local.run("flink.submit", asked)
        assert plain.outputs["attached"] is True
        assert flink.said == [], "who does not want to know does not ask"

        local.lineage = True
        for _ in range(2):
            told = local.run("flink.submit", asked)
            assert [(each.access.value, each.namespace, each.name) for each in told.touched] == READS_AND_WRITES
    assert flink.said == [
        "SET 'a' = 'b'", "CREATE TABLE orders (n INT)", "SHOW CREATE TABLE copies", "SHOW CREATE TABLE `c`.`d`.`orders`"
    ], "asked once, and nothing is taken away from a job that lives"  # fmt: skip


def test_a_job_that_lives_goes_on_where_nobody_tells_what_it_reads(flink: Flink) -> None:
    away = "http://127.0.0.1:1"
    asked = {"gatewayUrl": away, "jobManagerUrl": flink.address, "name": NAME, "sql": SQL, "patience": "PT60S"}
    with LocalContext() as local:
        local.lineage = True
        told = local.run("flink.submit", asked)
    assert told.outputs["attached"] is True and told.touched == ()


def latest(flink: Flink, known: Known) -> str:
    """Where a job begins of which this is known, and nothing else."""
    waiting = Waiting(Context(About(), Remembers(known)))
    return Keeper(waiting.context, NAME).latest(flink.manager(waiting), known)


def test_a_job_does_not_begin_anew_whose_checkpoints_are_out_of_sight(flink: Flink, tmp_path: Path) -> None:
    away, here = tmp_path / "away", tmp_path / "here"
    here.mkdir()
    begun = Known(number=1, job=JOB, submitted=True, directory=f"file://{away}", savepoint="file:/s/savepoint-000000-1")
    flink.jobs = []
    with pytest.raises(TaskFailed, match=f"cannot look for its checkpoints in {away}"):
        latest(flink, begun)

    stopped = Known(
        number=1, job=JOB, submitted=True, directory=f"file://{away}", savepoint="file:/s/savepoint-abcdef-1"
    )
    assert latest(flink, stopped) == stopped.savepoint, "where it was stopped is known without them"
    seen = Known(number=1, job=JOB, submitted=True, directory=f"file://{here}")
    assert latest(flink, seen) == "", "one that had not made a checkpoint yet begins anew"
    (here / JOB / "chk-3").mkdir(parents=True)
    (here / JOB / "chk-3" / "_metadata").touch()
    assert latest(flink, seen) == f"file://{here}/{JOB}/chk-3"


def test_a_first_job_of_a_name_needs_no_checkpoints_in_sight(flink: Flink, tmp_path: Path) -> None:
    away = f"file://{tmp_path}/away"
    assert latest(flink, Known(number=1, job=JOB, submitted=True, directory=away)) == "", "Flink says that it has none"
    flink.jobs = []
    assert latest(flink, Known()) == ""
    assert latest(flink, Known(number=1, job=JOB, directory=away)) == "", "it was refused by Flink"
