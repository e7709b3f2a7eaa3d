"""Which fixtures do the tests of the worker share? A workshop in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop."""
    one = Workshop(tmp_path)
    yield one
    one.close()
