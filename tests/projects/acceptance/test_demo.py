"""Does one command show the warehouse on this machine, twice without doubling, and leave nothing running?"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from projects.servers.child import listens
from tests.projects.acceptance.project import WAREHOUSE, until
from tools.podman import Podman

ROOT = WAREHOUSE.parents[1]


@pytest.fixture
def checkout(server_folder: Path) -> Path:
    """A copy of the reference projects, so that the demo's data and runs are the test's own."""
    folder = Path(tempfile.mkdtemp(prefix="checkout-", dir=server_folder))
    folder.chmod(0o755)
    left = shutil.ignore_patterns(".demo", ".penstock", "__pycache__")
    shutil.copytree(WAREHOUSE.parent, folder / "projects", ignore=left)
    return folder


def demo(checkout: Path, *arguments: str) -> tuple[int, str, float]:
    """Run the demo in the copy: its exit code, all that it said, and how long it took."""
    path = os.pathsep.join([str(checkout), str(ROOT / "src")])
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "projects.warehouse.demo", *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def test_the_demo_runs_twice_in_time_doubles_nothing_and_leaves_nothing_running(checkout: Path) -> None:
    first_code, first, _ = demo(checkout)
    again_code, again, seconds = demo(checkout)
    clean_code, _, _ = demo(checkout, "--clean")

    assert (first_code, again_code, clean_code) == (0, 0, 0), first + again
    assert _counts(first) == _counts(again)
    assert _counts(first)["dw.fact_feature_usage"] == 5_010
    assert seconds <= 10
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", first + again)]
    assert len(ports) >= 4 and not any(listens(port) for port in ports)
    assert not (checkout / "projects" / "warehouse" / ".demo").exists()


def test_the_demo_runs_in_containers_by_one_word_more(
    checkout: Path, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{podman.socket}")

    code, said, _ = demo(checkout, "--containers", "--events", "500")

    assert code == 0, said
    assert "demo --day 2016-01-03 --containers" in said
    assert "create" in podman.ask("events", "--stream=false", "--format", "{{.Status}}")
    assert podman.ask("ps", "--all", "--quiet") == ""
    demo(checkout, "--clean")


def test_the_demo_opens_penstock_dev_on_it_and_takes_it_down_again(checkout: Path) -> None:
    path = os.pathsep.join([str(checkout), str(ROOT / "src")])
    command = [sys.executable, "-m", "projects.warehouse.demo", "--events", "500", "--dev"]
    said = checkout / "said"
    with said.open("wb") as out:
        opened = subprocess.Popen(command, cwd=checkout, env={**os.environ, "PYTHONPATH": path}, stdout=out, stderr=out)
    try:
        with contextlib.suppress(AssertionError):
            until(lambda: "worker.started" in said.read_text() or opened.poll() is not None, "it is open", 75)
        opened.send_signal(signal.SIGTERM)
        code = opened.wait(30)
    finally:
        opened.kill()
        opened.wait()

    told = said.read_text()
    assert code == 143, told
    assert "backfill warehouse.phase2 --from 2016-01-01 --to 2016-01-31" in told
    assert "Penstock has stopped." in told
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", told)]
    assert len(ports) >= 3 and not any(listens(port) for port in ports)
    demo(checkout, "--clean")


def test_a_demo_that_fails_says_what_to_do(checkout: Path) -> None:
    flow = checkout / "projects" / "warehouse" / "flows" / "phase2_orchestration.yml"
    flow.write_text(flow.read_text().replace("id: phase2", "idd: phase2"))

    code, said, _ = demo(checkout)

    assert code == 1
    assert "Penstock refused the call or the flow flows/phase2_orchestration.yml (exit code 3)" in said
    assert "Traceback" not in said
    demo(checkout, "--clean")


def _counts(said: str) -> dict[str, int]:
    """The rows per table that the demo printed."""
    part = said.partition("Rows per table:")[2].partition("Rejected on")[0]
    return {name: int(count.replace(",", "")) for name, count in re.findall(r"^  (\S+) +([\d,]+)$", part, re.M)}
