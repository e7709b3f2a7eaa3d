"""Does a server, or a worker, ever run what people wrote, or take an object apart that somebody packed? In no process
of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.project import Project
from tests.acceptance.test_planted import ask
from tests.acceptance.test_serving import address

# Told by Python itself of each process that finds this beside it: which modules come from a project, and what pickle
# was asked to find.
WATCHES = """
import os, sys
def heard(event, args):
    found = ""
    if event == "import" and isinstance(args[1], str) and args[1].startswith(os.environ["WATCHED"]):
        found = args[1]
    elif event == "exec" and getattr(args[0], "co_filename", "").startswith(os.environ["WATCHED"]):
        found = args[0].co_filename
    elif event == "pickle.find_class":
        found = ".".join(map(str, args))
    if found:
        with open(os.environ["WATCHED_TO"], "a") as file:
            file.write(f"{os.getpid()} {event} {found}\\n")
sys.addaudithook(heard)
with open(os.environ["WATCHED_TO"], "a") as file:
    file.write(f"{os.getpid()} watching\\n")
"""
# Names that a server or a worker imports at one time or another, and one of nobody's.
NAMES = ("cronsim", "regex", "yaml", "uvicorn", "httpx", "boto3", "planted", "sitecustomize_of_theirs", "conftest")
PLANTED = (
    "import os\nopen(os.environ.get('WATCHED_TO', '/dev/null'), 'a').write(f'{os.getpid()} planted {__file__}\\n')\n"
)
FLOW = """
id: theirs
namespace: acc
inputs: [{id: when, type: STRING, defaults: "{{ now() }}"}]
triggers:
  - {id: often, type: io.kestra.plugin.core.trigger.Schedule, cron: "*/5 * * * *"}
tasks:
  - id: own
    type: python.script
    script: |
      import planted
      open("packed.pkl", "wb").write(b"cos\\nsystem\\n(S'touch HERE/unpacked'\\ntR.")
    env: {PYTHONPATH: "FOLDER", WATCHED_TO: "LOG"}
    outputFiles: ["*.pkl"]
  - {id: names, type: return, format: "{{ read(outputs.own.outputFiles['packed.pkl']) }}"}
"""


@pytest.mark.timeout(120)
def test_what_people_wrote_runs_in_children_alone(light: Project, tmp_path: Path) -> None:
    project, beside, log = light, tmp_path / "beside", tmp_path / "watched"
    beside.mkdir()
    (beside / "sitecustomize.py").write_text(WATCHES)
    for name in NAMES:
        (project.folder / f"{name}.py").write_text(PLANTED)
        (project.folder / "flows" / f"{name}.py").write_text(PLANTED)
    text = FLOW.replace("FOLDER", str(project.folder)).replace("HERE", str(project.folder)).replace("LOG", str(log))
    (project.folder / "flows" / "theirs.yml").write_text(text)
    watched = {"WATCHED": str(project.folder), "WATCHED_TO": str(log)}
    watched["PYTHONPATH"] = f"{beside}:{project.environment['PYTHONPATH']}"
    log.touch()

    server = project.begin("serve", "--port", "0", environment=watched)
    url = address(server)
    worker = project.begin("worker", "--name", "bee", environment=watched)
    pushing = project.begin("flows", "push", "flows", environment=watched)
    assert pushing.ended() == 0, pushing.said
    status, body = ask(project, url, "/v1/runs", "POST", {"namespace": "acc", "flow": "theirs"})
    assert status < 300, body
    run = json.loads(body)["id"]
    project.finished(run)
    for path in (
        f"/v1/runs/{run}/files",
        f"/v1/runs/{run}/document",
        "/v1/flows/acc/theirs",
        "/v1/triggers",
        "/v1/types",
    ):
        assert ask(project, url, path)[0] == 200, path
    uri = json.loads(ask(project, url, f"/v1/runs/{run}/files")[1])["items"][0]["uri"]
    for what in ("preview", "content"):
        assert ask(project, url, f"/v1/runs/{run}/files/{what}?uri={uri}")[0] in (200, 404)
    checked = project.begin("check", "flows", environment=watched)
    checked.ended()

    ours = {str(one.process.pid) for one in (server, worker, pushing, checked)}
    lines = log.read_text().splitlines()
    inside = [line for line in lines if line.split()[0] in ours and not line.endswith(" watching")]
    assert not inside, "\n".join(inside)
    assert ours <= {line.split()[0] for line in lines if line.endswith(" watching")}
    assert any(line.endswith("planted.py") for line in lines), lines
    assert not (project.folder / "unpacked").exists()
