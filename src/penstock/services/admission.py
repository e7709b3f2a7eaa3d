"""Who may go on behind limits? Decided in transactions of their own that lock limits and no run.

A waiter is let in when all that it wants has room, at once: nobody holds one slot while waiting for another.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from penstock.model import ids
from penstock.model.event import Admitted, Refused
from penstock.model.policy import WhenFull
from penstock.services.core import Core
from penstock.store import inbox, limits, pools
from penstock.store.limits import Waiting
from penstock.store.port import Tx

AT_ONCE = 200
WINDOW = 32


class Round(msgspec.Struct):
    """What one transaction came to: the runs to fold, limits known to be full, others to be locked next time, and
    whether there may be more to do.
    """

    full: set[str]
    told: set[str] = set()
    missing: set[str] = set()
    more: bool = False


class Books:
    """How much room each limit has, read once in a transaction and kept up to date with whom it lets in."""

    def __init__(self, tx: Tx, lease_now: int) -> None:
        self._tx = tx
        self._now = lease_now
        self._used: dict[str, dict[str, int]] = {}
        self._starts: dict[str, list[tuple[int, int]]] = {}

    def used(self, name: str) -> dict[str, int]:
        """Slots in use by lane."""
        if name not in self._used:
            self._used[name] = limits.used(self._tx, name)
        return self._used[name]

    def size(self, want: Waiting) -> int | None:
        """How many a limit lets in; None for a pool that nobody has given a size."""
        if want.limit.count:
            return want.limit.count
        return pools.slots(self._tx, want.name.removeprefix(ids.POOL))

    def has_room(self, want: Waiting) -> bool:
        """Whether one more may be in, or start."""
        size = self.size(want)
        return size is not None and self._taken(want) + want.limit.weight <= size

    def take(self, want: Waiting) -> None:
        """Count somebody who was just let in."""
        if want.limit.window is not None:
            self._window(want).append((self._now, want.limit.weight))
        else:
            lanes = self.used(want.name)
            lanes[want.lane] = lanes.get(want.lane, 0) + want.limit.weight

    def frees_at(self, want: Waiting) -> int | None:
        """When a rate has room for this one again; nothing for what is no rate."""
        if want.limit.window is None:
            return None
        over = self._taken(want) + want.limit.weight - want.limit.count
        for at, weight in self._window(want):
            over -= weight
            if over <= 0:
                return at + want.limit.window
        return None

    def _taken(self, want: Waiting) -> int:
        if want.limit.window is not None:
            return sum(weight for _, weight in self._window(want))
        return sum(self.used(want.name).values())

    def _window(self, want: Waiting) -> list[tuple[int, int]]:
        if want.name not in self._starts:
            self._starts[want.name] = limits.started(self._tx, want.name, want.limit.window or 0, self._now)
        return self._starts[want.name]


def admit(core: Core, names: Iterable[str]) -> set[str]:
    """Let in whoever waits and finds room, refuse who does not want to wait; gives the runs to fold.

    Slots used are counted, never stored: runs and attempts let in and not over. Said twice, one is let in once.
    """
    wanted = set(names)
    locked, full, told = set(wanted), set[str](), set[str]()
    while True:
        now, lease_now = core.clock.now(), core.store.lease_now()
        done = core.store.write(partial(_round, wanted, locked, set(full), now, lease_now))
        told |= done.told
        if not done.missing and not done.more:
            return told
        # What was full stays so for this call: whoever frees it asks again.
        full, locked = done.full, wanted | done.missing


def _round(wanted: set[str], locked: set[str], full: set[str], now: int, lease_now: int, tx: Tx) -> Round:
    limits.lock_limits(tx, locked)
    done, books = Round(full), Books(tx, lease_now)
    for name in sorted(wanted - full):
        if _is_full(tx, name, locked, books, done, (now, lease_now)):
            # Whoever does not want to wait, and was not let in, hears so at once.
            for one in limits.impatient(tx, name):
                _refuse(tx, one, one.limit.when_full, done, now)
    return done


def _is_full(tx: Tx, name: str, locked: set[str], books: Books, done: Round, at: tuple[int, int]) -> bool:
    """Let in by turns until the limit is full, or nobody is left who could be let in; whether it is full."""
    now, lease_now = at
    window: list[Waiting] = []
    for _ in range(AT_ONCE):
        if not window:
            window = limits.waiting(tx, name, WINDOW, sorted(done.full - {name}))
        if not window:
            break
        pick = _next(window, books.used(name))
        window.remove(pick)
        wants = limits.wants_of(tx, pick.run, pick.step, pick.attempt)
        short = [want for want in wants if not books.has_room(want)]
        hopeless = next((want for want in short if _can_never(books, want)), None)
        if hopeless is not None:
            _refuse(tx, hopeless, WhenFull.FAIL, done, now)
        elif any(want.name == name for want in short):
            done.full.add(name)
            limits.free_at(tx, name, books.frees_at(pick))
            return True
        elif short:
            done.full.update(want.name for want in short)
            window = []
        elif unlocked := {want.name for want in wants} - locked:
            done.missing |= unlocked
            break
        elif limits.admit(tx, pick, wants, now, lease_now):
            for want in wants:
                books.take(want)
            inbox.put(tx, pick.run, Admitted(", ".join(want.name for want in wants), pick.step, pick.attempt), now)
            done.told.add(pick.run)
    else:
        done.more = True
    limits.free_at(tx, name, None)
    return False


def _next(window: list[Waiting], used: dict[str, int]) -> Waiting:
    """Of those that matter most: the lane that uses least, then who stands first."""
    most = window[0].priority
    return min((one for one in window if one.priority == most), key=lambda one: used.get(one.lane, 0))


def _can_never(books: Books, want: Waiting) -> bool:
    """Whether it is heavier than the limit is large; a pool without slots is one that is shut for a while."""
    size = books.size(want)
    return bool(size) and want.limit.weight > (size or 0)


def _refuse(tx: Tx, want: Waiting, when_full: WhenFull, done: Round, now: int) -> None:
    if not limits.unblock(tx, want.run, want.step, want.attempt):
        return
    why = ""
    if when_full is WhenFull.FAIL and want.limit.when_full is WhenFull.QUEUE:
        what = "pool" if want.name.startswith(ids.POOL) else "limit"
        why = f"It wants {want.limit.weight} slots of the {what} {want.name.removeprefix(ids.POOL)}, which has fewer."
    inbox.put(tx, want.run, Refused(want.name, when_full, want.step, want.attempt, why), now)
    done.told.add(want.run)
