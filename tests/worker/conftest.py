"""Which fixtures do the tests of the worker share? A workshop in a folder of its own, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.store.postgres.store import open_postgres
from tests.servers import database, postgres, server_folder
from tests.worker.workshop import Workshop

__all__ = ["database", "postgres", "server_folder"]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop."""
    one = Workshop(tmp_path)
    yield one
    one.close()


@pytest.fixture
def workshop_on_postgres(tmp_path: Path, database: str) -> Iterator[Workshop]:
    """A workshop whose store is a server."""
    one = Workshop(tmp_path, store=open_postgres(database))
    yield one
    one.close()
