"""Who may go on behind a limit? Decided in a transaction of its own that locks limits and no run."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.event import Admitted, Refused
from penstock.model.policy import WhenFull
from penstock.services.core import Core
from penstock.store import inbox, limits
from penstock.store.port import Tx

AT_ONCE = 100


def admit(core: Core, names: Iterable[str]) -> set[str]:
    """Let in whoever waits and finds room, refuse who does not want to wait; gives the runs to fold.

    Slots used are counted, never stored: runs let in and not ended. Said twice, a run is let in once.
    """
    wanted = sorted(names)
    now = core.clock.now()

    def work(tx: Tx) -> set[str]:
        limits.lock_limits(tx, wanted)
        told: set[str] = set()
        for name in wanted:
            told |= _admit_one(tx, name, now)
        return told

    return core.store.write(work)


def _admit_one(tx: Tx, name: str, now: int) -> set[str]:
    told: set[str] = set()
    used = limits.live(tx, name)
    for waiting in limits.waiting(tx, name, AT_ONCE):
        if used < waiting.limit.count:
            limits.admit(tx, name, waiting.run)
            inbox.put(tx, waiting.run, Admitted(name), now)
            used += 1
        elif waiting.limit.when_full is not WhenFull.QUEUE:
            limits.unblock(tx, waiting.run)
            inbox.put(tx, waiting.run, Refused(name, waiting.limit.when_full), now)
        else:
            continue
        told.add(waiting.run)
    return told
