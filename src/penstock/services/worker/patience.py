"""What does a worker do while the store is away? It waits, and says so now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from penstock.errors import PenstockError
from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.telemetry import Level

COMPLAIN: Final = 10 * SECOND
STORE_CODES: Final = "PS-4"


class Patience:
    """One worker's patience with its store."""

    def __init__(self, core: Core, worker: str) -> None:
        self._core = core
        self._worker = worker
        self._complain_at = 0

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """The store may be away for a while: what was to be done is done at the next sweep."""
        try:
            yield
        except PenstockError as error:
            if not error.code.startswith(STORE_CODES):
                raise
            self.away(error)

    def away(self, error: PenstockError) -> None:
        """Tell that the store does not do what it is asked, now and then as long as it does not."""
        clock = self._core.clock
        if clock.steady() >= self._complain_at:
            self._complain_at = clock.steady() + COMPLAIN
            said = {"worker": self._worker, "error": str(error)}
            self._core.notices.say("worker.store_away", clock.now(), Level.WARNING, **said)
