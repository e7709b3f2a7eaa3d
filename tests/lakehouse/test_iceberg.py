"""Do tables of Iceberg tell what they hold, and is what is published what everybody reads?"""

from __future__ import annotations

import itertools
from typing import Any, cast

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.catalog import NAME
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done, message

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
numbers = itertools.count(1)


@pytest.fixture
def catalog(lakehouse: Stack) -> dict[str, object]:
    return {"uri": lakehouse.catalog.address}


@pytest.fixture
def table(lakehouse: Stack, local: LocalContext) -> str:
    """A table of its own with three rows."""
    name = f"tests.t{next(numbers)}"
    write(lakehouse, local, f"CREATE TABLE {NAME}.{name} (n INT, word STRING)", into(name, 3))
    return name


def into(name: str, count: int, branch: str = "") -> str:
    """A statement that writes so many rows."""
    values = ", ".join(f"({number}, 'w')" for number in range(count))
    hint = f" /*+ OPTIONS('branch'='{branch}') */" if branch else ""
    return f"INSERT INTO {NAME}.{name}{hint} VALUES {values}"


def write(lakehouse: Stack, local: LocalContext, *statements: str) -> None:
    """Have Flink do these."""
    script = [lakehouse.flink_catalog, f"CREATE DATABASE IF NOT EXISTS {NAME}.tests", *statements]
    asked = {
        "gatewayUrl": lakehouse.gateway.address,
        "jobManagerUrl": lakehouse.jobmanager.address,
        "session": {"execution.runtime-mode": "batch"},
        "sql": ";\n".join(script),
    }
    done(local.run("flink.sql", asked))


def test_a_table_tells_what_it_holds(
    lakehouse: Stack, local: LocalContext, catalog: dict[str, object], table: str
) -> None:
    told = done(local.run("iceberg.describe", {**catalog, "table": table}))
    assert told["rows"] == 3 and len(cast("list[Any]", told["snapshots"])) == 1
    assert [each["name"] for each in cast("list[Any]", told["columns"])] == ["n", "word"]
    write(lakehouse, local, into(table, 2))
    asked = {**catalog, "tables": [table], "rows": 5, "maxDuration": "PT30S"}
    assert done(local.run("iceberg.wait_for_rows", asked))["rows"] == {table: 5}
    late = {**asked, "rows": 6, "maxDuration": "PT0.1S"}
    assert f"there are 5 of 6 rows: {table} has 5" in message(local.run("iceberg.wait_for_rows", late))
    told = done(local.run("iceberg.wait_for_rows", {**late, "failOnMaxDuration": False}))
    assert (told["rows"], told["reached"]) == ({table: 5}, False)
    assert 'There is no table "tests.none"' in message(
        local.run("iceberg.describe", {**catalog, "table": "tests.none"})
    )


def test_what_is_written_into_a_branch_is_read_once_it_is_published(
    lakehouse: Stack, local: LocalContext, catalog: dict[str, object], table: str
) -> None:
    named = {**catalog, "table": table}
    assert done(local.run("iceberg.set_ref", {**named, "name": "audit", "kind": "BRANCH"}))["changed"] is True
    assert done(local.run("iceberg.set_ref", {**named, "name": "before"}))["changed"] is True
    assert done(local.run("iceberg.set_ref", {**named, "name": "before"}))["changed"] is False
    assert "is a tag" in message(local.run("iceberg.set_ref", {**named, "name": "before", "kind": "BRANCH"}))
    write(lakehouse, local, into(table, 4, "audit"))
    assert done(local.run("iceberg.describe", named))["rows"] == 3
    assert done(local.run("iceberg.describe", {**named, "ref": "audit"}))["rows"] == 7
    published = done(local.run("iceberg.publish", {**named, "from": "audit"}))
    assert published["changed"] is True and published["before"] is not None
    assert done(local.run("iceberg.publish", {**named, "from": "audit"}))["changed"] is False
    assert done(local.run("iceberg.describe", named))["rows"] == 7
    assert "lacks what the main branch has" in message(local.run("iceberg.publish", {**named, "from": "before"}))
    done(local.run("iceberg.publish", {**named, "from": "before", "back": True}))
    assert done(local.run("iceberg.describe", named))["rows"] == 3
    assert done(local.run("iceberg.delete_ref", {**named, "name": "audit"})) == {"deleted": True}
    assert done(local.run("iceberg.delete_ref", {**named, "name": "audit"})) == {"deleted": False}
    assert 'no branch, tag or snapshot "audit"' in message(local.run("iceberg.publish", {**named, "from": "audit"}))
