"""Are trips the same for the same seed, wrong in the way that is said of them, and in the topic once each?"""

from __future__ import annotations

import collections
import csv
import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.scripts import generate
from projects.lakehouse.scripts.generate import ZONES, Event, Fault, Shares, Trip, events
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done

COUNT = 10_000
ZONES_FILE = Path(generate.__file__).parents[1] / "gold" / "seeds" / "zones.csv"


def reason(event: Event, seen: set[str]) -> Fault | None:
    """What is wrong with an event, looked for in what was sent alone."""
    try:
        trip = msgspec.json.decode(event.value, type=Trip)
    except msgspec.MsgspecError:
        return Fault.MALFORMED
    if trip.trip_id is None or trip.pickup_at is None or trip.dropoff_at is None or trip.fare is None:
        return Fault.MISSING
    if trip.fare < 0:
        return Fault.NEGATIVE_FARE
    if trip.dropoff_at <= trip.pickup_at:
        return Fault.ENDS_BEFORE_START
    if not (1 <= trip.pickup_zone <= ZONES and 1 <= trip.dropoff_zone <= ZONES):
        return Fault.UNKNOWN_ZONE
    if trip.trip_id in seen:
        return Fault.DUPLICATE
    seen.add(trip.trip_id)
    return None


def test_a_seed_is_the_same_trips_for_ever() -> None:
    assert list(events(500, 7, Shares())) == list(events(500, 7, Shares()))
    assert [each.value for each in events(500, 7, Shares())] != [each.value for each in events(500, 8, Shares())]
    longer = list(itertools.islice(events(10_000, 7, Shares()), 500))
    assert longer == list(events(500, 7, Shares()))


def test_each_event_is_wrong_in_the_way_that_is_said_of_it() -> None:
    seen: set[str] = set()
    found: collections.Counter[Fault | None] = collections.Counter()
    for event in events(COUNT, 1, Shares()):
        assert reason(event, seen) is event.fault, event
        found[event.fault] += 1
    assert set(found) == {None, *Fault}
    assert 0.96 < found[None] / COUNT < 0.98 and 0.005 < found[Fault.DUPLICATE] / COUNT < 0.015


def test_shares_are_as_they_are_asked_for() -> None:
    plain = list(events(2_000, 3, Shares(bad=0, duplicate=0, late=0)))
    assert all(each.fault is None and not each.late for each in plain)
    assert len({each.key for each in plain}) == 2_000
    much = list(events(2_000, 3, Shares(bad=0.3, duplicate=0.2, late=0.5)))
    assert 0.4 < sum(each.fault is not None for each in much) / 2_000 < 0.6
    assert 0.4 < sum(each.late for each in much) / 2_000 < 0.6


def test_zones_are_numbered_as_flink_looks_them_up_by_their_place_in_the_file() -> None:
    with ZONES_FILE.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["zone"]) for row in rows] == list(range(1, ZONES + 1))
    assert all(row["name"].strip() and row["borough"].strip() for row in rows)
    # the flow takes lines apart at their commas
    assert all(line.count(",") == 2 and '"' not in line for line in ZONES_FILE.read_text().splitlines())


def _told(line: str) -> dict[str, Any]:
    """What a script tells its worker by a line."""
    found: dict[str, Any] = json.loads(line.strip(":")) if line.startswith("::{") else {}
    return found


@pytest.mark.acceptance
@pytest.mark.timeout(300)
def test_what_is_there_is_not_sent_again(lakehouse: Stack, local: LocalContext, tmp_path: Path) -> None:
    servers = {"bootstrap.servers": lakehouse.kafka.address}
    made = {"properties": servers, "topics": [{"name": "again", "partitions": 2}]}
    done(local.run("kafka.create_topics", made))

    def sent(count: int) -> int:
        file = tmp_path / "events.jsonl"
        where = ["--bootstrap", lakehouse.kafka.address, "--topic", "again", "--file", str(file)]
        said = subprocess.run(
            [sys.executable, generate.__file__, *where, "--events", str(count)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert len(file.read_bytes().splitlines()) == count
        told = next(each["outputs"] for each in map(_told, said.splitlines()) if "outputs" in each)
        assert told["events"] == count
        return int(told["sent"])

    assert [sent(700), sent(2_000), sent(2_000)] == [700, 1_300, 0]
    taken = {"properties": {**servers, "auto.offset.reset": "earliest"}, "topic": "again"}
    rows = [json.loads(line) for line in local.text(str(done(local.run("kafka.consume", taken))["uri"])).splitlines()]
    wanted = [json.loads(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    for part in (0, 1):
        there = [row["value"] for row in sorted(rows, key=lambda row: int(row["offset"])) if row["partition"] == part]
        assert there == [each["value"] for each in wanted if each["partition"] == part]
