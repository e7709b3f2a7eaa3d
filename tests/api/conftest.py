"""On which databases is the API tried? A file of SQLite for all of it, PostgreSQL too where their words differ."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.store.postgres.store import open_postgres
from tests.api.house import House
from tests.servers import postgres, server_folder
from tests.store.conftest import CLEAN

__all__ = ["postgres", "server_folder"]

_made: list[str] = []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house on SQLite."""
    made = House(tmp_path, str(tmp_path / "penstock.db"))
    yield made
    made.close()


@pytest.fixture(params=("sqlite", "postgres"))
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A house on each database."""
    if request.param == "postgres":
        made = House(tmp_path, _postgres(request))
    else:
        made = House(tmp_path, str(tmp_path / "penstock.db"))
    yield made
    made.close()


def _postgres(request: pytest.FixtureRequest) -> str:
    """One database for all tests here, emptied before each."""
    if not _made:
        _made.append(request.getfixturevalue("postgres").create_database(f"api_{os.getpid()}"))
        open_postgres(_made[0]).close()
    with psycopg.connect(_made[0], autocommit=True) as session:
        session.execute(CLEAN)
    return _made[0]
