"""Does the warehouse's flow leave in containers what it leaves as processes, with not a word of it changed?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projects.acceptance.project import WAREHOUSE, Project
from tests.projects.conftest import Exports
from tests.projects.days import FIRST, day, rows, wrong
from tools.podman import Podman


@pytest.fixture
def project(
    warehouse: str, exports: Exports, tmp_path: Path, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """The project beside a container engine, on which nothing of it is left."""
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{podman.socket}")
    made = Project.copy(tmp_path / "project", warehouse, exports.s3, exports.bucket)
    yield made
    assert made.call("runs", "verify", "--all").code == 0
    assert podman.ask("ps", "--all", "--quiet") == ""


def contain(project: Project) -> None:
    """Let a project's scripts run in containers, as its README says."""
    with (project.folder / "penstock.yaml").open("a") as settings:
        settings.write((WAREHOUSE / "containers.yaml").read_text())


def created(podman: Podman) -> list[str]:
    """The image of each container that there ever was."""
    said = ["--stream=false", "--filter", "event=create", "--format", "{{.Image}}"]
    return podman.ask("events", *said).split()


def test_in_containers_it_leaves_the_same_tables(
    project: Project, podman: Podman, warehouse: str, exports: Exports
) -> None:
    exports.send(FIRST, day(1))
    before = len(created(podman))
    native = project.run(FIRST)

    contain(project)
    again, next_day = project.run(FIRST), project.run(day(1))

    assert [run.status for run in (native, again, next_day)] == ["success"] * 3, again.said + next_day.said
    assert created(podman)[before:] == ["docker.io/library/python:3.12-slim"] * 2
    assert again.document["outputs"] == native.document["outputs"]
    assert again.step("extract")["outputs"]["vars"] == native.step("extract")["outputs"]["vars"]
    assert wrong(warehouse, exports.folder, [FIRST, day(1)]) == []
    staged = "SELECT DISTINCT run_id FROM dq.etl_run WHERE step = 'extract' ORDER BY run_id"
    assert rows(warehouse, staged) == [(run,) for run in sorted((native.id, again.id, next_day.id))]
