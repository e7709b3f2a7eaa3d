"""Which fixtures do the tests of runners share? A bench that really starts processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runners.attempts import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench in a folder of its own."""
    one = Bench(tmp_path)
    yield one
    one.close()
