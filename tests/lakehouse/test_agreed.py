"""Is it agreed on what trips look like before any is sent, and do they come back from Avro as they were sent?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.scripts.generate import Event, Fault, Shares, events
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "projects" / "lakehouse"
TRIP = PROJECT / "scripts" / "trip.schema.json"
# What a schema cannot say of a trip: its times are text, and it knows of no other trip.
UNSAID = (None, Fault.DUPLICATE, Fault.ENDS_BEFORE_START)


@dataclass(frozen=True)
class Flows:
    """A copy of the project's flows, with a history of its own."""

    folder: Path
    env: dict[str, str]

    def run(self, flow: str, **inputs: object) -> dict[str, Any]:
        """Run a flow by the command line, and give the run's document."""
        given = [word for name, value in inputs.items() for word in ("-i", f"{name}={value}")]
        command = [sys.executable, "-m", "penstock", "run", f"flows/{flow}.yml", "--json", *given]
        said = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert said.stdout, said.stderr
        found: dict[str, Any] = json.loads(said.stdout)
        return found


@pytest.fixture
def flows(lakehouse: Stack, tmp_path: Path) -> Flows:
    """The flows, pointed at the running servers; what fails is not tried again."""
    for name in ("flows", "scripts", "gold"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "penstock.yaml", tmp_path)
    pipeline = tmp_path / "flows" / "taxi_pipeline.yml"
    pipeline.write_text(pipeline.read_text().replace("maxAttempts: 4", "maxAttempts: 1"))
    known = {
        "ENV_KAFKA_BOOTSTRAP_SERVERS": lakehouse.kafka.address,
        "ENV_SCHEMA_REGISTRY_URL": lakehouse.registry.address,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    (tmp_path / ".lakehouse").mkdir()
    (tmp_path / ".lakehouse" / "secrets").touch(mode=0o600)
    return Flows(tmp_path, os.environ | known)


def fits(event: Event) -> bool:
    """Whether an event is as the schema says."""
    try:
        return bool(jsonschema_rs.is_valid(json.loads(TRIP.read_text()), msgspec.json.decode(event.value)))
    except msgspec.DecodeError:
        return False


def test_a_trip_is_as_its_schema_says_unless_something_is_wrong_with_it() -> None:
    for event in events(1_000, 5, Shares(bad=0.3)):
        assert fits(event) is (event.fault in UNSAID), event


@pytest.mark.acceptance
@pytest.mark.timeout(300)
def test_a_schema_that_does_not_fit_stops_the_flow_before_anything_is_sent(
    flows: Flows, lakehouse: Stack, local: LocalContext
) -> None:
    registry = {"schema.registry.url": lakehouse.registry.address}
    subject: dict[str, object] = {"serdeProperties": registry, "subject": "agreed-value", "schemaType": "JSON"}
    before = json.loads(TRIP.read_text())
    before["properties"]["fare"] = {"type": "string"}
    done(local.run("kafka.register_schema", {**subject, "schema": json.dumps(before), "compatibility": "BACKWARD"}))

    run = flows.run("taxi_pipeline", name="agreed")

    assert run["status"] == "failed"
    failed = json.dumps(run)
    assert '\\"fare\\" was string, required, is number, required' in failed, failed
    broker = {"properties": {"bootstrap.servers": lakehouse.kafka.address}}
    topics = done(local.run("kafka.describe_topics", broker))["topics"]
    assert isinstance(topics, dict) and "agreed" not in topics


@pytest.mark.acceptance
@pytest.mark.timeout(300)
def test_trips_come_back_from_avro_as_they_were_sent(flows: Flows) -> None:
    run = flows.run("avro_round_trip", name="round-trip", events=500)

    assert run["status"] == "success", run
    (taken,) = flows.folder.glob(f".penstock/blobs/runs/{run['id']}/take/1/records.jsonl")
    (sent,) = flows.folder.glob(f".penstock/blobs/runs/{run['id']}/draw/1/trips.jsonl")
    trips = {each["key"]: each["value"] for each in map(json.loads, taken.read_text().splitlines())}
    for each in map(json.loads, sent.read_text().splitlines()):
        trip, back = each["value"], trips.pop(each["key"])
        times = {name: f"{trip[name].replace(' ', 'T')}+00:00" for name in ("pickup_at", "dropoff_at", "sent_at")}
        assert back == {**trip, **times}
    assert not trips
