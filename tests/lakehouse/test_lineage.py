"""Has a table one name, whichever of the lakehouse's servers tells of it?"""

from __future__ import annotations

import json

import pytest

from penstock.model.asset import Access, Change
from penstock.plugins.flink import lineage
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import About, Context
from penstock.sdk.local import LocalContext, Told
from projects.lakehouse.services.catalog import NAME
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
HERE = ("s3://lake", "warehouse/told/words")


class _Silent:
    """A way to a worker that nobody is at."""

    def send(self, frame: dict[str, object]) -> None:
        """Nobody hears it."""

    def ask(self, what: str, body: dict[str, object]) -> object:
        """Nobody answers."""
        return None


def names(told: Told) -> list[tuple[str, str, str]]:
    """What was told of."""
    return [(each.access.value, each.namespace, each.name) for each in told.touched]


def test_flink_and_the_catalog_call_a_table_by_one_name(lakehouse: Stack, local: LocalContext) -> None:
    local.lineage = True
    create = [lakehouse.flink_catalog, f"CREATE DATABASE IF NOT EXISTS {NAME}.told", f"USE CATALOG {NAME}", "USE told"]
    tables = ["CREATE TABLE IF NOT EXISTS words (n INT NOT NULL, word STRING)", "CREATE TABLE copies (n INT)"]
    work = [
        "INSERT INTO words VALUES (1, 'one'), (2, 'two')",
        f"INSERT OVERWRITE copies SELECT n FROM {NAME}.told.words",
    ]
    asked = {
        "gatewayUrl": lakehouse.gateway.address,
        "jobManagerUrl": lakehouse.jobmanager.address,
        "session": {"execution.runtime-mode": "batch"},
        "sql": ";\n".join([*create, *tables, *work]),
    }
    told = local.run("flink.sql", asked)
    done(told)
    looked = local.run("iceberg.describe", {"uri": lakehouse.catalog.address, "table": "told.words"})
    done(looked)

    assert names(told) == [
        ("writes", *HERE), ("writes", "s3://lake", "warehouse/told/copies"), ("reads", *HERE)
    ]  # fmt: skip
    assert told.touched[0].columns == {"n": "INT", "word": "STRING"}
    assert [each.change for each in told.touched] == [None, Change.OVERWRITE, None]
    assert told.touched[1].sql == work[1]
    (seen,) = looked.touched
    assert (seen.access, seen.namespace, seen.name, seen.rows) == (Access.READS, *HERE, 2)
    assert seen.columns == {"n": "int", "word": "string"}
    assert seen.version

    by_rest = {"catalog-props": {"catalog-type": "rest", "uri": lakehouse.catalog.address}}
    options = {"connector": "iceberg", "src-catalog": json.dumps(by_rest)}
    waiting = Waiting(Context(About(), _Silent()))
    assert list(lineage.places([NAME, "told", "words"], options, waiting)) == [HERE], "where Flink has it by REST, too"


def test_a_job_that_lives_tells_of_its_data_though_nobody_wanted_to_know_when_it_began(
    lakehouse: Stack, local: LocalContext
) -> None:
    urls = {"jobManagerUrl": lakehouse.jobmanager.address}
    script = [
        lakehouse.flink_catalog,
        f"CREATE DATABASE IF NOT EXISTS {NAME}.told",
        f"CREATE TABLE IF NOT EXISTS {NAME}.told.later (n INT)",
        "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')",
        f"INSERT INTO {NAME}.told.later SELECT n FROM numbers",
    ]
    asked = {**urls, "gatewayUrl": lakehouse.gateway.address, "name": "told-later", "sql": ";\n".join(script)}
    try:
        assert local.run("flink.submit", asked).touched == ()
        local.lineage = True
        told = local.run("flink.submit", asked)
        assert done(told)["attached"] is True
        assert names(told) == [("writes", "s3://lake", "warehouse/told/later")]
    finally:
        done(local.run("flink.cancel", {**urls, "name": "told-later"}))
