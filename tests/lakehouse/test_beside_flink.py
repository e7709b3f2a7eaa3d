"""Does Flink go on as if nothing had happened while its tables are looked after, and does no deleted row come back?"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, cast

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.catalog import NAME
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.between import between
from tests.lakehouse.conftest import done
from tests.lakehouse.lake import SPACE, Lake, lake
from tests.lakehouse.test_tables import expired

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
numbers = itertools.count(1)
# So many are waited for at a time, of so many that a job does not come to its end.
MORE, MOST = 300, 100_000
Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def tables(lakehouse: Stack) -> Lake:
    return lake(lakehouse)


@pytest.fixture
def flink(lakehouse: Stack) -> dict[str, object]:
    return {"gatewayUrl": lakehouse.gateway.address, "jobManagerUrl": lakehouse.jobmanager.address}


@pytest.fixture
def batch(lakehouse: Stack, local: LocalContext, flink: dict[str, object]) -> Ask:
    """Have Flink do statements, and give the rows of the last."""

    def ask(sql: str) -> list[dict[str, Any]]:
        session = {"execution.runtime-mode": "batch"}
        asked = {**flink, "session": session, "sql": f"{lakehouse.flink_catalog};\n{sql}", "fetchType": "FETCH"}
        return cast("list[dict[str, Any]]", done(local.run("flink.sql", asked)).get("rows", []))

    return ask


@pytest.mark.long
def test_a_job_goes_on_behind_its_last_checkpoint_when_all_before_is_gone(
    lakehouse: Stack, tables: Lake, local: LocalContext, flink: dict[str, object]
) -> None:
    job = f"looked-after-{next(numbers)}"
    name = f"{SPACE}.{job.replace('-', '_')}"
    script = f"""{lakehouse.flink_catalog};
CREATE TABLE IF NOT EXISTS {NAME}.{name} (n INT) WITH ('format-version' = '2');
CREATE TEMPORARY TABLE default_catalog.default_database.numbers (n INT) WITH (
  'connector' = 'datagen', 'rows-per-second' = '150',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '{MOST}'
);
INSERT INTO {NAME}.{name} SELECT n FROM default_catalog.default_database.numbers;
"""
    session = {"execution.checkpointing.interval": "500ms"}
    submit = {**flink, "name": job, "from": "latest", "session": session, "sql": script}
    asked = {**tables.asked, "table": name}
    there: dict[str, object] = {"uri": tables.asked["uri"], "tables": [name], "maxDuration": "PT3M"}

    def looked_after() -> None:
        done(local.run("iceberg.rewrite_manifests", asked))
        done(local.run("iceberg.compact", {**asked, "minFiles": 2}))
        done(expired(local, asked, olderThan="PT0S", keep=1))

    def more() -> None:
        rows = int(str(done(local.run("iceberg.describe", {"uri": tables.asked["uri"], "table": name}))["rows"]))
        done(local.run("iceberg.wait_for_rows", {**there, "rows": rows + MORE}))

    done(local.run("flink.submit", submit))
    for _ in range(2):
        more()
        looked_after()
    done(local.run("flink.cancel", {"jobManagerUrl": flink["jobManagerUrl"], "name": job}))
    looked_after()
    assert len(tables.load(name).snapshots()) == 1
    began = done(local.run("flink.submit", submit))
    assert began["from"]
    more()
    done(local.run("flink.cancel", {"jobManagerUrl": flink["jobManagerUrl"], "name": job}))
    looked_after()
    held = tables.held(name)
    assert held == list(range(1, len(held) + 1))


@pytest.mark.long
def test_rows_that_are_deleted_stay_deleted(lakehouse: Stack, tables: Lake, local: LocalContext, batch: Ask) -> None:
    name = f"{SPACE}.upserted{next(numbers)}"
    here = f"{NAME}.{name}"
    batch(f"""CREATE TABLE {here} (id INT, n INT, PRIMARY KEY (id) NOT ENFORCED)
WITH ('format-version' = '2', 'write.upsert.enabled' = 'true')""")
    # Written twice at once: the first is deleted by its position.
    batch(f"INSERT INTO {here} VALUES (1, 1), (2, 1), (3, 1), (4, 1), (1, 2)")
    asked = {**tables.asked, "table": name, "minFiles": 2}

    def held() -> list[tuple[int, int]]:
        return sorted((int(each["id"]), int(each["n"])) for each in batch(f"SELECT id, n FROM {here}"))

    def upsert(number: int) -> None:
        if number == 1:
            batch(f"INSERT INTO {here} VALUES (2, 2), (3, 2)")

    assert held() == [(1, 2), (2, 1), (3, 1), (4, 1)]
    # While the file is written anew without that row, others of it are deleted by equality.
    with between(lakehouse.catalog.address, before=upsert) as address:
        told = done(local.run("iceberg.compact", {**asked, "uri": address}))
    assert told["rows"] == 4 and told["conflicts"] == 0, told
    assert held() == [(1, 2), (2, 2), (3, 2), (4, 1)]
    again = done(local.run("iceberg.compact", asked))
    assert int(str(again["left"])) > 0
    assert held() == [(1, 2), (2, 2), (3, 2), (4, 1)]
