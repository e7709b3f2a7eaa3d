"""Does what workers look and listen for start one run each, though workers and servers are killed meanwhile?"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
import redis

from penstock.model.run import Run
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running
from tests.brokers import Served, redis_server

__all__ = ["redis_server"]

LOG = "  - id: say\n    type: log\n    message: hello\n"


@pytest.fixture
def url(redis_server: Served) -> str:
    """A Redis with nothing in it."""
    address = f"redis://:{quote(redis_server.password)}@127.0.0.1:{redis_server.port}/0"
    redis.Redis.from_url(address).flushall()
    return address


@pytest.fixture
def answering() -> Iterator[tuple[str, list[str]]]:
    """An address that answers with what stands in a list."""
    said = ["not yet"]

    class Answers(BaseHTTPRequestHandler):
        """Answers."""

        def do_GET(self) -> None:
            """The last thing said."""
            self.send_response(200 if said[-1] != "broken" else 500)
            self.end_headers()
            self.wfile.write(said[-1].encode())

        def log_message(self, format: str, *given: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", said
    server.shutdown()
    server.server_close()


def begun(project: Project, trigger: str) -> tuple[Running, Running]:
    """A server and a worker that serve a flow with a trigger."""
    project.flow("load", LOG, more=f"triggers:\n{trigger}")
    pushed = project.call("flows", "push", "flows")
    assert pushed.code == 0, pushed.err
    return project.begin("serve", "--port", "0"), project.worker("one")


def started(project: Project) -> list[Run]:
    """What the trigger has started."""
    return [run for run in project.runs() if run.started_by == "trigger new"]


def killed_all_along(project: Project, server: Running, worker: Running, over: Callable[[], bool]) -> None:
    """Kill the server and the worker in turn, and start others, until it is over."""
    number = 0
    until = time.monotonic() + 60
    while not over():
        assert time.monotonic() < until, server.said + worker.said
        number += 1
        time.sleep(0.7)
        if number % 2:
            worker.send(signal.SIGKILL)
            worker.ended()
            worker = project.worker(f"w{number}")
        else:
            server.send(signal.SIGKILL)
            server.ended()
            server = project.begin("serve", "--port", "0")


def test_each_file_is_in_one_run_and_gone_though_workers_and_servers_are_killed(served: Project) -> None:
    project = served
    inbox = project.folder / "inbox"
    inbox.mkdir()
    properties = f"from: {inbox}, regExp: '.*\\.csv', action: DELETE, interval: PT0.2S, allowConcurrent: true"
    server, worker = begun(project, f"  - {{id: new, type: local.trigger, {properties}}}\n")
    names = [f"{number}.csv" for number in range(24)]
    left = list(names)

    def over() -> bool:
        for name in [left.pop() for _ in range(min(4, len(left)))]:
            (inbox / f"{name}.part").write_text(name)
            (inbox / f"{name}.part").rename(inbox / name)
        return not left and len(seen(project)) >= len(names)

    killed_all_along(project, server, worker, over)

    assert Counter(seen(project)) == Counter(names)
    eventually(lambda: not list(inbox.iterdir()), "what was seen is gone")


def seen(project: Project) -> list[str]:
    """The names of the files in runs, each as often as it is in one."""
    files = [each for run in started(project) for each in _files(run)]
    for each in files:
        kept = project.folder / ".penstock" / "blobs" / str(each["uri"]).removeprefix("penstock:///")
        assert kept.read_text() == each["name"]
    return [str(each["name"]) for each in files]


def _files(run: Run) -> list[dict[str, object]]:
    files = run.trigger["files"]
    assert isinstance(files, list)
    return files


def test_each_value_of_a_list_is_one_run_though_workers_and_servers_are_killed(light: Project, url: str) -> None:
    project = light
    project.environment["ENV_REDIS"] = url
    trigger = "  - {id: new, type: redis.realtime_trigger, url: '{{ envs.redis }}', key: orders}\n"
    server, worker = begun(project, trigger)
    client = redis.Redis.from_url(url)
    names = [str(number) for number in range(36)]
    left = list(names)

    def over() -> bool:
        client.rpush("orders", *[left.pop() for _ in range(min(6, len(left)))] or ["36"])
        return not left and len(started(project)) > len(names)

    killed_all_along(project, server, worker, over)
    eventually(lambda: client.keys("orders*") == [], "nothing is left", 30)

    heard = Counter(str(run.trigger["value"]) for run in started(project))
    assert {name: heard[name] for name in names} == dict.fromkeys(names, 1)


def test_a_worker_that_is_stopped_lets_another_listen_at_once(light: Project, url: str) -> None:
    light.settings(grace="PT1M")
    light.environment["ENV_REDIS"] = url
    _, worker = begun(light, "  - {id: new, type: redis.realtime_trigger, url: '{{ envs.redis }}', key: orders}\n")
    client = redis.Redis.from_url(url)
    client.rpush("orders", "a")
    eventually(lambda: started(light), "it listens")

    light.worker("two")
    worker.send(signal.SIGTERM)

    assert worker.ended(15) == 0
    client.rpush("orders", "b")
    eventually(lambda: len(started(light)) == 2, "the other listens", 10)
    assert sorted(str(run.trigger["value"]) for run in started(light)) == ["a", "b"]


def test_an_answer_that_meets_the_condition_starts_a_run(light: Project, answering: tuple[str, list[str]]) -> None:
    address, said = answering
    condition = "{{ response.body contains 'ready' and response.statusCode == 200 }}"
    properties = json.dumps({"uri": address, "responseCondition": condition, "interval": "PT0.2S"})[1:-1]
    begun(light, f"  - {{id: new, type: io.kestra.plugin.core.http.Trigger, {properties}, stopAfter: [SUCCESS]}}\n")
    eventually(lambda: light.count("attempts") or light.count("triggers"), "it looks")
    assert started(light) == []

    said.append("ready")
    (run,) = eventually(lambda: started(light), "it fires")
    assert run.trigger["body"] == "ready"
    assert run.trigger["code"] == 200
    eventually(lambda: light.rows("SELECT 1 FROM triggers WHERE off_by LIKE 'stopAfter%'"), "it stops")
    assert len(started(light)) == 1
    assert "off: stopAfter" in light.call("triggers", "list", "acc.load").out


def test_a_script_that_ends_as_it_should_starts_a_run(light: Project, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    properties = f"script: 'test ! -e {flag}', exitCondition: exit 1, interval: PT0.2S"
    begun(light, f"  - {{id: new, type: io.kestra.plugin.scripts.shell.ScriptTrigger, {properties}}}\n")
    flag.touch()

    (run,) = eventually(lambda: started(light), "it fires")
    assert run.trigger["exitCode"] == 1
    assert run.trigger["condition"] == "exit 1"
