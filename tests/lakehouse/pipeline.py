"""How does a test run the flow as a user does, watch it go, and compare all tables with what was sent?"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.stack import Stack
from projects.lakehouse.services.told import SECRET
from tests.acceptance.observe import eventually

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "projects" / "lakehouse"
FLOW = "flows/taxi_pipeline.yml"
TABLES = 10
# Where runs tell what data they read and write.
LINEAGE = "told.jsonl"
PENSTOCK = (sys.executable, "-m", "penstock")


@dataclass(frozen=True)
class Going:
    """A command that runs, and what it has said so far."""

    process: subprocess.Popen[bytes]
    heard: Path

    @property
    def said(self) -> str:
        """All that it has written."""
        return self.heard.read_text(errors="replace")

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def says(self, words: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until it has said something; fails when it ends before."""

        def heard() -> bool:
            meanwhile()
            if words in self.said:
                return True
            assert not self.over, f"it has ended without {words!r}:\n{self.said}"
            return False

        eventually(heard, f"{words!r} in\n{self.said}", 600)

    def ended(self, meanwhile: Callable[[], object] = lambda: None, seconds: float = 600) -> int:
        """Wait for its end, and give its exit code."""
        eventually(lambda: (meanwhile(), self.over)[1], f"the end of\n{self.said}", seconds)
        return self.process.wait()

    def stop(self) -> None:
        """End it, if it still runs; its tasks end with it."""
        if not self.over:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()

    def run_id(self) -> str:
        """The id of its run."""
        self.says(" run ")
        return self.said.partition(" run ")[2].split()[0]


@dataclass(frozen=True)
class Pipeline:
    """A copy of the project, with a history of its own."""

    folder: Path
    env: dict[str, str]

    def run(self, **inputs: object) -> dict[str, Any]:
        """Run the flow by the command line, and give the run's document."""
        command = [*PENSTOCK, "run", FLOW, "--json", "--lineage", LINEAGE, *_given(inputs)]
        said = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-3000:]
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    def begin(self, *words: str, **inputs: object) -> Going:
        """Begin a command, and let it go."""
        number = len(list(self.folder.glob("*.heard")))
        heard = self.folder / f"{number}.heard"
        command = [*PENSTOCK, *words, *_given(inputs)]
        with heard.open("wb") as out:
            process = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=out, stderr=subprocess.STDOUT)
        return Going(process, heard)

    def check(self, run_id: str, name: str, gold: str = "") -> str:
        """Compare all tables with what was sent, gold in DuckDB's file or where it is said; gives what is told."""
        (python,) = self.folder.glob(".penstock/environments/*/bin/python")
        attempts = self.folder.glob(f".penstock/blobs/runs/{run_id}/generate_events/*/events.jsonl")
        events = max(attempts, key=lambda path: int(path.parent.name))
        gold = gold or str(self.folder / "gold-out" / f"{name}.duckdb")
        where = ["--events", str(events), "--name", name, "--gold", gold]
        command = [str(python), "-m", "projects.lakehouse.check", *where]
        said = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        assert said.stdout.count("the same") == TABLES, said.stdout
        return said.stdout

    def text(self, address: str) -> str:
        """What a stored file holds."""
        return (self.folder / ".penstock" / "blobs" / address.removeprefix("penstock:///")).read_text()


def copied(lakehouse: Stack, folder: Path) -> Pipeline:
    """The project in a folder, pointed at the running servers."""
    for name in ("flows", "scripts", "gold"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "penstock.yaml", folder)
    (folder / "gold-out").mkdir()
    known = {**lakehouse.env, "GOLD_FOLDER": str(folder / "gold-out")}
    env = os.environ | known | {f"ENV_{name}": value for name, value in known.items()}
    secrets = folder / ".lakehouse" / "secrets"
    secrets.parent.mkdir()
    secrets.touch(mode=0o600)
    secrets.write_text("".join(f"{name}={known[name]}\n" for name in SECRET))
    return Pipeline(folder, {**env, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])})


def cancelled(lakehouse: Stack, job: str) -> None:
    """End a job, so that its slots are free for other tests."""
    with LocalContext() as local:
        local.run("flink.cancel", {"jobManagerUrl": lakehouse.jobmanager.address, "name": job})


def _given(inputs: dict[str, object]) -> list[str]:
    return [word for name, value in inputs.items() for word in ("-i", f"{name}={value}")]
