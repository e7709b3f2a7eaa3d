"""On which server do the sessions meet? The tests' PostgreSQL, one database for each file of pairs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.interleaving.stage import Stage
from tests.servers import Postgres, postgres, server_folder

__all__ = ["postgres", "server_folder"]


@pytest.fixture(scope="module")
def theatre(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A database with our schema, for the pairs of one file."""
    name = f"meet_{os.getpid()}_{request.module.__name__.rpartition('.')[2]}"
    stage = Stage(postgres.create_database(name))
    yield stage
    stage.close()
    postgres.drop_database(name)


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The same, empty."""
    theatre.clear()
    return theatre
