"""Does a run lie below whatever called for it, by each way that a call can come?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from penstock.api.serve import Served
from penstock.app import App, open_app
from penstock.services import flows
from penstock.services.project import Manner, read_text
from penstock.services.reading import load
from penstock.settings.keys import Settings, Traces
from penstock.settings.read import Project
from tests.api.house import WHO, who

INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FLOW = """
id: hooked
namespace: shop
tasks:
  - id: say
    type: log
    message: hello
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: abc
"""


@pytest.fixture(params=[1.0, None])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[App, TestClient]]:
    """The API of a project that tells traces, and of one that does not."""
    told = Traces(url="http://127.0.0.1:1") if request.param else None
    project = Project(root=tmp_path, settings=msgspec.structs.replace(Settings(), traces=told))
    with open_app(project, {}, store=str(tmp_path / "penstock.db")) as app:
        reading = read_text(FLOW, Manner())
        assert reading.flow is not None, reading.problems
        flows.push(app.core, reading.flow, reading.source, reading.digest, "ann")
        api = Served(app, who)
        yield app, TestClient(api.asgi, headers={WHO: "ann", "traceparent": INCOMING})
        api.close()


def test_a_run_lies_below_its_call(served: tuple[App, TestClient]) -> None:
    app, client = served
    started = client.post("/v1/runs", json={"namespace": "shop", "flow": "hooked"}).json()["id"]
    hooked = client.post("/v1/webhooks/shop/hooked/abc", json={}).json()["run"]
    kestra = client.post("/api/v1/main/executions/shop/hooked").json()["id"]
    odd = client.post("/v1/runs", json={"namespace": "shop", "flow": "hooked"}, headers={"traceparent": "x" * 9_000})

    wanted = INCOMING if app.core.knobs.traces else ""
    assert [load(app.core, each).run.trace for each in (started, hooked, kestra)] == [wanted] * 3
    assert odd.status_code == 201
    assert load(app.core, odd.json()["id"]).run.trace == ""


def test_a_replay_lies_below_nothing_that_its_original_did(served: tuple[App, TestClient]) -> None:
    app, client = served
    started = client.post("/v1/runs", json={"namespace": "shop", "flow": "hooked"}).json()["id"]
    again = client.post(f"/v1/runs/{started}/replay", json={}).json()["id"]

    assert load(app.core, again).run.trace == ""
