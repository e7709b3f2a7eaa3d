"""Does the warehouse run by schedule, and fill in a month by HTTP, though a day of it fails at first?

All of January 2016 as people would do it: the flow is pushed, the month is looked at and begun with a limit, the day
that failed is found, its cause mended, and what failed is tried again. Meanwhile a night comes.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projects.warehouse.generate import Recipe, draw, upload, write_day
from tests.projects.acceptance.project import FLOW, Project, until
from tests.projects.acceptance.served import Service, service
from tests.projects.conftest import Exports
from tests.projects.days import open_bucket, rows, wrong
from tests.servers import Postgres

RECIPE = Recipe(events=400, bad_every=60, middle=datetime.date(2016, 1, 16))
JANUARY = RECIPE.days
BROKEN = datetime.date(2016, 1, 13)
AT_ONCE = 4
MIDNIGHT = 'cron: "0 0 * * *"'


@pytest.fixture
def store(postgres: Postgres) -> Iterator[str]:
    """The address of a database for runs, beside that of the warehouse."""
    yield postgres.create_database("runs_of_the_warehouse")
    postgres.drop_database("runs_of_the_warehouse")


def generate(recipe: Recipe, day: datetime.date, folder: Path) -> list[Path]:
    """Write the exports of one day; those of other recipes stay beside them."""
    return write_day(draw(recipe), day, folder)


def progress(served: Service, backfill: str) -> dict[str, int]:
    """How many of a backfill's runs stand where, once nothing of it is left to do."""

    def done() -> bool:
        found = served.get(f"/v1/backfills/{backfill}")
        assert found["progress"]["going"] <= AT_ONCE
        return bool(found["status"] == "done")

    until(done, "the backfill is done", 120)
    return {name: count for name, count in served.get(f"/v1/backfills/{backfill}")["progress"].items() if count}


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """How many of these runs went at the same time."""
    steps = sorted([(run["start"], 1) for run in runs] + [(run["end"], -1) for run in runs])
    return max(itertools.accumulate(step for _, step in steps))


@pytest.mark.timeout(300)
def test_a_month_is_filled_in_and_a_night_comes(warehouse: str, exports: Exports, tmp_path: Path, store: str) -> None:
    project = Project.copy(tmp_path / "project", warehouse, exports.s3, exports.bucket)
    bucket = open_bucket(exports.s3, exports.bucket)
    written = {day: generate(RECIPE, day, exports.folder) for day in JANUARY}
    late = [path for path in written[BROKEN] if path.parts[-3] == "users"]
    upload(bucket, exports.folder, [path for files in written.values() for path in files if path not in late])
    text = (project.folder / FLOW).read_text()

    with service(project, store) as served:
        assert served.ask("PUT", "/v1/flows/warehouse/phase2", text).status == 201
        until(lambda: (served.get("/v1/triggers")["items"][0]["next"] or "").endswith("T00:00:00.000Z"), "it waits")

        asked = {
            "namespace": "warehouse",
            "flow": "phase2",
            "from": "2016-01-01T00:00:00Z",
            "to": "2016-01-31T00:00:00Z",
            "inputs": {"batch_date": "{{ date }}"},
            "at_once": AT_ONCE,
        }
        looked = served.ask("POST", "/v1/backfills", asked | {"dry_run": True}).good
        assert [row["inputs"]["batch_date"] for row in looked["planned"]] == [str(day) for day in JANUARY]
        backfill = served.ask("POST", "/v1/backfills", asked).good["backfill"]["id"]
        yesterday, scheduled = night(served, text, exports, bucket)

        assert progress(served, backfill) == {"success": 30, "failed": 1}
        (failed,) = served.get(f"/v1/backfills/{backfill}/runs?status=failed")["items"]
        log = served.get(f"/v1/runs/{failed['run']}/logs?text=was not loaded".replace(" ", "%20"))
        noted = rows(warehouse, "SELECT batch_date, status FROM dq.etl_run WHERE step = 'run'")
        upload(bucket, exports.folder, late)
        assert served.ask("POST", f"/v1/backfills/{backfill}/retry").good == {"runs": 1}
        assert progress(served, backfill) == {"success": 31}
        runs = served.listed("/v1/runs?limit=10")

    assert failed["name"] == str(BROKEN)
    assert "no part-*.csv under exports/users/batch_date=2016-01-13/" in log["items"][0]["text"]
    assert noted == [(BROKEN, "failed")]
    assert wrong(warehouse, exports.folder, [*JANUARY, yesterday]) == []
    mine = [run for run in runs if run["id"] != scheduled]
    assert sorted(run["status"] for run in mine) == ["failed"] + ["success"] * 31
    assert 2 <= most_at_once(mine) <= AT_ONCE
    assert project.call("runs", "verify", "--all", "--store", store).code == 0


def night(served: Service, text: str, exports: Exports, bucket: Any) -> tuple[datetime.date, str]:
    """Let the flow's night come in some seconds: the day that was loaded, and the run that did so."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=4)
    yesterday = soon.date() - datetime.timedelta(days=1)
    upload(bucket, exports.folder, generate(replace(RECIPE, middle=yesterday), yesterday, exports.folder))
    sooner = text.replace(MIDNIGHT, f'cron: "{soon:%S %M %H} * * *"\n    withSeconds: true')
    assert sooner != text
    assert served.ask("PUT", "/v1/flows/warehouse/phase2", sooner).good["revision"] == 2

    def ended() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = served.get("/v1/runs?flow=phase2&limit=1000")["items"]
        return [run for run in found if run["revision"] == 2 and run["end"]]

    until(ended, "the schedule has fired", 30)
    (run,) = ended()
    assert run["status"] == "success", served.get(f"/v1/runs/{run['id']}")["error"]
    assert run["logical_date"] == f"{soon:%Y-%m-%dT%H:%M:%S}.000Z"
    assert served.get(f"/v1/runs/{run['id']}")["inputs"] == {"batch_date": str(yesterday)}
    return yesterday, str(run["id"])
