"""On which databases does each test of the store run? SQLite in memory and in a file, PostgreSQL 15 and 18, and 15
behind a pooler where there is time for it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.store.port import Store
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from tests.poolers import pooler
from tests.servers import Postgres, postgres, postgres15, server_folder

__all__ = ["pooler", "postgres", "postgres15", "server_folder"]

SHARED = ("sqlite", "postgres15", "postgres18", pytest.param("pooled", marks=pytest.mark.long))
_numbers = itertools.count(1)
_databases: dict[int, str] = {}

CLEAN = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
          AND relname <> 'schema_migrations'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
END $$
"""

Opener = Callable[[], Store]


@pytest.fixture(params=("memory", *SHARED))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    if request.param == "memory":
        opened: Store = open_sqlite(":memory:")
        yield opened
        opened.close()
        return
    for opener in _openers(request, tmp_path):
        yield opener()


@pytest.fixture(params=SHARED)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """What opens the same empty store again each time, as other processes would."""
    yield from _openers(request, tmp_path)


@pytest.fixture(params=("postgres15", "postgres18"))
def dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database, without our schema."""
    server = _server(request)
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    yield server.create_database(name)
    server.drop_database(name)


def _openers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    opened: list[Store] = []

    def keep(one: Store) -> Store:
        opened.append(one)
        return one

    if request.param == "sqlite":
        yield lambda: keep(open_sqlite(tmp_path / "penstock.db"))
        _close(opened)
        return
    direct = _database(_server(request))
    address = request.getfixturevalue("pooler").before(direct) if request.param == "pooled" else direct
    with psycopg.connect(direct, autocommit=True) as session:
        session.execute(CLEAN)
    yield lambda: keep(open_postgres(address))
    _close(opened)


def _database(server: Postgres) -> str:
    """One database for all tests of a server, emptied before each: making one takes longer than most tests."""
    if id(server) not in _databases:
        address = server.create_database(f"store_{os.getpid()}")
        open_postgres(address).close()
        _databases[id(server)] = address
    return _databases[id(server)]


def _server(request: pytest.FixtureRequest) -> Postgres:
    server: Postgres = request.getfixturevalue("postgres" if request.param == "postgres18" else "postgres15")
    return server


def _close(opened: list[Store]) -> None:
    for one in opened:
        one.close()
