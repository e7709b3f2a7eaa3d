"""Is each message there once, and taken once, when who sends and takes it is killed at any moment?"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from penstock.sdk.local import LocalContext
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running
from tests.acceptance.test_looking import begun, started
from tests.plugins.kafka.reading import ok, values
from tests.plugins.kafka.servers import Brokers, kafka

__all__ = ["kafka"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
COUNT = 30_000
KILLS = 8
ROUNDS, MESSAGES = 4, 12
RELAY = """
  - id: make
    type: shell.script
    outputFiles: [rows.jsonl]
    script: cp {rows} rows.jsonl
  - id: send
    type: kafka.produce
    retry: {{type: constant, interval: PT0.1S, maxAttempts: 20}}
    topic: {topic}-a
    from: "{{{{ outputs.make.outputFiles['rows.jsonl'] }}}}"
  - id: take
    type: kafka.consume
    retry: {{type: constant, interval: PT0.1S, maxAttempts: 20}}
    topic: {topic}-a
    groupId: {topic}
    pollDuration: PT2S
  - id: bare
    type: shell.script
    outputFiles: [rows.jsonl]
    script: sed -E 's/"topic":"[^"]*",//' {{{{ outputs.take.uri }}}} > rows.jsonl
  - id: pass_on
    type: kafka.produce
    retry: {{type: constant, interval: PT0.1S, maxAttempts: 20}}
    topic: {topic}-b
    from: "{{{{ outputs.bare.outputFiles['rows.jsonl'] }}}}"
"""
DEFAULTS = """pluginDefaults:
  - type: kafka
    values:
      properties: {{bootstrap.servers: "{servers}", auto.offset.reset: earliest}}
"""


@pytest.fixture
def project() -> Iterator[Project]:
    """A project's folder with a short name: sockets stand in it."""
    with (
        tempfile.TemporaryDirectory(prefix="penstock-acc-", ignore_cleanup_errors=True) as name,
        contextlib.closing(Project(Path(name))) as made,
    ):
        yield made


@pytest.mark.parametrize("seed", [1, 2])
def test_all_arrive_once_though_workers_are_killed(
    project: Project, kafka: Brokers, local: LocalContext, seed: int
) -> None:
    topic, dice = f"kills-{os.getpid()}-{seed}", random.Random(seed)
    rows = project.folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"key": str(n), "value": str(n)}) + "\n" for n in range(COUNT)))
    more = DEFAULTS.format(servers=kafka.servers)
    flow = project.flow("relay", RELAY.format(topic=topic, rows=rows), more=more)

    run = project.start(flow)
    for number in range(KILLS):
        killed_after(project.worker(f"w{number}"), dice.uniform(0.5, 6))
    last = project.worker("last")
    found = project.finished(run, 300)

    assert found.status == "success", project.call("runs", "logs", run).out + last.said
    broker: dict[str, object] = {"properties": {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest"}}
    for name in ("a", "b"):
        arrived = values(local, broker, f"{topic}-{name}")
        assert len(arrived) == COUNT and len(set(arrived)) == COUNT, name


@pytest.mark.parametrize("kind", ["kafka.trigger", "kafka.realtime_trigger"])
def test_each_message_is_in_one_run_though_workers_are_killed(
    project: Project, kafka: Brokers, local: LocalContext, kind: str
) -> None:
    topic = f"fires-{os.getpid()}-{kind}"
    broker: dict[str, object] = {"properties": {"bootstrap.servers": kafka.servers}}
    ok(local.run("kafka.create_topics", {**broker, "topics": [{"name": topic, "partitions": 2}]}))
    # A broker lets no session be shorter.
    properties = {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest", "session.timeout.ms": "6000"}
    told = {"id": "new", "type": kind, "topic": topic, "groupId": topic, "properties": properties}
    looking = {"pollDuration": "PT0.5S", "interval": "PT0.2S", "allowConcurrent": True}
    _, worker = begun(project, f"  - {json.dumps({**told, **(looking if kind == 'kafka.trigger' else {})})}\n")

    for number in range(ROUNDS):
        sent = [{"value": f"{number}-{each}"} for each in range(MESSAGES)]
        ok(local.run("kafka.produce", {**broker, "topic": topic, "from": sent}))
        eventually(partial(begins, project, number * MESSAGES), "some have started runs", 60)
        worker.kill()
        worker = project.worker(f"w{number}")
    eventually(lambda: len(fired(project)) >= ROUNDS * MESSAGES, "all have started runs", 60)

    assert sorted(fired(project)) == sorted(f"{n}-{each}" for n in range(ROUNDS) for each in range(MESSAGES))


def begins(project: Project, least: int) -> bool:
    """Whether more messages than so many have started runs."""
    return len(fired(project)) > least


def fired(project: Project) -> list[str]:
    """The values of all messages in runs, each as often as it is in one."""
    found: list[str] = []
    for run in started(project):
        if "uri" not in run.trigger:
            found.append(str(run.trigger["value"]))
            continue
        kept = project.folder / ".penstock" / "blobs" / str(run.trigger["uri"]).removeprefix("penstock:///")
        found += [json.loads(line)["value"] for line in kept.read_text().splitlines()]
    return found


def killed_after(worker: Running, seconds: float) -> None:
    """Let a worker work for a while, and kill it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.process.wait(seconds)
    worker.kill()
