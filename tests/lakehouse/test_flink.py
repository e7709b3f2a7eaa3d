"""Does Flink do what flows ask of it, once and not twice, and does an error say which statement is wrong?"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, cast

import pytest

from penstock.plugins.flink.script import statements
from penstock.sdk.local import LocalContext
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done, message

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
numbers = itertools.count(1)
NUMBERS = """CREATE TEMPORARY TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
CREATE TEMPORARY TABLE nowhere (n INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT n FROM numbers;
"""
FEW = NUMBERS.replace("'rows-per-second' = '100'", "'number-of-rows' = '1000'")
BEGINS = """import json, sys
from penstock.sdk.local import LocalContext
with LocalContext() as local:
    print(json.dumps(local.run("flink.submit", json.loads(sys.argv[1])).outputs))
"""
OFTEN = {"execution.checkpointing.interval": "500ms"}


@pytest.fixture
def asked(lakehouse: Stack) -> dict[str, object]:
    """Where Flink is."""
    return {"gatewayUrl": lakehouse.gateway.address, "jobManagerUrl": lakehouse.jobmanager.address}


@pytest.fixture
def name(lakehouse: Stack, local: LocalContext) -> Iterator[str]:
    """The name of a job of this test alone, which is cancelled afterwards."""
    made = f"job-{next(numbers)}"
    yield made
    local.run("flink.cancel", {"jobManagerUrl": lakehouse.jobmanager.address, "name": made})


def url(asked: dict[str, object]) -> dict[str, object]:
    return {"jobManagerUrl": asked["jobManagerUrl"]}


def by_n(rows: object) -> list[dict[str, Any]]:
    """Rows in the order of their column n."""
    return sorted(cast("list[dict[str, Any]]", rows), key=lambda row: int(row["n"]))


def test_a_script_falls_into_statements_that_know_their_line() -> None:
    script = """-- prepare
SET 'a' = 'b;c';

/* all at once */ EXECUTE STATEMENT SET BEGIN
  INSERT INTO x SELECT * FROM s /*+ OPTIONS('a'='1') */;
  INSERT INTO y SELECT CASE WHEN n > 1 THEN 1 ELSE 2 END FROM s;
END;
CREATE TABLE t AS SELECT 1;
CREATE TABLE u (a INT)
"""
    found = statements(script)
    assert [(each.line, each.becomes_job) for each in found] == [(2, False), (4, True), (8, True), (9, False)]
    assert found[1].text.startswith("EXECUTE STATEMENT SET") and found[1].text.endswith("END")
    assert "OPTIONS('a'='1')" in found[1].text


def test_rows_come_back_as_maps_or_as_a_file(local: LocalContext, asked: dict[str, object]) -> None:
    values = "SELECT * FROM (VALUES (1, 'one'), (2, 'two'), (3, CAST(NULL AS STRING))) AS t(n, word)"
    rows = [{"n": 1, "word": "one"}, {"n": 2, "word": "two"}, {"n": 3, "word": None}]
    asked = {**asked, "session": {"execution.runtime-mode": "batch"}, "sql": values}
    found = done(local.run("flink.sql", {**asked, "fetchType": "FETCH"}))
    assert by_n(found["rows"]) == rows
    assert done(local.run("flink.sql", {**asked, "fetchType": "FETCH_ONE"}))["row"] in rows
    stored = done(local.run("flink.sql", {**asked, "fetchType": "STORE"}))
    lines = [json.loads(line) for line in local.text(str(stored["uri"])).splitlines()]
    assert by_n(lines) == rows


def test_a_query_without_end_gives_as_many_rows_as_are_wanted(local: LocalContext, asked: dict[str, object]) -> None:
    script = f"{NUMBERS.split('INSERT', maxsplit=1)[0]}\nSELECT n FROM numbers"
    told = done(local.run("flink.sql", {**asked, "sql": script, "fetchType": "FETCH", "maxRows": 7}))
    assert told["size"] == 7


def test_what_becomes_a_job_is_waited_for(local: LocalContext, asked: dict[str, object]) -> None:
    told = done(local.run("flink.sql", {**asked, "sql": FEW}))
    again = local.run("flink.wait", {**url(asked), "names": ["local.local"], "state": "FINISHED"})
    assert done(again)["states"] == {"local.local": "FINISHED"}, told["jobs"]


def test_an_error_says_which_statement_is_wrong_and_where(local: LocalContext, asked: dict[str, object]) -> None:
    script = "CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'datagen');\n\nSELECT a,\n  b FROM t;\n"
    said = message(local.run("flink.sql", {**asked, "sql": script}))
    assert said.startswith("Statement 2, line 3 (SELECT a, b FROM t): "), said
    assert "line 4" in said and "'b'" in said, said
    said = message(local.run("flink.sql", {**asked, "sql": "SELECT 1;\nSELEKT 2"}))
    assert said.startswith("Statement 2, line 2 (SELEKT 2): "), said


def test_a_server_that_is_not_there_is_named(local: LocalContext) -> None:
    asked = {"gatewayUrl": "http://127.0.0.1:1", "sql": "SELECT 1", "patience": "PT0.3S"}
    assert "Flink's SQL gateway at http://127.0.0.1:1" in message(local.run("flink.sql", asked))


def test_a_job_is_begun_once_and_taken_when_it_lives(local: LocalContext, asked: dict[str, object], name: str) -> None:
    wanted = {**asked, "name": name, "sql": NUMBERS}
    first = done(local.run("flink.submit", wanted))
    assert first["attached"] is False and first["name"] == name
    second = done(local.run("flink.submit", wanted))
    assert second == {**first, "attached": True}
    assert "lives already" in message(local.run("flink.submit", {**wanted, "ifRunning": "FAIL"}))
    other = {**wanted, "sql": FEW, "until": "FINISHED"}
    assert "was begun from other SQL or settings" in message(local.run("flink.submit", other))


def test_a_job_whose_submission_nobody_remembers_is_not_begun_twice(
    local: LocalContext, asked: dict[str, object], name: str
) -> None:
    wanted = {**asked, "name": name, "sql": NUMBERS}
    first = done(local.run("flink.submit", wanted))
    local.kv.clear()
    assert done(local.run("flink.submit", wanted))["jobId"] == first["jobId"]
    done(local.run("flink.cancel", {**url(asked), "name": name}))
    local.kv.clear()
    third = done(local.run("flink.submit", wanted))
    assert third["jobId"] != first["jobId"] and third["attached"] is False


def test_two_who_begin_a_job_at_once_get_one(asked: dict[str, object], name: str) -> None:
    properties = json.dumps({**asked, "name": name, "sql": NUMBERS})
    both = [
        subprocess.Popen([sys.executable, "-c", BEGINS, properties], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]  # fmt: skip
    told = [json.loads(each.communicate(timeout=200)[0]) for each in both]
    assert told[0]["jobId"] == told[1]["jobId"]
    assert [each["attached"] for each in told].count(False) <= 1


def test_a_job_goes_on_from_where_it_was_stopped(local: LocalContext, asked: dict[str, object], name: str) -> None:
    wanted = {**asked, "name": name, "sql": NUMBERS, "session": OFTEN}
    done(local.run("flink.submit", {**wanted, "from": "latest"}))
    stopped = done(local.run("flink.stop", {**url(asked), "name": name}))
    assert str(stopped["savepoint"]).startswith("file:")
    assert done(local.run("flink.stop", {**url(asked), "name": name})) == stopped
    resumed = done(local.run("flink.submit", {**wanted, "from": "latest"}))
    assert resumed["from"] == stopped["savepoint"]


def test_a_newer_version_takes_over_from_the_one_that_lives(
    local: LocalContext, asked: dict[str, object], name: str
) -> None:
    wanted = {**asked, "name": name, "sql": NUMBERS, "session": OFTEN}
    first = done(local.run("flink.submit", wanted))
    newer = NUMBERS.replace("SELECT n FROM", "SELECT n + 1 FROM")
    second = done(local.run("flink.submit", {**wanted, "sql": newer, "ifRunning": "REPLACE"}))
    assert second["jobId"] != first["jobId"] and second["from"]
    waited = {**url(asked), "names": [name], "checkpoints": 2, "maxDuration": "PT60S"}
    assert done(local.run("flink.wait", waited))["states"] == {name: "RUNNING"}
    written = done(local.run("flink.savepoint", {**url(asked), "name": name}))
    assert written["savepoint"] != second["from"] and written["jobId"] == second["jobId"]


def test_only_one_statement_may_become_the_job(local: LocalContext, asked: dict[str, object], name: str) -> None:
    said = message(local.run("flink.submit", {**asked, "name": name, "sql": "SELECT 1"}))
    assert "0 statements of sql become jobs" in said
    assert "PS-" not in said


def test_a_job_that_fails_says_why(local: LocalContext, asked: dict[str, object], name: str) -> None:
    script = FEW.replace("SELECT n FROM", "SELECT 1 / (n - n) FROM")
    script = f"SET 'restart-strategy.type' = 'none';\n{script}"
    said = message(local.run("flink.sql", {**asked, "sql": script}))
    assert "FAILED" in said and "/ by zero" in said, said


@pytest.mark.long
def test_a_job_goes_on_from_its_last_checkpoint_when_the_jobmanager_was_killed(
    lakehouse: Stack, local: LocalContext, asked: dict[str, object], name: str
) -> None:
    wanted = {**asked, "name": name, "sql": NUMBERS, "session": OFTEN}
    done(local.run("flink.submit", wanted))
    done(local.run("flink.wait", {**url(asked), "names": [name], "checkpoints": 2}))
    lakehouse.jobmanager.crash()
    lakehouse.start(names=["taskmanager"])
    found = done(local.run("flink.submit", {**wanted, "from": "latest"}))
    assert "/chk-" in str(found["from"]) and found["attached"] is False
