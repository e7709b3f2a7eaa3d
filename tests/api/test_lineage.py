"""Is it told what data runs and flows read and write, to those who may see their runs?"""

from __future__ import annotations

import pytest

from penstock.model.asset import Access, Touched
from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.store import events
from tests.api.house import House

TOUCHED = Touched(access=Access.WRITES, namespace="s3://lake", name="orders", rows=3, columns={"id": "int"})


@pytest.fixture
def run(either: House) -> str:
    """A run that has written something."""
    run_id = either.ran()
    ended = Ended(step="say", attempt=1, outcome=Outcome.DONE, touched=(TOUCHED,))
    either.app.core.store.write(lambda tx: events.append(tx, run_id, [(ended, 1, True, "w", 1)]))
    return run_id


def test_lineage_of_a_run_and_of_flows_is_told(either: House, run: str) -> None:
    of_run = either.client.get(f"/v1/runs/{run}/lineage").json()

    assert of_run == {
        "data": [{"namespace": "s3://lake", "name": "orders", "rows": 3, "columns": {"id": "int"}}],
        "jobs": [{"name": "shop.hello.say", "part": ""}],
        "links": [
            {"job": "shop.hello.say", "access": "writes", "namespace": "s3://lake", "name": "orders", "defines": False}
        ],
    }
    assert either.as_("viewer").get("/v1/lineage?flow=hello").json() == of_run
    assert either.client.get("/v1/lineage?namespace=other").json()["links"] == []


def test_nobody_hears_of_data_of_runs_that_they_may_not_see(either: House, run: str) -> None:
    assert either.as_("other").get("/v1/lineage").json()["links"] == []
    assert either.as_("other").get(f"/v1/runs/{run}/lineage").status_code in (403, 404)
