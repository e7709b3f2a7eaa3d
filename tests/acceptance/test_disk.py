"""What becomes of runs when the disk is full under the files, and under the store itself?"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.checks import check_settled
from tests.acceptance.observe import eventually
from tests.acceptance.project import Project

MAKE_FILE = "head -c 3000000 /dev/zero > big.bin"


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a disk of this size over a folder."""
    place.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk takes the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Take all room that is left on a disk."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return filler


def test_a_file_that_finds_no_room_fails_its_task_and_a_restart_stores_it(project: Project) -> None:
    blobs = project.folder / ".penstock" / "blobs"
    files = "outputFiles: [big.bin]"
    flow = project.flow("files", project.step("one"), project.step("two", script=MAKE_FILE, more=files))
    with small_disk(blobs, "2m"):
        said = project.call("run", flow)
        (run,) = project.runs()

        assert said.code == 1
        assert run.status == "failed"
        (end,) = [end for end in project.ends(run.id) if end.step == "two"]
        assert end.failure is not None
        assert end.failure.code == "PS-402"
        assert "There is no room left" in end.failure.message
        assert "There is no room left" in said.err
        assert "Traceback" not in said.err
        assert not [path for path in blobs.rglob("*") if path.is_file() and path.stat().st_size], "no half a file"
        subprocess.run(["mount", "-o", "remount,size=16m", str(blobs)], check=True)
        again = project.call("runs", "restart", run.id)

        assert again.code == 0, again.err
        uri = step_of(project.document(run.id), "two")["outputs"]["outputFiles"]["big.bin"]
        assert uri.startswith("penstock:///")
        assert project.lines("begin one") == ["begin one 1"]
        check_settled(project, [run.id])


def test_outputs_that_find_no_room_wait_until_there_is(project: Project) -> None:
    blobs = project.folder / ".penstock" / "blobs"
    flow = project.flow("outputs", large_outputs("one", 1_500_000), project.step("two"))
    with small_disk(blobs, "1m"):
        worker = project.worker("worker")
        run_id = project.start(flow)

        eventually(lambda: "There is no room left" in worker.said, "the worker says why it does not go on")
        assert not project.of(run_id).status.ended
        subprocess.run(["mount", "-o", "remount,size=16m", str(blobs)], check=True)

        assert project.finished(run_id).status == "success"
        assert project.ends(run_id)[0].attempt == 1, "it ran once"
        check_settled(project, [run_id], worker)


def test_a_full_disk_under_the_store_stops_runs_and_room_lets_them_go_on(folder: Path) -> None:
    disk = folder / ".penstock"
    with small_disk(disk, "8m"):
        project = Project(folder)
        worker = project.worker("worker")
        flow = project.flow("chain", *(project.step(f"s{number}", gate=f"s{number}") for number in range(4)))
        run_id = project.start(flow)
        project.told("begin s0")

        filler = fill(disk)
        project.open("s0")
        project.told("end s0")
        said = project.call("run", flow)
        filler.unlink()

        assert said.code == 4
        assert "PS-40" in said.err
        assert "Traceback" not in said.err
        for number in range(1, 4):
            project.open(f"s{number}")
        assert project.finished(run_id).status == "success"
        check_settled(project, [run_id], worker)
        assert project.lines("begin s0") == ["begin s0 1"], "what had ended is reported, not done again"
        assert project.rows("PRAGMA integrity_check") == [("ok",)]
        project.close()


def large_outputs(name: str, size: int) -> str:
    """A task that hands on more than a row may hold."""
    return f"""  - id: {name}
    type: python.script
    script: |
      import json
      print("::" + json.dumps({{"outputs": {{"text": "x" * {size}}}}}) + "::")
"""


def step_of(document: dict[str, Any], task: str) -> dict[str, Any]:
    """One step of a run's document."""
    (found,) = [step for step in document["steps"] if step["task"] == task]
    return dict(found)
