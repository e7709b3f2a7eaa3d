"""Does a zone that is called otherwise count from the next beginning of silver's job, without a trip lost or twice?"""

from __future__ import annotations

import collections
import json
from pathlib import Path

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.scripts.generate import Shares, events
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done
from tests.lakehouse.pipeline import FLOW, Pipeline, cancelled, copied

NAME = "renamed"
OLD, NEW = "Newark Airport", "Newark"
STEPS = ("create_topics", "generate_events", "submit_flink_bronze", "submit_flink_silver", "wait_for_processing")


@pytest.fixture
def pipeline(lakehouse: Stack, tmp_path: Path) -> Pipeline:
    """The project, pointed at the running servers."""
    return copied(lakehouse, tmp_path)


@pytest.mark.long
@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_a_zone_is_called_otherwise_from_the_jobs_next_beginning(pipeline: Pipeline, lakehouse: Stack) -> None:
    steps = json.dumps(STEPS)
    pipeline.run(events=1_000, name=NAME, steps=steps)

    changed(pipeline.folder / "gold" / "seeds" / "zones.csv", f"1,{OLD},", f"1,{NEW},")
    begins = "    from: \"{{ inputs.mode == 'bounded' ? '' : 'latest' }}\"\n"
    changed(pipeline.folder / FLOW, begins, f"{begins}    ifRunning: REPLACE\n")
    pipeline.run(events=1_000, name=NAME, steps=steps)
    rows = pipeline.run(events=4_000, name=NAME, steps=steps)["outputs"]["rows"]

    assert sum(rows.values()) == 4_000
    good = [event.trip for event in events(4_000, 1, Shares()) if event.fault is None]
    before = {event.trip.trip_id for event in events(1_000, 1, Shares())}
    wanted = collections.Counter(OLD if trip.trip_id in before else NEW for trip in good if trip.pickup_zone == 1)
    columns, table = "pickup_zone_name AS n, COUNT(*) AS m", f"lake.{NAME}.silver"
    query = f"SELECT {columns} FROM {table} WHERE pickup_zone = 1 GROUP BY pickup_zone_name"
    asked = {"gatewayUrl": lakehouse.gateway.address, "jobManagerUrl": lakehouse.jobmanager.address}
    with LocalContext() as local:
        batch = {"session": {"execution.runtime-mode": "batch"}, "fetchType": "FETCH"}
        told = done(local.run("flink.sql", {**asked, **batch, "sql": f"{lakehouse.flink_catalog};\n{query}"}))
    found = told["rows"]
    assert isinstance(found, list)
    assert {row["n"]: row["m"] for row in found} == wanted
    for job in (f"{NAME}-bronze", f"{NAME}-silver"):
        cancelled(lakehouse, job)


def changed(file: Path, old: str, new: str) -> None:
    """Replace a text wherever it is in a file."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
