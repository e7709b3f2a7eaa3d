"""Which fixtures do the tests of the reference projects share? Real servers, and an empty warehouse on each."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.servers import S3Server
from projects.warehouse.generate import Recipe, upload, write_days
from projects.warehouse.schema import apply_schema
from tests.projects.days import open_bucket
from tests.servers import bucket, database, database15, podman, postgres, postgres15, s3, server_folder

__all__ = ["bucket", "database", "database15", "podman", "postgres", "postgres15", "s3", "server_folder"]

RECIPE = Recipe(events=800, bad_every=20)


@pytest.fixture
def warehouse(database: str) -> str:
    """The address of a warehouse that holds nothing yet."""
    apply_schema(database)
    return database


@pytest.fixture(params=["database", "database15"], ids=["postgres18", "postgres15"])
def either_warehouse(request: pytest.FixtureRequest) -> str:
    """An empty warehouse on each version of PostgreSQL that is supported."""
    dsn: str = request.getfixturevalue(request.param)
    apply_schema(dsn)
    return dsn


@dataclasses.dataclass(frozen=True)
class Exports:
    """Generated exports, in a folder and, where `send` put them, on S3."""

    folder: Path
    s3: S3Server
    bucket: str

    def make(self, *days: datetime.date) -> None:
        """Write days into the folder."""
        write_days(RECIPE, days, self.folder)

    def send(self, *days: datetime.date) -> None:
        """Write days and put them on S3."""
        upload(open_bucket(self.s3, self.bucket), self.folder, write_days(RECIPE, days, self.folder))


@pytest.fixture
def exports(s3: S3Server, bucket: str, tmp_path: Path) -> Iterator[Exports]:
    """Generated exports; S3 is up again afterwards, whatever the test did to it."""
    yield Exports(tmp_path / "exports", s3, bucket)
    s3.start()
