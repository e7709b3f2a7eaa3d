"""When does a worker look after what nobody else does? Each second, when something falls due, and hourly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from penstock.model.policy import SECOND
from penstock.services import sweep
from penstock.services.worker import home
from penstock.services.worker.elsewhere import Leftovers
from penstock.services.worker.reactor import Timer
from penstock.services.worker.shop import Shop
from penstock.store import timers

SWEEP: Final = SECOND
TEND: Final = 3600 * SECOND


class Upkeep:
    """The rounds of one worker; opens with `start`. `patience` bears a store that is away, `look` looks for work."""

    def __init__(
        self, shop: Shop, patience: Callable[[], AbstractContextManager[None]], look: Callable[[], None]
    ) -> None:
        self._shop = shop
        self._patience = patience
        self._look = look
        self._leftovers = Leftovers(shop)
        self._next: Timer | None = None
        self._next_at = 0
        shop.core.alarm.subscribe(lambda at: shop.reactor.soon(lambda: self._sooner(at)))

    def start(self) -> None:
        """Make the first rounds."""
        self._sweep()
        self._shop.reactor.after(TEND, self._tend)

    def woken(self) -> None:
        """Another process has done something: it may have set a timer."""
        with self._patience():
            due = self._shop.core.store.read(timers.next_at)
            if due is not None:
                self._sooner(due)

    def _sooner(self, at: int) -> None:
        if self._next is not None and at < self._next_at:
            self._plan(max(0, at - self._shop.core.clock.now()))

    def _sweep(self) -> None:
        """Look after what falls due for anybody, and come back when the next thing does."""
        core = self._shop.core
        wait = SWEEP
        with self._patience():
            due = sweep.sweep(core)
            if due is not None:
                wait = max(0, min(wait, due - core.clock.now()))
            home.sweep(self._shop)
            self._leftovers.look()
            self._look()
        self._shop.launcher.stop_idle(core.clock.steady())
        self._plan(wait)

    def _plan(self, wait: int) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next_at = self._shop.core.clock.now() + wait
        self._next = self._shop.reactor.after(wait, self._sweep)

    def _tend(self) -> None:
        """Let the database do its own housekeeping now and then, and remove packages that nobody needs."""
        with self._patience():
            self._shop.core.store.tend()
        self._shop.environments.threads.submit(self._shop.environments.prune)
        self._shop.reactor.after(TEND, self._tend)
