"""How long does the store take? The store itself, with somebody who hears of each transaction's kind and seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from penstock.store.port import Store, Tx
from penstock.store.wrapped import Wrapped

T = TypeVar("T")
Heard = Callable[[str, float], None]


class Measured(Wrapped):
    """A store whose transactions are timed, those that fail included."""

    def __init__(self, store: Store, heard: Heard) -> None:
        super().__init__(store)
        self._heard = heard

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction."""
        return self._timed("write", super().write, work)

    def aside(self, work: Callable[[Tx], T]) -> T:
        """The same for what nothing is decided by."""
        return self._timed("aside", super().aside, work)

    def read(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on one consistent view."""
        return self._timed("read", super().read, work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks a single question."""
        return self._timed("glance", super().glance, work)

    def _timed(self, kind: str, way: Callable[[Callable[[Tx], T]], T], work: Callable[[Tx], T]) -> T:
        began = time.perf_counter()
        try:
            return way(work)
        finally:
            self._heard(kind, time.perf_counter() - began)
