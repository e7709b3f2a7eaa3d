"""What does each of these tests begin with? An office of its own, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.office import Office


@pytest.fixture
def office() -> Iterator[Office]:
    """An empty store with its services."""
    made = Office()
    yield made
    made.close()
