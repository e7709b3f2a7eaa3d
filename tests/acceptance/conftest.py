"""Which fixtures do these tests share? A project on each database, emptied processes and all when a test is over."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.project import Project
from tests.servers import database, database15, podman, postgres, postgres15, server_folder

__all__ = ["database", "database15", "podman", "postgres", "postgres15", "server_folder"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: sockets stand in it."""
    with tempfile.TemporaryDirectory(prefix="penstock-acc-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(params=["sqlite", "postgres"])
def project(request: pytest.FixtureRequest, folder: Path) -> Iterator[Project]:
    """A project on SQLite, and one on PostgreSQL 18."""
    yield from _opened(folder, request.getfixturevalue("database") if request.param == "postgres" else "")


@pytest.fixture
def light(folder: Path) -> Iterator[Project]:
    """A project on SQLite."""
    yield from _opened(folder, "")


@pytest.fixture
def served(folder: Path, database: str) -> Iterator[Project]:
    """A project on PostgreSQL 18."""
    yield from _opened(folder, database)


@pytest.fixture(params=["postgres15", "postgres18"])
def on_server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Project]:
    """A project on PostgreSQL 15, and one on 18."""
    wanted = "database15" if request.param == "postgres15" else "database"
    yield from _opened(folder, request.getfixturevalue(wanted))


def _opened(folder: Path, address: str) -> Iterator[Project]:
    made = Project(folder, address)
    yield made
    made.close()
