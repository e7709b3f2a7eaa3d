"""Does BigQuery hear what a task says? Google's own client speaks, to a server that is not the real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.api_core.exceptions import BadRequest

from penstock.model.status import Outcome
from penstock.plugins.gcp.bigquery import Query
from penstock.plugins.gcp.options import PLATFORM
from penstock.sdk.local import LocalContext, Told
from penstock.sdk.values import Duration, Secret
from tests.plugins.gcp.rest import BigQuery, serving

ASKED: dict[str, object] = {"projectId": "shop", "sql": "SELECT * FROM orders"}
FIRST = {
    "id": 0,
    "price": 1.5,
    "seen": "2016-01-02T03:04:05+00:00",
    "tags": ["a", "b"],
    "place": {"x": 1.5, "raw": "YWI="},
}
TASK = """
import json, sys
from penstock.sdk.local import LocalContext
with LocalContext() as local:
    local.run("bigquery.query", json.loads(sys.argv[1]))
"""


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with serving() as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.url)
        yield server


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


def test_rows_of_all_pages_are_fetched_or_stored(local: LocalContext, bigquery: BigQuery) -> None:
    fetched = ok(local.run("io.kestra.plugin.gcp.bigquery.Query", {**ASKED, "fetchType": "FETCH"}))
    stored = ok(local.run("bigquery.query", {**ASKED, "store": True}))
    first = ok(local.run("bigquery.query", {**ASKED, "fetchOne": True}))
    none = ok(local.run("bigquery.query", ASKED))

    assert isinstance(fetched["rows"], list)
    assert (fetched["size"], fetched["rows"][0], [each["id"] for each in fetched["rows"]]) == (3, FIRST, [0, 1, 2])
    lines = [json.loads(line) for line in local.text(str(stored["uri"])).splitlines()]
    assert (stored["size"], lines) == (3, fetched["rows"])
    assert (first["row"], first["size"]) == (FIRST, 1)
    assert set(none) == {"jobId", "destinationTable"}
    assert none["destinationTable"] == {"project": "shop", "dataset": "_anonymous", "table": "answer"}
    assert str(none["jobId"]).startswith("penstock-local-local-")


def test_tables_that_are_read_and_written_are_told_of(local: LocalContext, bigquery: BigQuery) -> None:
    local.lineage = True
    read = local.run("bigquery.query", ASKED)
    made = local.run("bigquery.query", {**ASKED, "destinationTable": "sales.daily$20160102"})

    assert [(each.access.value, each.namespace, each.name) for each in read.touched] == [
        ("reads", "bigquery", "shop.sales.orders")
    ]
    assert [(each.access.value, each.name) for each in made.touched] == [
        ("reads", "shop.sales.orders"), ("writes", "shop.sales.daily")
    ]  # fmt: skip


def test_every_property_reaches_the_job(local: LocalContext, bigquery: BigQuery) -> None:
    given = {
        **ASKED,
        "location": "EU",
        "destinationTable": "sales.daily$20160102",
        "defaultDataset": "other.sales",
        "createDisposition": "CREATE_NEVER",
        "writeDisposition": "WRITE_APPEND",
        "schemaUpdateOptions": ["ALLOW_FIELD_ADDITION"],
        "clusteringFields": ["id"],
        "timePartitioningField": "day",
        "timePartitioningType": "MONTH",
        "labels": {"team": "data"},
        "priority": "BATCH",
        "jobTimeout": "PT90S",
        "legacySql": True,
        "allowLargeResults": True,
        "flattenResults": False,
        "useQueryCache": False,
        "maximumBillingTier": 2,
        "maximumBytesBilled": 10_000_000_000,
    }

    ok(local.run("bigquery.query", given))

    (job,) = bigquery.jobs
    assert (job["jobReference"]["projectId"], job["jobReference"]["location"]) == ("shop", "EU")
    query = job["configuration"].pop("query")
    assert job["configuration"] == {"dryRun": False, "jobTimeoutMs": "90000", "labels": {"team": "data"}}
    assert query == {
        "query": "SELECT * FROM orders",
        "destinationTable": {"projectId": "shop", "datasetId": "sales", "tableId": "daily$20160102"},
        "defaultDataset": {"projectId": "other", "datasetId": "sales"},
        "createDisposition": "CREATE_NEVER",
        "writeDisposition": "WRITE_APPEND",
        "schemaUpdateOptions": ["ALLOW_FIELD_ADDITION"],
        "clustering": {"fields": ["id"]},
        "timePartitioning": {"type": "MONTH", "field": "day"},
        "priority": "BATCH",
        "useLegacySql": True,
        "allowLargeResults": True,
        "flattenResults": False,
        "useQueryCache": False,
        "maximumBillingTier": 2,
        "maximumBytesBilled": "10000000000",
    }


def test_what_is_not_said_is_left_to_bigquery() -> None:
    task = Query(sql="SELECT 1", range_partitioning_field="id", range_partitioning_start=0, job_timeout=Duration(0))

    told = task.configuration("shop").to_api_repr()

    ranges = {"field": "id", "range": {"start": "0"}}
    assert told == {
        "dryRun": False,
        "jobTimeoutMs": "0",
        "query": {"priority": "INTERACTIVE", "useLegacySql": False, "rangePartitioning": ranges},
    }


def test_a_statement_may_be_looked_at_and_not_run(local: LocalContext, bigquery: BigQuery) -> None:
    told = local.run("bigquery.query", {**ASKED, "dryRun": True, "fetchType": "FETCH"})

    assert set(ok(told)) == {"jobId", "destinationTable"}
    assert bigquery.jobs[0]["configuration"]["dryRun"] is True
    assert {"total.bytes.processed": 1024, "total.bytes.billed": 2048}.items() <= {
        each.name: each.value for each in told.metrics
    }.items()


def test_what_bigquery_refuses_is_told_in_its_words(local: LocalContext, bigquery: BigQuery) -> None:
    bigquery.refusals = [("invalidQuery", "Syntax error: Unexpected end of script at [1:7]")]

    told = local.run("bigquery.query", {**ASKED, "sql": "SELECT"})
    lost = local.run("bigquery.query", {**ASKED, "destinationTable": "nowhere"})

    assert message(told) == "BigQuery: Syntax error: Unexpected end of script at [1:7] (invalidQuery)"
    assert "nowhere" in message(lost)
    assert len(bigquery.jobs) == 1


def test_a_key_says_who_asks_and_who_pays() -> None:
    made = rsa.generate_private_key(65537, 2048)
    written = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = {
        "type": "service_account",
        "project_id": "shop",
        "client_email": "loader@shop.iam.gserviceaccount.com",
        "private_key": written,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    secret = Secret(json.dumps(key))

    own, project = Query(sql="", service_account=secret).credentials()
    other, other_project = Query(
        sql="", service_account=secret, impersonated_service_account=Secret("boss@x"), project_id="bank"
    ).credentials()

    assert (own.service_account_email, own.scopes, project) == (key["client_email"], [PLATFORM], "shop")
    assert (other.service_account_email, other_project) == ("boss@x", "bank")


@pytest.mark.parametrize(
    ("reason", "said", "again"),
    [
        ("rateLimitExceeded", "Too many", True),
        ("invalidQuery", "Transaction is aborted DUE TO concurrent update", True),
        ("invalidQuery", "Syntax error", False),
    ],
)
def test_only_what_may_go_well_is_tried_again(reason: str, said: str, again: bool) -> None:
    kind: Any = BadRequest
    error = kind(said, errors=[{"reason": reason, "message": said}])

    assert Query(sql="").may_be_tried_again(error) is again
    assert Query(sql="", retry_reasons=[reason], retry_messages=[]).may_be_tried_again(error)
    assert not Query(sql="").may_be_tried_again(ValueError("x"))


def test_a_key_that_is_none_is_not_shown(local: LocalContext) -> None:
    for key in ('{"type": "service_account", "private_key": "SECRET"}', "SECRET"):
        told = local.run("bigquery.query", {**ASKED, "serviceAccount": key})

        assert message(told) == "serviceAccount is no key of a service account."
        assert "SECRET" not in repr(told)


def test_a_task_that_is_told_to_end_cancels_its_job(bigquery: BigQuery) -> None:
    bigquery.held = True
    with subprocess.Popen([sys.executable, "-c", TASK, json.dumps(ASKED)], env=dict(os.environ)) as task:
        assert bigquery.read.wait(30)

        task.terminate()

        assert task.wait(30) == -signal.SIGTERM
        assert bigquery.cancelled.is_set()
