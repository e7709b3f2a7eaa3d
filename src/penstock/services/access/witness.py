"""How does the audit learn of every act? By a store that writes it down in the first transaction of the verb itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from penstock.store import audit
from penstock.store.audit import Entry
from penstock.store.port import Store, Tx
from penstock.store.wrapped import Wrapped

T = TypeVar("T")


class Witness(Wrapped):
    """The store of one verb: whatever it changes first, its act is told of in the same transaction.

    An act may be about many things, each with an entry. A transaction that answers False, or a list of nothing else,
    has changed nothing and is not told of.
    """

    def __init__(self, store: Store, *entries: Entry) -> None:
        super().__init__(store)
        self._entries = entries
        self.told = self._asked = False

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction, with the act where it is not told yet."""
        if self.told:
            return self._store.write(work)
        self._asked = True

        def witnessed(tx: Tx) -> T:
            done = work(tx)
            if _changed(done):
                audit.append(tx, *self._entries)
            return done

        # an unknown COMMIT leaves it untold: the act is said again with the verb's own repetition, and is said once
        answer = self._store.write(witnessed)
        self.told = _changed(answer)
        return answer

    def finish(self, result: object) -> None:
        """Tell of an act that has changed something elsewhere than in the store (False: that has changed nothing)."""
        if not self._asked and _changed(result):
            self._store.write(lambda tx: audit.append(tx, *self._entries))
            self.told = True


def _changed(answer: object) -> bool:
    return answer is not False and not (isinstance(answer, list) and answer and all(each is False for each in answer))
