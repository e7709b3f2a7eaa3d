"""Do the flows that look after the lake leave every table as it was, and publish what is believed alone?"""

from __future__ import annotations

import datetime
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from projects.lakehouse.services.stack import Stack
from tests.lakehouse.lake import Lake, lake
from tests.lakehouse.pipeline import Pipeline, cancelled, copied

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
COLUMNS = pyarrow.schema(
    [("trip_id", pyarrow.string()), ("pickup_at", pyarrow.timestamp("us")), ("fare", pyarrow.float64())]
)
PAGE = Path(__file__).parents[2] / "docs" / "en" / "iceberg.md"
NOON = datetime.datetime(2026, 11, 1, 12)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def tables(lakehouse: Stack) -> Lake:
    return lake(lakehouse)


@pytest.fixture
def pipeline(lakehouse: Stack, tmp_path: Path) -> Pipeline:
    return copied(lakehouse, tmp_path)


@pytest.fixture
def silver(tables: Lake) -> str:
    """A namespace with trips of three days, in six small files."""
    name = f"kept{next(numbers)}"
    tables.catalog.create_namespace_if_not_exists(name)
    made = tables.catalog.create_table(f"{name}.silver", schema=COLUMNS, properties={"format-version": "2"})
    for number in range(6):
        trips = [(f"{number}-{each}", NOON + datetime.timedelta(each % 3), 10.0) for each in range(6)]
        columns = dict(zip(COLUMNS.names, map(list, zip(*trips, strict=True)), strict=True))
        made.append(pyarrow.table(columns, schema=COLUMNS))
    return name


def ran(pipeline: Pipeline, flow: str, *, fails: bool = False, **inputs: object) -> dict[str, Any]:
    """Run a flow by the command line, and give the run's document."""
    given = [word for name, value in inputs.items() for word in ("-i", f"{name}={value}")]
    command = [sys.executable, "-m", "penstock", "run", f"flows/{flow}.yml", "--json", *given]
    said = subprocess.run(command, cwd=pipeline.folder, env=pipeline.env, capture_output=True, text=True, check=False)
    assert (said.returncode != 0) is fails, said.stdout[-3000:] + said.stderr[-3000:]
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def revenue(tables: Lake, name: str) -> list[float]:
    """What everybody reads."""
    found: list[float] = tables.load(f"{name}.revenue").scan().to_arrow()["fares"].to_pylist()
    return found


@pytest.mark.long
def test_tables_are_looked_after_and_what_is_not_believed_is_not_published(
    tables: Lake, pipeline: Pipeline, silver: str
) -> None:
    ran(pipeline, "maintenance", name=silver, tables='["silver"]', dry_run="true")
    table = tables.load(f"{silver}.silver")
    assert len(table.snapshots()) == 6
    ran(pipeline, "maintenance", name=silver, tables='["silver"]', older_than="PT0S", keep=1)
    table = tables.load(f"{silver}.silver")
    assert len(table.snapshots()) == 1 and len(table.inspect.data_files()) == 1
    assert len(table.scan().to_arrow()) == 36

    ran(pipeline, "publish_revenue", name=silver)
    assert revenue(tables, silver) == [120.0, 120.0, 120.0] and list(tables.load(f"{silver}.revenue").refs()) == [
        "main"
    ]
    table.append(pyarrow.table({"trip_id": ["x"], "pickup_at": [NOON], "fare": [1e6]}, schema=COLUMNS))
    refused = ran(pipeline, "publish_revenue", fails=True, name=silver, most=1000)
    branch = f"audit_{refused['id'].lower()}"
    assert f"Look at it in the branch {branch}" in json.dumps(refused)
    assert revenue(tables, silver) == [120.0, 120.0, 120.0] and branch in tables.load(f"{silver}.revenue").refs()
    ran(pipeline, "publish_revenue", name=silver)
    assert sorted(revenue(tables, silver)) == [120.0, 120.0, 1_000_120.0]


def test_what_the_page_of_docs_shows_runs(tables: Lake, pipeline: Pipeline) -> None:
    columns = pyarrow.schema([(name, pyarrow.int32()) for name in ("n", "word", "day", "pieces", "remark")])
    tables.catalog.create_namespace_if_not_exists("shop")
    made = tables.catalog.create_table("shop.orders", schema=columns, properties={"format-version": "2"})
    for _ in range(5):
        made.append(pyarrow.table({name: [1, 2, 3] for name in columns.names}, schema=columns))
    made.manage_snapshots().create_branch(made.current_snapshot().snapshot_id, "audit").commit()
    for flow in re.findall(r"^```yaml\n(id: (\w+)\n.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        (pipeline.folder / "flows" / f"{flow[1]}.yml").write_text(flow[0])
    ran(pipeline, "look_after_orders")
    assert len(tables.load("shop.orders").inspect.data_files()) == 1
    for name in ("publish_orders", "evolve_orders", "evolve_orders"):
        ran(pipeline, name)
    table = tables.load("shop.orders")
    assert table.schema().column_names == ["day", "n", "tolls", "term", "pieces", "source"]
    assert len(table.scan().to_arrow()) == 15
    told = subprocess.run(
        [sys.executable, "-m", "penstock", "check", "flows/when_orders_come.yml"],
        cwd=pipeline.folder, env=pipeline.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.long
def test_what_was_sent_is_in_the_tables_though_they_are_looked_after_meanwhile(
    pipeline: Pipeline, lakehouse: Stack, tables: Lake
) -> None:
    pipeline.run(events=3_000, name="maintained")
    ran(pipeline, "maintenance", name="maintained", min_files=2)
    second = pipeline.run(events=6_000, name="maintained")
    pipeline.check(second["id"], "maintained")
    for job in ("maintained-bronze", "maintained-silver"):
        cancelled(lakehouse, job)
    ran(pipeline, "maintenance", name="maintained", min_files=2, older_than="PT0S", keep=1)
    assert len(tables.load("maintained.bronze").snapshots()) == 1
    pipeline.check(second["id"], "maintained")
