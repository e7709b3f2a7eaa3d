"""Can a Penstock of the next version work beside this one on one database, and is one that is too far ahead told of?"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import penstock
from penstock.model.status import RunStatus
from penstock.store.migrations.carried import carried
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project, Running
from tests.acceptance.test_serving import EVERY_SECOND, address, check_ticks, dates

NEWEST = len(carried("postgres"))
# As migrations are: columns and tables come first, and nothing is taken away until nobody knows it any more.
EXPANDS = f"""-- Runs with: {NEWEST}
ALTER TABLE runs ADD COLUMN hue TEXT;
ALTER TABLE ready_attempts ADD COLUMN hue TEXT;
ALTER TABLE steps ADD COLUMN hue TEXT;
CREATE TABLE hues (name TEXT PRIMARY KEY);
"""
CONTRACTS = "DROP TABLE hues;\n"
STEPS = """  - id: say
    type: log
    message: hello
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: left, type: shell.script, script: "true"}
      - {id: right, type: shell.script, script: "true"}
"""


@pytest.mark.long
def test_the_next_version_works_beside_this_one_and_takes_over(project: Project, tmp_path: Path) -> None:
    next_one = a_later(tmp_path / "next", EXPANDS)
    far_ahead = a_later(tmp_path / "far", EXPANDS, CONTRACTS)
    project.flow("ticking", STEPS, more=EVERY_SECOND)
    assert project.call("flows", "push", "flows").code == 0
    old_server = project.begin("serve", "--port", "0")
    address(old_server)
    old_worker = project.worker("old", "--slots", "2")
    eventually(lambda: done_by(project, "old") > 2, "this version works")
    assert version(project) == NEWEST

    new_worker = project.begin("worker", "--name", "new", "--slots", "2", environment=next_one)
    eventually(lambda: version(project) == NEWEST + 1, "the next one brings its schema")
    before = done_by(project, "old")
    eventually(lambda: done_by(project, "new") > 2 and done_by(project, "old") > before + 2, "both work", 40)
    new_server = project.begin("serve", "--port", "0", environment=next_one)
    address(new_server)
    old_server.kill()
    old_worker.kill()
    eventually(lambda: "scheduler.leads" in new_server.said, "the next one leads", 15)
    again = project.worker("again", "--slots", "2")
    eventually(lambda: done_by(project, "again") > 2, "this version comes back to the newer schema", 40)

    for running in (again, new_worker, new_server):
        leave(running)
    assert project.call("db", "status").code == 0
    migrated = project.begin("db", "migrate", environment=far_ahead)
    assert migrated.ended() == 0, migrated.said
    refused = project.call("worker", "--until-idle")
    assert refused.code != 0 and "PS-405" in refused.err
    assert f"schema version {NEWEST + 2}; this Penstock knows versions up to {NEWEST}" in refused.err
    finish = project.begin("worker", "--until-idle", environment=far_ahead)
    assert finish.ended(60) == 0, finish.said

    check_ticks(project)
    assert len(dates(project)) > 6
    assert {run.status for run in project.runs()} == {RunStatus.SUCCESS}


def a_later(folder: Path, *migrations: str) -> dict[str, str]:
    """Make a Penstock of a later version, which is this one with more migrations; the environment that finds it."""
    here = Path(penstock.__file__).parent
    copy = folder / "penstock"
    shutil.copytree(here, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for kind in ("sqlite", "postgres"):
        texts = copy / "store" / "migrations" / kind
        for number, text in enumerate(migrations, NEWEST + 1):
            (texts / f"{number:04}_later.sql").write_text(text)
            with (texts / "snapshot.sql").open("a") as whole:
                whole.write(text)
    page = copy / "__init__.py"
    page.write_text(re.sub(r'__version__ = ".*"', '__version__ = "99.0.0"', page.read_text()))
    return {"PYTHONPATH": str(folder)}


def version(project: Project) -> int:
    """The version of the schema."""
    return int(project.rows("SELECT max(version) FROM schema_migrations")[0][0])


def done_by(project: Project, worker: str) -> int:
    """How many attempts a worker has ended."""
    ((count,),) = project.rows(f"SELECT count(*) FROM events WHERE worker = '{worker}' AND accepted = 1")
    return int(count)


def leave(running: Running) -> None:
    """Ask a process to stop, and wait until it has."""
    running.process.terminate()
    assert running.ended() == 0, running.said
