"""Is every run of a store what its events make it? The one question each test that ends a run asks at its close."""

from __future__ import annotations

from penstock.services.core import Core
from penstock.services.verify import verify_all


def check_verified(core: Core) -> None:
    """Fold every run again from nothing, and fail with each difference to what is stored."""
    wrong = [f"{one.run}: {sentence}" for one in verify_all(core) for sentence in one.differences]
    assert not wrong, "\n".join(["A run is not what its events make it:", *wrong])
