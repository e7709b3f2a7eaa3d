"""Are the figures told to those who may read them, and true?"""

from __future__ import annotations

import urllib.request
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from penstock.api.serve import Served
from penstock.api.who import who_of
from penstock.app import open_app
from penstock.cli.exposing import exposed
from penstock.errors.api import NotServed
from penstock.settings.keys import Metrics as Kept
from penstock.settings.keys import Settings
from penstock.settings.read import Project
from penstock.telemetry.metrics import CATALOGUE, Metrics
from tests.api.house import HELLO, WAITS, House


def told(house: House) -> dict[str, float]:
    """Every figure by its name and labels."""
    answer = house.as_("admin").get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_figures_tell_how_the_installation_stands_and_what_was_done(either: House) -> None:
    either.app.measure()
    either.core = either.app.core
    either.ran(HELLO)
    either.ran(WAITS)
    either.start(either.push(HELLO))

    found = told(either)

    assert found['penstock_runs{status="paused"}'] == 1
    assert found['penstock_runs_ended_total{status="success"}'] == 1
    assert found['penstock_queue_waiting{queue="default"}'] == 1
    assert found['penstock_queue_oldest_seconds{queue="default"}'] >= 0
    assert found['penstock_attempts_ended_total{outcome="done"}'] == 2
    assert found["penstock_claim_seconds_count"] >= 1
    assert found["penstock_fold_seconds_count"] >= 1
    assert found['penstock_store_seconds_count{kind="write"}'] >= 3
    assert (found["penstock_leader"], found["penstock_inbox_events"], found["penstock_worker_slots"]) == (0, 0, 0)
    assert found["penstock_feed_head"] > 0
    assert {name.partition("{")[0] for name in found if not name.endswith(("_bucket", "_sum", "_count"))} & set(
        CATALOGUE
    )
    assert told(either)['penstock_http_requests_total{route="read_metrics",status="200"}'] == 1


def test_a_scraper_reads_the_figures_by_the_token_of_the_settings_and_nothing_else(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(Settings(), metrics=Kept(token="a-long-token"))
    with open_app(Project(root=tmp_path, settings=settings), {}, store=str(tmp_path / "penstock.db")) as app:
        served = Served(app, who_of(app, "ann"))
        scraper = TestClient(served.asgi, headers={"Authorization": "Bearer a-long-token"})
        wrong = TestClient(served.asgi, headers={"Authorization": "Bearer a-long-toke"})

        codes = [scraper.get("/metrics").status_code, scraper.get("/v1/runs").status_code]
        others = [wrong.get("/metrics").status_code, TestClient(served.asgi).get("/metrics").status_code]
        served.close()

    assert codes == [200, 403]
    assert others == [401, 401]


def test_a_workers_own_figures_stand_at_a_port_of_its_own() -> None:
    metrics = Metrics()
    metrics.count("penstock_attempts_claimed_total", by=5)

    with exposed(metrics, "127.0.0.1", 0) as address:
        text = urllib.request.urlopen(address, timeout=10).read().decode()
        port = int(address.rsplit(":", 1)[1].partition("/")[0])
        with pytest.raises(NotServed), exposed(metrics, "127.0.0.1", port):
            pass

    assert "penstock_attempts_claimed_total 5" in text.splitlines()
