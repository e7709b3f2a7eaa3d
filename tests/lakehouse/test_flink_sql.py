"""Are large results taken page by page, do errors name their place, and does who waits say what for?"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from penstock.plugins.flink.causes import cause, is_away
from penstock.plugins.flink.script import statements
from penstock.sdk.local import LocalContext, Told
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done, message
from tests.lakehouse.test_flink import NUMBERS, OFTEN

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
names = itertools.count(1)
ROWS = 300_000
# Its thread stays until all tests are over: Linux ends a server with the thread that started it.
MENDER = ThreadPoolExecutor(1, "mender")
STORES = """import json, resource, sys
from penstock.sdk.local import LocalContext
with LocalContext() as local:
    local.run("flink.sql", json.loads(sys.argv[1]) | {"fetchType": "STORE", "sql": "SELECT 1"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = local.run("flink.sql", json.loads(sys.argv[1]) | {"fetchType": "STORE"})
    size = local.path(told.outputs["uri"]).stat().st_size
    print(json.dumps([told.outputs["size"], size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""


@pytest.fixture
def asked(lakehouse: Stack) -> dict[str, object]:
    """Where Flink is."""
    return {"gatewayUrl": lakehouse.gateway.address, "jobManagerUrl": lakehouse.jobmanager.address}


@pytest.fixture
def name(lakehouse: Stack, local: LocalContext) -> Iterator[str]:
    """The name of a job of this test alone, which is cancelled afterwards."""
    made = f"said-{os.getpid()}-{next(names)}"
    yield made
    local.run("flink.cancel", {"jobManagerUrl": lakehouse.jobmanager.address, "name": made})


def logs(told: Told, level: str) -> str:
    """What was logged at a level."""
    return "\n".join(line.message for line in told.logs if line.level == level)


def test_a_place_is_told_as_it_stands_in_the_script_though_statements_share_a_line() -> None:
    one, two = statements("SELECT 1;   SELECT a,\n  b FROM t")
    said = two.place("Column 'a' not found (line 1, column 8); At line 2, column 3")
    assert (one.where, two.where) == ("line 1", "line 1, column 13")
    assert said == "Column 'a' not found (line 1, column 20); At line 2, column 3"
    assert two.shown(said) == "    2 │   b FROM t\n      │   ^"
    assert two.shown("no place") == ""


def test_what_flink_expected_instead_is_left_out() -> None:
    told = 'Caused by: org.apache.calcite.X: Encountered ">" at line 3, column 4.\nWas expecting one of:\n    "A" ...\n'
    assert cause(told) == 'Encountered ">" at line 3, column 4.'


def test_a_server_that_flink_does_not_reach_is_named() -> None:
    told = """Caused by: org.apache.iceberg.jdbc.UncheckedSQLException: Failed to connect: jdbc:postgresql://127.0.0.1:5432/x
        at org.apache.iceberg.jdbc.JdbcClientPool.newClient(JdbcClientPool.java:59)
    Caused by: org.postgresql.util.PSQLException: Connection to 127.0.0.1:5432 refused.
        at org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:373)
    Caused by: java.net.ConnectException: Connection refused
        at java.base/sun.nio.ch.Net.pollConnect(Native Method)
    """
    said = "org.postgresql.util.PSQLException: Connection to 127.0.0.1:5432 refused. (Connection refused)"
    assert cause(told) == said


def test_a_gateway_that_does_not_reach_the_jobmanager_is_told_from_others_that_are_refused() -> None:
    refused = "Caused by: java.net.ConnectException: Connection refused\n"
    netty = "org.apache.flink.shaded.netty4.io.netty.channel.AbstractChannel$AnnotatedConnectException"
    ours = f"Caused by: {netty}: Connection refused: /127.0.0.1:8081\n{refused}"
    assert is_away(ours) and "127.0.0.1:8081" in cause(ours)
    assert not is_away(refused) and not is_away("anything")
    assert not is_away(f"Caused by: {netty}: Connection refused: /127.0.0.1:8081\nCaused by: java.io.X: else\n")


def test_an_error_shows_its_line_and_leaves_java_to_the_log(local: LocalContext, asked: dict[str, object]) -> None:
    told = local.run("flink.sql", {**asked, "sql": "SELECT 1;  SELECT a,\n  bad FROM (VALUES (1)) AS t(a)"})
    said = message(told)
    assert said.startswith("Statement 2, line 1, column 12 (SELECT a, bad FROM (VALUES (1)) AS t(a)): "), said
    assert "'bad' not found" in said and "line 2, column 3" in said and "\n" not in said, said
    assert logs(told, "error") == "    2 │   bad FROM (VALUES (1)) AS t(a)\n      │   ^"
    assert "at org.apache.flink" in logs(told, "debug")


@pytest.mark.long
def test_a_large_result_is_stored_in_little_memory(asked: dict[str, object]) -> None:
    made = f"""CREATE TEMPORARY TABLE many (n INT, word STRING) WITH ('connector' = 'datagen',
  'number-of-rows' = '{ROWS}', 'fields.word.length' = '80');
SELECT * FROM many;"""
    properties = {**asked, "sql": made, "session": {"execution.runtime-mode": "batch"}}
    said = subprocess.run(
        [sys.executable, "-c", STORES, json.dumps(properties)], stdout=subprocess.PIPE, text=True, check=True
    )  # fmt: skip
    count, size, kilobytes = json.loads(said.stdout)
    assert count == ROWS and size > 80 * ROWS
    assert kilobytes < 40_000, f"{size:,} bytes took {kilobytes:,} kB"


@pytest.mark.long
def test_a_job_that_gets_no_slots_says_so(local: LocalContext, asked: dict[str, object], name: str) -> None:
    wide = {"parallelism.default": "64", "table.exec.resource.default-parallelism": "64"}
    told = local.run("flink.submit", {**asked, "name": name, "sql": NUMBERS, "session": wide, "untilRunning": "PT20S"})
    assert f'the job "{name}" gets no slots: its parallelism is 64, and of 4 slots' in message(told)


@pytest.mark.long
@pytest.mark.parametrize("after", [0.2, 2.0])
def test_a_job_is_begun_though_the_gateway_is_killed_meanwhile(
    lakehouse: Stack, local: LocalContext, asked: dict[str, object], name: str, after: float
) -> None:
    mended = later(after, lakehouse, "gateway")
    told = local.run("flink.submit", {**asked, "name": name, "sql": NUMBERS, "session": OFTEN, "patience": "PT180S"})
    mended.result(600)
    done(told)
    found = done(local.run("flink.wait", {"jobManagerUrl": asked["jobManagerUrl"], "names": [name]}))
    assert found["states"] == {name: "RUNNING"}


def later(after: float, lakehouse: Stack, killed: str, wanted: str = "") -> Future[None]:
    """Kill a server after some seconds, while a task runs here, and have it back, with those that need it."""

    def back() -> None:
        threading.Event().wait(after)
        lakehouse.named(killed).crash()
        lakehouse.start(names=[wanted or killed])

    return MENDER.submit(back)


@pytest.mark.long
def test_who_waits_for_a_job_that_was_forgotten_says_whose_it_was(
    lakehouse: Stack, local: LocalContext, asked: dict[str, object], name: str
) -> None:
    done(local.run("flink.submit", {**asked, "name": name, "sql": NUMBERS, "session": OFTEN}))
    url = {"jobManagerUrl": asked["jobManagerUrl"]}
    mended = later(3, lakehouse, "jobmanager", "taskmanager")
    told = local.run("flink.wait", {**url, "names": [name], "state": "FINISHED", "patience": "PT180S"})
    mended.result(600)
    assert f"Flink's JobManager at {url['jobManagerUrl']} does not know the job" in message(told)
    assert "was started again" in message(told) and "answers again, after" in logs(told, "info")


@pytest.mark.long
def test_a_taskmanager_that_is_away_is_told_of_while_its_job_waits(
    lakehouse: Stack, local: LocalContext, asked: dict[str, object], name: str
) -> None:
    done(local.run("flink.submit", {**asked, "name": name, "sql": NUMBERS, "session": OFTEN}))
    lakehouse.taskmanager.crash()
    try:
        waited = {"jobManagerUrl": asked["jobManagerUrl"], "names": [name], "checkpoints": 1_000_000}
        said = message(local.run("flink.wait", {**waited, "maxDuration": "PT40S"}))
    finally:
        lakehouse.start(names=["taskmanager"])
    assert "gets no slots" in said and "no TaskManager is known to the JobManager" in said, said
