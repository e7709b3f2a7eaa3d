"""Do the commands of the Makefile do what they say, from nothing but a clone?"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import penstock
from tests.house.source import ROOT, git_free

PROMISED = ("install", "demo", "test", "test-all", "lint", "types", "bench", "lock", "docs", "clean", "help")


def test_make_alone_prints_what_can_be_made() -> None:
    listing = subprocess.run(["make"], cwd=ROOT, env=outer(), capture_output=True, text=True, check=True).stdout

    offered = {line.split()[1] for line in listing.splitlines() if line.startswith("  make ")}

    assert set(PROMISED) <= offered


def test_what_checks_a_change_is_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"

    commands = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]

    assert os.access(script, os.X_OK)
    assert commands[-1] == "exec make test"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_fresh_clone_installs_itself_from_its_lock(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], env=git_free(), check=True)

    subprocess.run(["make", "install"], cwd=clone, env=outer(), check=True, timeout=500)
    again = subprocess.run(["make", "install"], cwd=clone, env=outer(), capture_output=True, text=True, check=True)
    version = subprocess.run([clone / ".venv/bin/penstock", "--version"], capture_output=True, text=True, check=True)

    assert "Nothing to be done" in again.stdout
    assert penstock.__version__ in version.stdout


def outer() -> dict[str, str]:
    """The environment of a person at a shell, not of a test within a `make` within a git hook."""
    ours = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV"}
    return {name: value for name, value in git_free().items() if name not in ours}
