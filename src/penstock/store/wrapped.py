"""What is a store in another one's place? All of it is the other's own, but for what a wrapper does beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from penstock.store.port import Listener, LogStore, Store, Tx

T = TypeVar("T")


class Wrapped:
    """A store that hands everything on to the one that it stands for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.kind = store.kind
        self.logs: LogStore = store.logs

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction."""
        return self._store.write(work)

    def aside(self, work: Callable[[Tx], T]) -> T:
        """The same for what nothing is decided by."""
        return self._store.aside(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on one consistent view."""
        return self._store.read(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks a single question."""
        return self._store.glance(work)

    def lease_now(self) -> int:
        """Microseconds on the clock that leases are counted by."""
        return self._store.lease_now()

    def wake(self) -> None:
        """Wake workers that sleep."""
        self._store.wake()

    def listener(self) -> Listener:
        """Open something to sleep on until somebody wakes."""
        return self._store.listener()

    def forget_feed(self, before: int) -> None:
        """Remove rows of the feed that are older than an instant."""
        self._store.forget_feed(before)

    def compact(self) -> None:
        """Give room that is not used any more back to the disk."""
        self._store.compact()

    def backup(self, path: Path) -> list[Path]:
        """Copy the store into a file while it is in use."""
        return self._store.backup(path)

    def tend(self) -> None:
        """Do what the database wants done about once an hour."""
        self._store.tend()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()
