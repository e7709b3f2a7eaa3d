"""Where is it measured? In a copy of the project with a history of its own, on servers that the environment names.

A folder is kept from one time to the next, so that the packages of dbt are installed once.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from penstock.expr import Calls, compile
from penstock.plugins.flink.script import statements
from projects.lakehouse.benchmark.by_hand import THEN, ask
from projects.lakehouse.services.told import SECRET, write_private

PROJECT: Final = Path(__file__).resolve().parents[1]
ROOT: Final = PROJECT.parents[1]
FLOW: Final = "flows/taxi_pipeline.yml"
KEPT: Final = "environments"
# Of these, what is in the environment is what flows see as `envs.name`.
SEEN: Final = "ENV_"
# What programs have left in the project.
MADE: Final = shutil.ignore_patterns("__pycache__", "target", "logs")


class Rendered(msgspec.Struct, frozen=True):
    """A task as the flow declares it, and what its expressions see."""

    declared: dict[str, Any]
    scope: dict[str, object]
    calls: Calls

    def text(self, name: str) -> str:
        """A property with its values."""
        return self._said(self.declared[name])

    def lines(self, name: str) -> list[str]:
        """A list of texts."""
        return [self._said(each) for each in self.declared[name]]

    def mapping(self, name: str) -> dict[str, str]:
        """A map of texts."""
        return {key: self._said(value) for key, value in self.declared[name].items()}

    def _said(self, text: str) -> str:
        return compile(text).render(self.scope, self.calls)


class Workplace(msgspec.Struct, frozen=True):
    """A copy of the project, and the environment with which everything is run in it."""

    folder: Path
    env: dict[str, str]

    def penstock(self, *arguments: str) -> list[str]:
        """A command of Penstock's."""
        return [sys.executable, "-m", "penstock", *arguments]

    def run_flow(self, **inputs: object) -> list[str]:
        """The command that runs the pipeline."""
        given = [word for name, value in inputs.items() for word in ("-i", f"{name}={value}")]
        return self.penstock("run", FLOW, "--json", *given)

    @property
    def installed(self) -> list[Path]:
        """The folders of programs among which dbt is, which the flow's last task had installed; the newest last."""
        found = self.folder.glob(f".penstock/{KEPT}/*/bin/dbt")
        return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime)]

    @property
    def packages(self) -> Path:
        """The newest of them."""
        return self.installed[-1]

    def do(self, command: list[str], **more: str) -> str:
        """Do something here; gives what it says. Ends the program where it fails."""
        env = self.env | more
        said = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(f"{' '.join(command)} ended with {said.returncode}.\n{said.stdout[-3000:]}{said.stderr[-3000:]}")
        return said.stdout

    def task(self, task: str, /, **inputs: object) -> Rendered:
        """One of the flow's tasks with its values, as Penstock would have them."""
        flow = yaml.safe_load((self.folder / FLOW).read_text())
        scope: dict[str, object] = {
            "inputs": {each["id"]: each.get("defaults") for each in flow["inputs"]} | inputs,
            "envs": {name[len(SEEN) :].lower(): value for name, value in self.env.items() if name.startswith(SEEN)},
            "vars": flow["variables"],
        }
        reaching = {"secret": self.env.__getitem__, "read": lambda path: (self.folder / path).read_text()}
        calls = Calls(now=datetime.datetime.now(datetime.UTC), functions=reaching)
        return Rendered(next(each for each in flow["tasks"] if each["id"] == task), scope, calls)

    def sql(self, layer: str, /, **inputs: object) -> list[str]:
        """The statements of one of the two jobs; the settings of its session, and its name, come first."""
        task = self.task(f"submit_flink_{layer}", **inputs)
        settings = {**task.mapping("session"), "pipeline.name": task.text("name")}
        told = [f"SET '{name}' = '{value}'" for name, value in settings.items()]
        return told + [each.text for each in statements(task.text("sql"))]

    def dbt_env(self, **inputs: object) -> dict[str, str]:
        """The environment of the flow's last task."""
        task = self.task("dbt_build", **inputs)
        return {**task.mapping("env"), "DBT_PROJECT_DIR": task.text("projectDir")}

    def for_hand(self, **inputs: object) -> Path:
        """A folder for the hand, as new as each attempt's, with the commands and statements of the tasks."""
        folder = self.folder / "hand"
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("scripts", "gold"):
            shutil.copytree(self.folder / name, folder / name, ignore=MADE)
        for layer in ("bronze", "silver"):
            # a catalog is made in them, with its passwords
            write_private(folder / f"{layer}.sql", [THEN.join(self.sql(layer, **inputs))])
        for file, task in (("generate.sh", "generate_events"), ("build.sh", "dbt_build")):
            (folder / file).write_text("\n".join([*self.task(task, **inputs).lines("commands"), ""]))
        return folder

    def install(self) -> None:
        """Have dbt's packages installed, which a run of the flow does."""
        if not self.installed:
            name = fresh()
            self.do(self.run_flow(name=name, events=100))
            self.cancel_jobs(name)

    def cancel_jobs(self, prefix: str) -> None:
        """End all jobs of Flink's whose names begin so, and wait until they have ended."""
        flink = self.env["FLINK_URL"]

        def live() -> list[str]:
            found = ask(f"{flink}/jobs/overview")["jobs"]
            ended = ("CANCELED", "FINISHED", "FAILED")
            return [each["jid"] for each in found if each["name"].startswith(prefix) and each["state"] not in ended]

        for job in live():
            with contextlib.suppress(OSError):
                asked = urllib.request.Request(f"{flink}/jobs/{job}?mode=cancel", b"{}", method="PATCH")
                asked.add_header("Content-Type", "application/json")
                urllib.request.urlopen(asked, timeout=30).close()
        while live():
            time.sleep(0.1)


def prepared(folder: Path, environ: Mapping[str, str]) -> Workplace:
    """A workplace in a folder: the project copied anew, nothing left of an earlier time but installed packages."""
    for name in ("flows", "scripts", "gold"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(PROJECT / name, folder / name, ignore=MADE)
    shutil.copy(PROJECT / "penstock.yaml", folder)
    own = folder / ".penstock"
    for each in own.iterdir() if own.is_dir() else ():
        if each.name != KEPT:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    gold = folder / "made"
    shutil.rmtree(gold, ignore_errors=True)
    gold.mkdir()
    secrets = folder / ".lakehouse" / "secrets"
    secrets.parent.mkdir(exist_ok=True)
    secrets.touch(mode=0o600)
    secrets.write_text("".join(f"{name}={environ[name]}\n" for name in SECRET if name in environ))
    # who measures wants compiled modules kept, as they are everywhere else
    env = {name: value for name, value in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    paths = {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))), "PYTHON": sys.executable}
    return Workplace(folder, {**env, **paths, "GOLD_FOLDER": str(gold), f"{SEEN}GOLD_FOLDER": str(gold)})


def fresh() -> str:
    """A name that no topic, namespace or job had before."""
    return f"b{int(time.time() * 10):x}"


def document(said: str) -> dict[str, Any]:
    """What `penstock run --json` says of a run."""
    found: dict[str, Any] = json.loads(said)
    return found
