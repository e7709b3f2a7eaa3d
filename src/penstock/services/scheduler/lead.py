"""Which server looks after time? The one that holds the lease; each of its transactions says so again, or does nothing.

The lead is a row with an end on the clock of leases and a fence that grows when it changes hands. Who leads moves the
end in the very transaction that acts, so one that stood still, or was cut off, for too long changes nothing any more.
On the same machine a lock file tells at once that a leader is dead.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.services.liveness import machine, take_lock
from penstock.services.unanswered import repeat_unknown
from penstock.store import leaders
from penstock.store.leaders import Leader
from penstock.store.port import Tx

NAME: Final = "scheduler"
LEASE: Final = 4 * SECOND
BEAT: Final = SECOND
# A change of leaders takes less: what falls into it was not missed.
RECENT: Final = 60 * SECOND


class Lead:
    """A server's claim to lead; `seek` tries, `say` holds on to it inside a transaction, `close` gives it up.

    `since` is the instant (microseconds) from which on it counts as looked at all that fell due.
    """

    def __init__(self, core: Core, server: str, name: str = NAME) -> None:
        self._core = core
        self._name = name
        self._holder = "/".join((*machine(), server))
        self._fence = 0
        self._said = 0
        self._ahead = 0
        self.since = 0
        self._lock = -1
        self._path = _lock_path(core, self._holder)
        if self._path is not None:
            self._lock = take_lock(self._path)

    @property
    def leads(self) -> bool:
        """Whether this server led when it last looked."""
        return bool(self._fence)

    def seek(self) -> bool:
        """Lead, if nobody else does; whoever leads says that it still does, once in a while."""
        if self.leads:
            if self._core.clock.steady() - self._said < BEAT:
                return True
            self._compare_clocks()
            return repeat_unknown(self._core, lambda: self._core.store.write(self.say))
        now = self._compare_clocks()
        found = self._core.store.read(lambda tx: leaders.get(tx, self._name))
        dead = found.holder if found is not None and self._is_dead(found) else ""
        if found is not None and found.until >= now and not dead and found.holder != self._holder:
            return False
        # Who was told nothing of his own COMMIT finds himself as the holder.
        mine = dead or self._holder

        def work(tx: Tx) -> int | None:
            return leaders.take(tx, self._name, self._holder, now=now, until=now + LEASE, dead=mine)

        self._fence = repeat_unknown(self._core, lambda: self._core.store.write(work)) or 0
        self._said = self._core.clock.steady()
        self.since = self._core.clock.now() - RECENT
        return self.leads

    def say(self, tx: Tx) -> bool:
        """Hold on to the lead in a transaction that acts by it; False, and for good, when it has passed on."""
        # The clock of leases is not asked in here: behind a pooler that takes a second connection while one is held.
        until = self._core.clock.steady() + self._ahead + LEASE
        if not self._fence or not leaders.keep(tx, Leader(self._name, self._holder, self._fence, until)):
            self._fence = 0
            return False
        self._said = self._core.clock.steady()
        return True

    def close(self) -> None:
        """Let another lead at once; safe to call twice."""
        if self._fence:
            mine = Leader(self._name, self._holder, self._fence, 0)
            self._fence = 0
            self._core.store.write(lambda tx: leaders.keep(tx, mine))
        if self._lock >= 0:
            if self._path is not None:
                self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def _compare_clocks(self) -> int:
        """The instant on the clock of leases, from which what follows counts by our own."""
        now = self._core.store.lease_now()
        self._ahead = now - self._core.clock.steady()
        return now

    def _is_dead(self, leader: Leader) -> bool:
        """Whether a leader is known to be dead before its lease tells: of this boot without its lock file, or of an
        earlier boot of the machine whose clock counts the leases.
        """
        here = machine()
        host, boot, _ = leader.holder.rsplit("/", 2)
        if (host, boot) != here:
            return self._core.store.kind == "sqlite" and host == here[0] and boot != here[1]
        path = _lock_path(self._core, leader.holder)
        if path is None or leader.holder == self._holder:
            return False
        if not path.exists():
            return True
        with contextlib.suppress(BlockingIOError):
            os.close(take_lock(path))
            return True
        return False


def stands(core: Core, name: str = NAME) -> bool:
    """Whether some server leads just now."""
    found = core.store.read(lambda tx: leaders.get(tx, name))
    return found is not None and found.until >= core.store.lease_now()


def _lock_path(core: Core, holder: str) -> Path | None:
    """The lock file of a server of this machine; none for a store without a folder beside it."""
    return core.state_dir / "servers" / f"{holder.rpartition('/')[2]}.lock" if core.state_dir else None
