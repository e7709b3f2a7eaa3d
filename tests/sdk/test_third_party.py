"""Can somebody else's package add a task type? The one that the documentation shows is built, installed and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

import penstock

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "en" / "task-types.md"
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Call Penstock where the package of the page is installed, in a folder with the flow of the page."""
    source, place, folder = (tmp_path_factory.mktemp(name) for name in ("source", "environment", "folder"))
    python, site = environment(place)
    text = PAGE.read_text(encoding="utf-8")
    blocks = dict(re.findall(r"```(python|toml|yaml)\n(.*?)```", text, re.DOTALL))
    (source / "acme_tasks.py").write_text(blocks["python"])
    (source / "pyproject.toml").write_text(blocks["toml"])
    (folder / "greeting.yml").write_text(blocks["yaml"])
    (folder / "wrong.yml").write_text(blocks["yaml"].replace("name: Ann", "nmae: Ann"))
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--target", str(site)]
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *offline, str(source)]
    subprocess.run(install, check=True, capture_output=True, text=True)

    def penstock_of(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-m", "penstock", *arguments]
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, cwd=folder, env=environ, check=False, capture_output=True, text=True)

    return penstock_of


def environment(place: Path) -> tuple[Path, Path]:
    """A virtual environment that has Penstock and what this one has: its Python, and where packages go."""
    venv.create(place, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    shared = [
        Path(penstock.__file__).parents[1],
        *map(Path, {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
    ]
    (site / "shared.pth").write_text("".join(f"{each}\n" for each in shared))
    return place / "bin" / "python", site


def test_its_task_runs_in_a_process_of_its_own(call: Call) -> None:
    done = call("run", "greeting.yml", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["outputs"] == {"said": "Hello, Ann"}
    assert told["steps"][0]["type"] == "acme.greet"
    assert "Waiting 5 s for Ann" in call("runs", "logs", "last").stdout


def test_its_fields_are_shown_with_their_units_as_ours_are(call: Call) -> None:
    listed, page = call("types", "acme").stdout, call("types", "acme.greet").stdout

    assert "acme.greet" in listed
    assert re.search(r"`name` \| text \| \*\*required\*\* \| Whom to greet\.", page)
    assert re.search(r"`patience` \| duration", page)


def test_a_flow_that_gets_its_fields_wrong_is_told_before_it_runs(call: Call) -> None:
    done = call("check", "wrong.yml")

    assert done.returncode == 3
    assert 'Did you mean "name"?' in done.stdout + done.stderr
