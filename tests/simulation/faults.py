"""How does a database fail? Before, inside and after a transaction, and with the answer to COMMIT lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from penstock.errors.store import CommitUnknown
from penstock.store.port import Listener, LogStore, Row, Store, Tx

T = TypeVar("T")


class Crash(Exception):
    """The process died here."""


class FaultyTx:
    """A transaction in which any statement may be the process's last."""

    def __init__(self, tx: Tx, faults: Faults) -> None:
        self._tx = tx
        self._faults = faults

    @property
    def kind(self) -> str:
        return self._tx.kind

    def one(self, query: str, **params: object) -> Row | None:
        self._faults.maybe_crash(query)
        return self._tx.one(query, **params)

    def all(self, query: str, **params: object) -> list[Row]:
        self._faults.maybe_crash(query)
        return self._tx.all(query, **params)

    def run(self, query: str, **params: object) -> int:
        self._faults.maybe_crash(query)
        return self._tx.run(query, **params)

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        self._faults.maybe_crash(query)
        self._tx.many(query, rows)

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        self._faults.maybe_crash(query)
        return self._tx.soon(query, **params)

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        return self._tx.afterwards(query, **params)

    def wake(self) -> None:
        self._faults.woken = True


class Faults:
    """The dice: one generator for the whole world, so that a seed replays exactly.

    `hurt` counts what has happened in all, `woken` is set by whoever wakes those who sleep, `writes` counts
    transactions, those that were rolled back too.
    """

    def __init__(self, rng: random.Random, rate: float) -> None:
        self.rng = rng
        self.rate = rate
        self.on = True
        self.hurt = 0
        self.woken = False
        self.writes = 0
        self.met: dict[str, int] = {}

    def maybe_crash(self, where: str) -> None:
        """Die here, once in a while."""
        if self.on and self.rng.random() < self.rate:
            self.hurt += 1
            self.met["crash"] = self.met.get("crash", 0) + 1
            raise Crash(where)

    def maybe(self, what: str, chance: float) -> bool:
        """Does this fault happen now?"""
        happens = self.on and self.rng.random() < chance
        if happens:
            self.hurt += 1
            self.met[what] = self.met.get(what, 0) + 1
        return happens


class FaultyStore:
    """A store as one process sees it; the database beneath is shared and sound."""

    def __init__(self, real: Store, faults: Faults) -> None:
        self._real = real
        self._faults = faults

    @property
    def kind(self) -> str:
        return self._real.kind

    @property
    def logs(self) -> LogStore:
        return self._real.logs

    def write(self, work: Callable[[Tx], T]) -> T:
        """Commit, or die before, inside or after it; or lose the answer to COMMIT, whether it took effect or not."""
        faults = self._faults
        faults.writes += 1
        faults.maybe_crash("before begin")
        if faults.maybe("commit unknown, not done", faults.rate / 2):
            raise CommitUnknown("The connection was lost at COMMIT.")
        result = self._real.write(lambda tx: work(FaultyTx(tx, faults)))
        if faults.maybe("commit unknown, done", faults.rate / 2):
            raise CommitUnknown("The connection was lost at COMMIT.")
        if faults.maybe("dead after commit", faults.rate * 3):
            raise Crash("after commit")
        return result

    def aside(self, work: Callable[[Tx], T]) -> T:
        return self.write(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        self._faults.maybe_crash("read")
        return self._real.read(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        return self.read(work)

    def lease_now(self) -> int:
        return self._real.lease_now()

    def wake(self) -> None:
        """Wakes may be lost; here they always are, so that nothing may depend on one. That it was called is noted."""
        self._faults.woken = True

    def listener(self) -> Listener:
        return self._real.listener()

    def close(self) -> None:
        self._real.close()

    def forget_feed(self, before: int) -> None:
        self._real.forget_feed(before)

    def compact(self) -> None:
        self._real.compact()

    def tend(self) -> None:
        self._real.tend()

    def backup(self, path: Path) -> list[Path]:
        return self._real.backup(path)
