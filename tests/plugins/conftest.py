"""What do tests of task types share? A folder to run tasks in, and the real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.sdk.local import LocalContext
from tests.brokers import mariadb
from tests.servers import bucket, database, postgres, s3, server_folder

__all__ = ["bucket", "database", "local", "mariadb", "postgres", "s3", "server_folder"]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalContext]:
    """A folder in which task types run in this process."""
    with LocalContext(tmp_path) as context:
        yield context
