"""Does the flow bring every event into the tables, once, however often it runs?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.holder import SECRET
from projects.lakehouse.services.stack import Stack

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "projects" / "lakehouse"
TABLES = 10


@dataclass(frozen=True)
class Pipeline:
    """A copy of the project, with a history of its own."""

    folder: Path
    env: dict[str, str]

    def run(self, **inputs: object) -> dict[str, Any]:
        """Run the flow by the command line, and give the run's document."""
        given = [word for name, value in inputs.items() for word in ("-i", f"{name}={value}")]
        command = [sys.executable, "-m", "penstock", "run", "flows/taxi_pipeline.yml", "--json", *given]
        said = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-3000:]
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    def check(self, run: dict[str, Any], name: str, gold: str = "") -> str:
        """Compare all tables with what was sent, gold in DuckDB's file or where it is said; gives what is told."""
        (python,) = self.folder.glob(".penstock/environments/*/bin/python")
        events = self.folder / ".penstock" / "blobs" / "runs" / run["id"] / "generate_events" / "1" / "events.jsonl"
        gold = gold or str(self.folder / "gold-out" / f"{name}.duckdb")
        where = ["--events", str(events), "--name", name, "--gold", gold]
        command = [str(python), "-m", "projects.lakehouse.check", *where]
        said = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    def text(self, address: str) -> str:
        """What a stored file holds."""
        return (self.folder / ".penstock" / "blobs" / address.removeprefix("penstock:///")).read_text()


@pytest.fixture
def pipeline(lakehouse: Stack, tmp_path: Path) -> Pipeline:
    """The project, pointed at the running servers."""
    for name in ("flows", "scripts", "gold"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "penstock.yaml", tmp_path)
    (tmp_path / "gold-out").mkdir()
    known = {**lakehouse.env, "GOLD_FOLDER": str(tmp_path / "gold-out")}
    env = os.environ | known | {f"ENV_{name}": value for name, value in known.items()}
    secrets = tmp_path / ".lakehouse" / "secrets"
    secrets.parent.mkdir()
    secrets.touch(mode=0o600)
    secrets.write_text("".join(f"{name}={known[name]}\n" for name in SECRET))
    return Pipeline(tmp_path, {**env, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])})


def test_events_become_tables_once_and_more_of_them_are_added(pipeline: Pipeline, lakehouse: Stack) -> None:
    first = pipeline.run(events=6_000, name="flowing")
    assert pipeline.check(first, "flowing").count("the same") == TABLES
    second = pipeline.run(events=10_000, name="flowing")
    said = pipeline.check(second, "flowing")
    assert said.count("the same") == TABLES and "10,000    10,000" in said
    for job in ("flowing-bronze", "flowing-silver"):
        cancelled(lakehouse, job)


def test_what_is_there_is_read_to_its_end_and_written_over_the_next_time(pipeline: Pipeline) -> None:
    first = pipeline.run(events=2_000, name="ended", mode="bounded")
    assert pipeline.check(first, "ended").count("the same") == TABLES
    second = pipeline.run(events=2_000, name="ended", mode="bounded", target="postgres")
    assert pipeline.check(second, "ended", "postgres").count("the same") == TABLES
    assert "Dollars a mile; null where no trip begins." in pipeline.text(second["outputs"]["docs"])


def cancelled(lakehouse: Stack, job: str) -> None:
    """End a job, so that its slots are free for other tests."""
    with LocalContext() as local:
        local.run("flink.cancel", {"jobManagerUrl": lakehouse.jobmanager.address, "name": job})
