"""Does what a store of objects tells by HTTP start a run for each object? A real versitygw tells a webhook."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence, Task
from penstock.model.trigger import Condition, Webhook
from penstock.services import flows, webhooks
from penstock.store import runs
from projects.servers import find_versitygw, s3_server
from tests.servers import DEMANDED
from tests.services.office import Office

OBJECT = "{{ trigger.body.Records[0].s3.object.key }}"
CREATED = Condition(test="{{ (trigger.body.Records[0].eventName ?? '') | startsWith('s3:ObjectCreated') }}")


@pytest.fixture
def heard() -> Iterator[tuple[str, queue.Queue[bytes]]]:
    """An address, and what comes there."""
    bodies: queue.Queue[bytes] = queue.Queue()

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.put(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nobody is told."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


@pytest.mark.skipif(find_versitygw() is None and not DEMANDED, reason="moto tells nobody of its objects")
def test_each_object_that_is_put_starts_a_run(
    office: Office, heard: tuple[str, queue.Queue[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, bodies = heard
    hook = Webhook(id="put", type="Webhook", key="k", when=(CREATED,), inputs={"object": OBJECT})
    body = Sequence(id="", nodes=(Task(id="say", type="log"),))
    written = Flow(
        id="load", namespace="shop", body=body, triggers=(hook,), inputs=(Input(id="object", type="STRING"),)
    )
    flows.push(office.core, written, "", "")
    monkeypatch.setenv("VGW_EVENT_WEBHOOK_URL", address)

    with s3_server(tmp_path) as store:
        store.create_bucket("data")
        client = boto3.client("s3", endpoint_url=store.endpoint, aws_access_key_id=store.access_key,
                              aws_secret_access_key=store.secret_key, region_name="us-east-1")  # fmt: skip
        for name in ("a.csv", "b.csv"):
            client.put_object(Bucket="data", Key=name, Body=b"1,2")
        client.delete_object(Bucket="data", Key="a.csv")
        told: list[bytes] = []
        while sum(b"Records" in each for each in told) < 3:  # in whichever order they come
            told.append(bodies.get(timeout=20))

    for each in told:
        webhooks.knock(office.core, "shop", "load", "k", webhooks.Knock(body=each))

    found = office.store.read(lambda tx: runs.list_runs(tx, runs.Filter(flow="load")))
    assert sorted(str(run.inputs["object"]) for run in found) == ["a.csv", "b.csv"]
