"""Is what happens told elsewhere by real servers: traces with attempts of killed workers, lineage, alerts, figures?"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from penstock.telemetry import traces
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running
from tests.exporting.receiver import Receiver, receiving
from tests.servers import DEMANDED

INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans(receiver: Receiver) -> list[Span]:
    """All spans that were told."""
    bodies = [each.body for each in receiver.taken if each.path == "/v1/traces"]
    told = [whole for body in bodies for whole in ExportTraceServiceRequest.FromString(body).resource_spans]
    return [span for whole in told for scope in whole.scope_spans for span in scope.spans]


def events(receiver: Receiver, path: str) -> list[dict[str, Any]]:
    """All bodies that a path was sent."""
    return [json.loads(each.body) for each in receiver.taken if each.path == path]


def ask(project: Project, url: str, body: object = None, **headers: str) -> Any:
    """Call the API as the owner of this machine."""
    bearer = (project.folder / ".penstock" / "key").read_text().strip()
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Authorization": f"Bearer {bearer}", **headers})
    if data is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text


def settle(project: Project, receiver: Receiver) -> None:
    """Write penstock.yaml so that everything is told to a receiver."""
    with (project.folder / "penstock.yaml").open("a") as file:
        file.write(f"traces: {{url: '{receiver.url}', headers: {{x-token: '${{TOKEN}}'}}}}\n")
        file.write(f"lineage: {{url: '{receiver.url}/api/v1/lineage', file: lineage.jsonl}}\n")
        file.write("alerts: {allow: [127.0.0.1/32]}\n")
    project.environment["TOKEN"] = "a-token"


def test_everything_is_told_though_the_worker_dies(project: Project) -> None:
    with receiving() as receiver:
        settle(project, receiver)
        flow = project.flow("held", project.step("one", gate="go", script="echo $TRACEPARENT > place"))
        assert project.call("flows", "push", "flows").code == 0
        for name, watches in (("fails", "failed"), ("crew", "lost")):
            added = project.call("alerts", "add", name, "--on", watches, "--url", f"{receiver.url}/hook")
            assert added.code == 0, added.err
        server = project.begin("serve", "--port", "0", "--json")
        url = eventually(lambda: _address(server), "the server answers")
        eventually(lambda: "scheduler.leads" in server.said, "it leads")
        first = project.worker("first")
        run = ask(project, f"{url}/v1/runs", {"namespace": "acc", "flow": flow}, traceparent=INCOMING)["id"]
        project.told("begin one")
        first.kill()
        project.open("go")
        eventually(lambda: [each for each in events(receiver, "/hook") if each["state"] == "firing"], "it is told of")
        project.worker("second")
        project.finished(run)
        eventually(lambda: [each for each in spans(receiver) if each.name == "acc.held"], "the run is told of")
        eventually(lambda: _kinds(receiver).count("COMPLETE") == 2, "its end is told of")
        eventually(lambda: [each for each in events(receiver, "/hook") if each["state"] == "resolved"], "it is over")
        figures = ask(project, f"{url}/metrics")
        said = server.said

    tries = [each for each in spans(receiver) if each.name == "one attempt"]
    assert {each.trace_id.hex() for each in spans(receiver)} == {INCOMING[3:35]}
    assert [each.status.message for each in sorted(tries, key=lambda span: span.end_time_unix_nano)] == [
        "The worker first was lost.", ""
    ]  # fmt: skip
    assert {each.headers["x-token"] for each in receiver.taken if each.path == "/v1/traces"} == {"a-token"}
    assert sorted(_kinds(receiver)) == ["COMPLETE", "COMPLETE", "FAIL", "START", "START", "START"]
    assert len((project.folder / "lineage.jsonl").read_text().splitlines()) >= 6
    assert [each["object"] for each in events(receiver, "/hook")] == ["first", "first"]
    assert "penstock_alerts_open 0" in figures
    assert "penstock_workers_lost_total 0" in figures or "penstock_workers_lost_total 1" in figures
    lines = [line for line in said.splitlines() if line.strip()]
    assert all(isinstance(json.loads(line), dict) for line in lines), "what happens is lines of JSON, and nothing else"


@pytest.mark.long
def test_a_collector_of_others_takes_what_is_told(light: Project, folder: Path) -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    binary = shutil.which("otel-cli") or str(cache / "penstock" / "bin" / "otel-cli")
    if not os.access(binary, os.X_OK):
        assert not DEMANDED, "otel-cli is not here: make otel-cli"
        pytest.skip("otel-cli is not here: make otel-cli")
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    taken = folder / "taken"
    taken.mkdir()
    asked = ["server", "json", "--dir", str(taken), "--endpoint", url, "--protocol", "http/protobuf"]
    with (light.folder / "penstock.yaml").open("a") as file:
        file.write(f"traces: {{url: '{url}'}}\n")
    flow = light.flow("short", light.step("one"), light.step("two", script="exit 3"))
    collector = subprocess.Popen([binary, *asked, "--timeout", "60s"])
    try:
        assert light.call("flows", "push", "flows").code == 0
        server = light.begin("serve", "--port", "0", "--json")
        eventually(lambda: "scheduler.leads" in server.said, "it leads")
        light.worker("first")
        run = light.finished(light.start(flow))
        found = eventually(lambda: _kept(taken, 5), "all of it has arrived")
    finally:
        collector.kill()
        collector.wait()

    assert {each["name"] for each in found} == {"acc.short", "one", "one attempt", "two", "two attempt"}
    trace = base64.b64decode(found[0]["trace_id"]).hex()
    assert trace == traces.own_trace(run.id)
    (failed,) = [each for each in found if each["name"] == "two attempt"]
    assert "exit code 3" in failed["status"]["message"]


def _kept(folder: Path, wanted: int) -> list[dict[str, Any]]:
    """The spans that a collector has written, once there are so many."""
    found = []
    for path in folder.glob("*/*/span.json"):
        with contextlib.suppress(ValueError):  # it is being written
            found.append(json.loads(path.read_text()))
    return found if len(found) >= wanted else []


def _kinds(receiver: Receiver) -> list[str]:
    """The kinds of events that were told."""
    return [each["eventType"] for each in events(receiver, "/api/v1/lineage")]


def _address(running: Running) -> str:
    """Where a server that tells what happens as JSON says that it answers."""
    told = [json.loads(line) for line in running.said.splitlines() if line.startswith("{")]
    return next((str(each["url"]) for each in told if each["notice"] == "server.answers"), "")
