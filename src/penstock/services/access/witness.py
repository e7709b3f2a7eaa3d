"""How does the audit learn of every act? By a store that writes it down in the first transaction of the verb itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from penstock.store import audit
from penstock.store.audit import Entry
from penstock.store.port import Listener, LogStore, Store, Tx

T = TypeVar("T")


class Witness:
    """The store of one verb: whatever it changes first, its act is told of in the same transaction.

    A transaction that answers False, or a list of nothing else, has changed nothing and is not told of. All the rest is
    the store's own.
    """

    def __init__(self, store: Store, entry: Entry) -> None:
        self._store = store
        self._entry = entry
        self.told = self._asked = False
        self.kind = store.kind
        self.logs: LogStore = store.logs
        self.read = store.read
        self.glance = store.glance
        self.aside = store.aside

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction, with the act where it is not told yet."""
        if self.told:
            return self._store.write(work)
        self._asked = True

        def witnessed(tx: Tx) -> T:
            done = work(tx)
            if _changed(done):
                audit.append(tx, self._entry)
            return done

        # an unknown COMMIT leaves it untold: the act is said again with the verb's own repetition, and is said once
        answer = self._store.write(witnessed)
        self.told = _changed(answer)
        return answer

    def finish(self, result: object) -> None:
        """Tell of an act that has changed something elsewhere than in the store (False: that has changed nothing)."""
        if not self._asked and _changed(result):
            self._store.write(lambda tx: audit.append(tx, self._entry))
            self.told = True

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


def _changed(answer: object) -> bool:
    return answer is not False and not (isinstance(answer, list) and answer and all(each is False for each in answer))
