"""Is a secret nowhere but sealed after servers and workers, processes of their own, have done all they do with it?"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.api.route import Kind
from penstock.api.routes.table import SERVED
from tests.acceptance.observe import eventually, processes_of
from tests.acceptance.project import Project
from tests.acceptance.test_serving import address
from tests.planted import CALLED, GIVEN, LINES, SECRET, files_below, flow, told, unpacked

FILED = "f1led-away, 'here' & \\there"
HOOK = "h00k-that-nobody-guesses"
SECRETS = (SECRET, LINES, GIVEN, FILED, HOOK)
TRIGGERS = """
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: "{{ secret('HOOK') }}"
    inputs: {given: "{{ trigger.body.given }}"}
"""


def ask(
    project: Project, url: str, path: str, method: str = "GET", body: object = None, headers: Mapping[str, str] = {}
) -> tuple[int, bytes]:
    """Call the API as the owner of this machine."""
    bearer = (project.folder / ".penstock" / "key").read_text().strip()
    sent = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, sent, {"Authorization": f"Bearer {bearer}", **headers}, method=method)
    if sent is not None and "Content-Type" not in headers:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def kept(project: Project) -> dict[str, bytes]:
    """Every row of every table, and what is packed in it."""
    names = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        if project.on_postgres
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    found: dict[str, bytes] = {}
    for (table,) in project.rows(names):
        values = [value for row in project.rows(f"SELECT * FROM {table}") for value in row]
        blobs = [bytes(value) for value in values if isinstance(value, bytes | memoryview)]
        texts = [str(value).encode() for value in values if not isinstance(value, bytes | memoryview)]
        found[f"table {table}"] = b"\n".join([*texts, *blobs])
        found[f"table {table}, packed"] = b"".join(piece for blob in blobs for piece in unpacked(blob))
    return found


def answers(project: Project, url: str, run: str) -> dict[str, bytes]:
    """What every address that only looks tells of the run and of all else, as far as there is something to tell."""
    there = {
        "namespace": "shop.daily",
        "flow": "tells",
        "run": run,
        "executionId": run,
        "id": "tells",
        "name": "PLANTED",
    }
    found: dict[str, bytes] = {}
    for row in SERVED:
        if row.method != "GET" or row.kind is Kind.STREAM or "/webhooks/" in row.path:
            continue
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda place: there.get(place[1], "shop.daily"), row.path)
        of_run = "{run}" in row.path or "{executionId}" in row.path
        for query in ("", "?step=script", "?step=gives") if of_run else ("", "?namespace=shop.daily"):
            status, body = ask(project, url, path + query)
            assert status < 500, (path, query, body)
            found[f"GET {path}{query}"] = body
    return found


def prepared(project: Project) -> dict[str, str]:
    """Write the project, with a secret in a file, and give the environment that has another."""
    filed = project.folder / "secrets.env"
    filed.write_text(f"FILED={FILED}\n")
    filed.chmod(0o600)
    settings = project.folder / "penstock.yaml"
    settings.write_text(settings.read_text() + "secrets: secrets.env\n")
    waits = f"""
  - id: waits
    type: shell.script
    script: |
      echo '{{{{ secret("FILED") | replace({{"'": "-"}}) }}}}'
      cat <<'END'
      {{{{ secret("PLANTED") }}}} {{{{ inputs.given }}}} {{{{ secret("FILED") }}}}
      END
      touch {project.gates}/began
      while [ ! -e {project.gates}/go ]; do sleep 0.02; done
"""
    (project.folder / "flows" / "called.yml").write_text(CALLED)
    (project.folder / "flows" / "tells.yml").write_text(flow(waits) + TRIGGERS)
    return {"PENSTOCK_SECRET_LINES": LINES}


@pytest.mark.timeout(180)
def test_secrets_of_every_source_are_nowhere_but_sealed(project: Project) -> None:
    own = prepared(project)
    server = project.begin("serve", "--port", "0", environment=own)
    url = address(server)
    worker = project.begin("worker", "--name", "bee", environment=own)
    assert project.call("flows", "push", "flows").code == 0
    for name, text in (("PLANTED", SECRET), ("HOOK", HOOK)):
        assert ask(project, url, f"/v1/secrets/shop/{name}", "PUT", {"value": text})[0] == 200

    status, body = ask(
        project, url, "/v1/runs", "POST", {"namespace": "shop.daily", "flow": "tells", "inputs": {"given": GIVEN}}
    )
    assert status < 300, body
    run = json.loads(body)["id"]
    eventually(lambda: (project.gates / "began").exists(), "a task holds the secrets")
    ours = {server.process.pid, worker.process.pid}
    seen = {f"/proc/{one.pid} {one.command[:60]}": one for one in processes_of(project.folder)}
    lists = {f"{name} cmdline": one.command.encode() for name, one in seen.items()}
    lists |= {f"{name} environ": one.environment for name, one in seen.items() if one.pid not in ours}
    project.open("go")
    ended = project.finished(run, 60)
    hooked = ask(project, url, f"/v1/webhooks/shop.daily/tells/{HOOK}", "POST", {"given": GIVEN})
    again = json.loads(hooked[1])["run"] if hooked[0] < 300 else ""
    assert again, hooked
    project.finished(again, 60)
    replayed = project.call("runs", "replay", run, "--no-wait")
    assert replayed.code == 0, replayed.err
    project.finished(replayed.out.strip(), 60)

    commands = [("runs", "show", run, "--json"), ("runs", "logs", run), ("audit", "export"), ("runs", "explain", run)]
    spoken = {" ".join(words): project.call(*words) for words in commands}
    for what in ("backup", "export"):
        project.call("db", what, str(project.folder / f"copy.{what}"))
    found = lists | kept(project) | answers(project, url, run)
    found |= {name: (said.out + said.err).encode() for name, said in spoken.items()}
    spared = [project.folder / "secrets.env", *(project.folder / "flows").iterdir()]
    found |= files_below(project.folder, *spared)

    assert ended.status == "warning", document(project, run)
    assert not open_to_others(project.folder)
    assert len(lists) >= 6 and any("/bin/sh" in name for name in lists), list(lists)
    assert all(said.code == 0 for said in spoken.values())
    shown = told(found, SECRETS)
    assert not shown, "\n".join(shown)
    assert b"********" in found["runs logs " + run] and b"penstock:sealed" not in found[f"GET /v1/runs/{run}"]


def document(project: Project, run: str) -> dict[str, Any]:
    """What a failed assertion shows."""
    return {step["key"]: (step["status"], step["error"]) for step in project.document(run)["steps"]}


def open_to_others(folder: Path) -> list[str]:
    """What others than its owner could read of an installation."""
    state = folder / ".penstock"
    return [
        f"{path} {path.stat().st_mode & 0o777:o}"
        for path in [state, *state.rglob("*"), *folder.glob("copy.*")]
        if path.stat().st_mode & 0o077 and not inside_closed(path, state)
    ]


def inside_closed(path: Path, state: Path) -> bool:
    """Whether a folder above keeps others out of a path."""
    return any(not folder.stat().st_mode & 0o011 for folder in path.parents if folder.is_relative_to(state))
