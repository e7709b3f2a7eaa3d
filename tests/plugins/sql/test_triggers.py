"""Do triggers on databases fire with the rows there are, and before what follows becomes lasting?"""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext
from tests.acceptance.observe import eventually

AFTER = {"sql": "SELECT id FROM inbox ORDER BY id", "fetchType": "FETCH", "afterSQL": "DELETE FROM inbox"}


@pytest.fixture
def url(database: str) -> str:
    with psycopg.connect(database) as session:
        session.execute("CREATE TABLE inbox(id integer)")
    return database


def put(url: str, *ids: int) -> None:
    with psycopg.connect(url) as session:
        for each in ids:
            session.execute("INSERT INTO inbox VALUES (%s)", [each])


def count(url: str) -> int:
    with psycopg.connect(url) as session:
        (found,) = session.execute("SELECT count(*) FROM inbox").fetchone() or (0,)
        return int(found)


def test_rows_are_outputs_and_none_are_nothing(local: LocalContext, url: str) -> None:
    asked = {"url": url, "sql": "SELECT id FROM inbox", "fetchType": "FETCH"}

    assert local.run("io.kestra.plugin.jdbc.postgresql.Trigger", asked).outcome is Outcome.SKIPPED
    put(url, 7)
    told = local.run("io.kestra.plugin.jdbc.postgresql.Trigger", asked)

    assert told.outcome is Outcome.DONE
    assert told.outputs == {"rows": [{"id": 7}], "size": 1}
    assert local.run("sql.trigger", {**asked, "fetchType": "NONE"}).failure, "rows that nobody fetches cannot be seen"


def test_what_follows_lasts_only_once_the_run_is_there(local: LocalContext, url: str) -> None:
    put(url, 1, 2)

    local.most_fired = 0
    assert local.run("sql.trigger", {"url": url, **AFTER}).failure
    assert count(url) == 2
    local.most_fired = 1
    assert local.run("sql.trigger", {"url": url, **AFTER}).outcome is Outcome.SKIPPED
    put(url, 1, 2)  # as if its COMMIT had been lost: the same rows are the same run
    assert local.run("sql.trigger", {"url": url, **AFTER, "fetchType": "FETCH"}).outcome is Outcome.SKIPPED

    assert [each["rows"] for each in local.fired.values()] == [[{"id": 1}, {"id": 2}]]
    assert count(url) == 0


def test_sqlite_is_looked_at_likewise(local: LocalContext, tmp_path: Path) -> None:
    asked = {"url": f"jdbc:sqlite:{tmp_path / 'a.db'}", "sql": "SELECT 1 AS one", "fetchType": "FETCH_ONE"}

    assert local.run("sqlite.trigger", asked).outputs["row"] == {"one": 1}


def test_what_postgresql_is_told_is_heard(local: LocalContext, url: str) -> None:
    local.most_fired = 1
    listening = threading.Thread(
        target=local.run, args=("postgres.realtime_trigger", {"url": url, "channel": "orders"}), daemon=True
    )
    listening.start()

    def heard() -> bool:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("NOTIFY orders, 'seven'")
        return not listening.is_alive()

    eventually(heard, "it is refused once more")
    assert [each["payload"] for each in local.fired.values()] == ["seven"]
