"""Do the services that are installed stand, say that they are ready, and stop within their seconds?"""

from __future__ import annotations

import contextlib
import http.client
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running
from tests.acceptance.test_serving import ask
from tests.plugins.git.hosting import commit, git, repository

STUBBORN: Final = "trap '' TERM"
FLOW: Final = "id: {id}\nnamespace: acc\ntasks:\n  - {{id: say, type: log, message: hello}}\n"


def installed(project: Project, *words: str) -> dict[str, str]:
    """The lines of the one unit that is shown for a project, by their names."""
    said = project.call("service", "install", *words, "--dry-run", "--user")
    assert said.code == 0, said
    return dict(line.split("=", 1) for line in said.out.splitlines() if "=" in line)


def stand(project: Project, unit: dict[str, str]) -> Running:
    """Run what a unit runs, where it runs it."""
    command = shlex.split(unit["ExecStart"])
    assert unit["WorkingDirectory"] == str(project.folder)
    program = command[:3] if command[1] == "-m" else command[:1]
    said = subprocess.run([*program, "--version"], env=project.environment, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("penstock")
    return project.begin(*command[len(program) :])


def free_port() -> int:
    """A port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_server_stands_by_its_unit_tells_when_it_is_ready_and_stops_in_time(project: Project) -> None:
    port = free_port()
    unit = installed(project, "serve", "--port", str(port), "--grace", "2")
    url = f"http://127.0.0.1:{port}"
    server = stand(project, unit)
    eventually(lambda: answers(url, "/live") == 200, "it lives")
    eventually(lambda: answers(url, "/ready") == 200, "it is ready")
    key = (project.folder / ".penstock" / "key").read_text().strip()
    with contextlib.ExitStack() as open_ones:
        following, idle, half = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3))
        for each in (following, idle, half):
            open_ones.callback(each.close)
        following.request("GET", "/v1/changes", headers={"Authorization": f"Bearer {key}"})
        stream = open_ones.enter_context(following.getresponse())
        assert stream.status == 200
        idle.connect()
        half.putrequest("POST", "/v1/uploads/x")
        half.putheader("Content-Length", "1000")
        half.endheaders()

        began = time.monotonic()
        server.send(signal.SIGTERM)

        assert server.ended(float(unit["TimeoutStopSec"])) == 0, server.said
    assert time.monotonic() - began < 2 + 5
    assert answers(url, "/live") == 0
    assert not project.alive()


def test_a_worker_by_its_unit_gives_work_its_time_and_leaves_nothing(light: Project) -> None:
    light.settings(grace="PT1S")
    unit = installed(light, "worker", "--slots", "2")
    run_id = light.start(light.flow("long", light.step("long", gate="long", script=STUBBORN)))
    worker = stand(light, unit)
    light.told("begin long")

    worker.send(signal.SIGTERM)

    assert int(unit["TimeoutStopSec"]) == 2 * 1 + 10
    assert worker.ended(float(unit["TimeoutStopSec"])) == 0
    assert not light.alive()
    assert light.of(run_id).status == "running"


def test_what_is_pushed_to_a_branch_stands_in_a_server(light: Project, tmp_path: Path) -> None:
    bare = repository(tmp_path / "repositories", {"flows/a.yml": FLOW.format(id="one")})
    settings = light.folder / "penstock.yaml"
    kept = settings.read_text() if settings.exists() else ""
    settings.write_text(
        f"{kept}\ngit:\n  main: {{url: 'file://{bare}', every: PT1S, within: acc, files: {{acc: flows}}}}\n"
    )
    port = free_port()
    server = light.begin("serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    eventually(lambda: answers(url, "/ready") == 200, "it is ready")

    def stands() -> list[str]:
        return sorted(each["id"] for each in ask(light, f"{url}/v1/flows")[1]["items"])

    eventually(lambda: stands() == ["one"], "the branch stands here")
    work = bare.parent / "work"
    broken = commit(work, {"flows/b.yml": "id: two\nnamespace: acc\ntasks: 7\n"})
    git(work, "push", "--quiet", "origin", "main")
    eventually(lambda: ask(light, f"{url}/v1/git/main")[1]["looked_commit"] == broken, "it was looked at")
    told = ask(light, f"{url}/v1/git/main")[1]
    shown = light.call("git", "status")
    commit(work, {"flows/b.yml": FLOW.format(id="two")})
    git(work, "push", "--quiet", "origin", "main")
    eventually(lambda: stands() == ["one", "two"], "the better commit stands here")
    dry = light.call("git", "sync", "main", "--dry-run")

    assert told["problems"][0]["place"]["file"] == "flows/b.yml"
    assert (shown.code, "flows/b.yml" in shown.err) == (3, True)
    assert (dry.code, "0 changes" in dry.err) == (0, True)
    server.send(signal.SIGTERM)
    assert server.ended() == 0
    assert not light.alive()


def answers(url: str, path: str) -> int:
    """The status of an address; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url + path, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0
