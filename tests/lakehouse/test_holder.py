"""Is the process that holds the servers known again, by whoever asks, and is it the only one?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projects.lakehouse.services import holder as holders
from projects.lakehouse.services.holder import Holder

ASKED = "import sys, pathlib; from projects.lakehouse.services import holder; print(holder._born(int(sys.argv[1])))"
HELD = """
import fcntl, pathlib, sys
with pathlib.Path(sys.argv[1]).open("ab") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


def born(zone: str) -> str:
    """When this process began, as a process in another zone of time says it."""
    command = [sys.executable, "-c", ASKED, str(os.getpid())]
    said = subprocess.run(command, env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True)
    return said.stdout.strip()


def test_when_a_process_began_is_the_same_in_every_zone_of_time() -> None:
    assert born("UTC") == born("Asia/Tokyo") == born("America/New_York") != ""


def test_it_is_the_same_without_proc_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "PROC", tmp_path)
    seen = set()
    for zone in ("UTC", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        seen.add(holders._born(os.getpid()))
    assert len(seen) == 1 and "" not in seen


def test_a_process_is_known_again_and_a_later_one_of_its_number_is_not(tmp_path: Path) -> None:
    held = Holder(tmp_path, tmp_path / ".env")
    file = tmp_path / "holder.pid"
    file.write_text(f"{os.getpid()} {holders._born(os.getpid())}")
    assert held.pid == os.getpid()
    file.write_text(f"{os.getpid()} 1")
    assert held.pid == 0


def test_a_second_one_leaves_the_files_of_the_first(tmp_path: Path) -> None:
    for name in ("holder.pid", "env", "secrets"):
        (tmp_path / name).write_text("of the first")
    command = [sys.executable, "-c", HELD, str(tmp_path / "holder.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        second = subprocess.run(
            [sys.executable, "-m", "projects.lakehouse.services", "hold"],
            env=os.environ | {"LAKEHOUSE_FOLDER": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        first.communicate()
    assert (second.returncode, second.stdout) == (1, "Another process holds the servers of this folder.\n")
    assert {(tmp_path / name).read_text() for name in ("holder.pid", "env", "secrets")} == {"of the first"}
