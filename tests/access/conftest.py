"""On which databases does each test of people and rights run? SQLite in memory, and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.services.access import passwords
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from tests.servers import Postgres, postgres, server_folder
from tests.services.office import Office
from tests.store.conftest import CLEAN

__all__ = ["postgres", "server_folder"]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id still, but one that takes no tenth of a second for each password."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(1, 8))


@pytest.fixture(scope="session")
def people_database(postgres: Postgres) -> Iterator[str]:
    """One database for all tests, emptied before each: making one takes longer than most tests."""
    name = f"people_{os.getpid()}"
    address = postgres.create_database(name)
    open_postgres(address).close()
    yield address
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def offices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Office, Office]]:
    """Two processes on one empty store."""
    address = request.getfixturevalue("people_database") if request.param == "postgres" else ""
    if address:
        with psycopg.connect(address, autocommit=True) as session:
            session.execute(CLEAN)
    stores = [open_postgres(address) if address else open_sqlite(tmp_path / "penstock.db") for _ in range(2)]
    one, other = (Office(store=store) for store in stores)
    other.drawn = 1_000_000
    yield one, other
    one.close()
    other.close()


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services."""
    if request.param == "sqlite":
        made = Office()
    else:
        address = request.getfixturevalue("people_database")
        with psycopg.connect(address, autocommit=True) as session:
            session.execute(CLEAN)
        made = Office(store=open_postgres(address))
    yield made
    made.close()
