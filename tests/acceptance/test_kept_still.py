"""Can people keep a service still, and turn its keys, while servers and workers stand and runs go through?"""

from __future__ import annotations

import json

import pytest

from tests.acceptance.observe import eventually
from tests.acceptance.project import Project
from tests.acceptance.test_planted import ask
from tests.acceptance.test_serving import address


def waiting(project: Project, namespace: str, gate: str) -> str:
    """Write a flow of a namespace that waits for a gate, and give its name."""
    script = project.step("waits", gate=gate)
    text = f"id: {gate}\nnamespace: {namespace}\ntasks:\n{script}"
    (project.folder / "flows" / f"{gate}.yml").write_text(text)
    return f"{namespace}.{gate}"


def started(project: Project, url: str, namespace: str, flow: str) -> str:
    """Start a run by HTTP."""
    status, body = ask(project, url, "/v1/runs", "POST", {"namespace": namespace, "flow": flow})
    assert status < 300, body
    return str(json.loads(body)["id"])


def said(project: Project, *words: str) -> str:
    """What a command tells, which must go well."""
    done = project.call(*words)
    assert done.code == 0, (words, done.err)
    return done.out + done.err


def is_running(project: Project, run: str) -> bool:
    """Whether a run has begun and not ended."""
    return project.of(run).status == "running"


@pytest.mark.timeout(180)
def test_a_namespace_and_then_all_is_kept_still_and_everything_is_told(served: Project) -> None:
    project = served
    waiting(project, "acc.a", "one")
    waiting(project, "acc.b", "two")
    server = project.begin("serve", "--port", "0")
    url = address(server)
    project.worker("bee")
    said(project, "flows", "push", "flows")
    in_a, in_b = started(project, url, "acc.a", "one"), started(project, url, "acc.b", "two")
    eventually(lambda: len(project.lines("begin waits")) == 2, "both have begun")

    said(project, "maintenance", "on", "acc.a", "--reason", "a new warehouse")
    put_aside = started(project, url, "acc.a", "one")
    beside = started(project, url, "acc.b", "two")
    eventually(lambda: len(project.lines("begin waits")) == 3, "the other namespace goes on")
    assert "a new warehouse" in said(project, "runs", "why", put_aside)
    project.open("one")
    assert project.finished(in_a).status == "success"  # what had begun goes to its end
    assert project.of(put_aside).started_at is None or not project.ends(put_aside)

    said(project, "maintenance", "on", "--kill", "--reason", "power")
    assert [project.finished(run).status for run in (in_b, beside)] == ["killed", "killed"]
    later = started(project, url, "acc.b", "two")
    shown = json.loads(said(project, "maintenance", "show", "--json"))
    assert "power" in json.dumps(shown)
    project.open("two")
    assert not project.ends(later)

    said(project, "maintenance", "off")
    assert project.finished(later).status == "success"
    assert not project.ends(put_aside)  # its own namespace is still kept still
    said(project, "maintenance", "off", "acc.a")
    assert project.finished(put_aside).status == "success"

    acts = [json.loads(line) for line in said(project, "audit", "export").splitlines() if '"maintenance.' in line]
    told = json.dumps(acts)
    assert told.count('"maintenance.on"') == 2 and told.count('"maintenance.off"') == 2
    assert "a new warehouse" in told and "power" in told


@pytest.mark.timeout(180)
def test_keys_turn_while_servers_and_workers_stand(light: Project) -> None:
    project = light
    (project.folder / "flows" / "tells.yml").write_text(TELLS)
    server = project.begin("serve", "--port", "0")
    url = address(server)
    worker = project.worker("bee")
    said(project, "flows", "push", "flows")
    assert ask(project, url, "/v1/secrets/acc/KEY", "PUT", {"value": "0pen-sesame"})[0] == 200
    master = project.folder / ".penstock" / "master.key"
    keys = [master.read_text()]

    def opens(run: str) -> None:
        assert project.finished(run).status == "success", project.document(run)
        assert project.lines() == ["0pen-sesame given-secret 1"] * len(project.lines()), project.lines()

    first = begun(project, url)
    opens(first)
    for words in (("rotate",), ("rotate", "--forget")):
        said(project, "secrets", *words)
        keys.append(master.read_text())
        opens(begun(project, url))
        again = json.loads(ask(project, url, f"/v1/runs/{first}/replay", "POST", {})[1])
        opens(str(again.get("id") or again.get("run")))

    assert len(project.lines()) == 5 and len(set(keys)) == 3
    assert server.process.poll() is None and worker.process.poll() is None
    assert "PS-85" not in server.said + worker.said


def begun(project: Project, url: str) -> str:
    """A run that was given a secret."""
    body = {"namespace": "acc", "flow": "tells", "inputs": {"given": "given-secret"}}
    status, told = ask(project, url, "/v1/runs", "POST", body)
    assert status < 300, told
    return str(json.loads(told)["id"])


TELLS = """
id: tells
namespace: acc
inputs: [{id: given, type: SECRET}]
tasks:
  - id: tells
    type: shell.commands
    env: {KEY: "{{ secret('KEY') }} {{ inputs.given }} 1"}
    commands: ['echo "$KEY" >> "$HOME/trace"']
"""
