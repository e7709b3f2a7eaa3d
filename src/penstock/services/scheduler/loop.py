"""What does a server do about time? A thread that seeks the lead and, while it has it, fires what is due."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Final

from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.policy import SECOND
from penstock.services import sweep
from penstock.services.core import Core
from penstock.services.flows import sync_unknown
from penstock.services.scheduler import alerting, backfilling, polling, ticks, upstream
from penstock.services.scheduler.lead import BEAT, Lead
from penstock.store import triggers
from penstock.telemetry import Level

SWEEP: Final = 2 * SECOND
COMPLAIN: Final = 10 * SECOND
# Nobody rings when a run ends, so whoever waits for one looks.
OFTEN: Final = SECOND // 5
Duty = Callable[[Core, Lead], bool]
DUTIES: Final[tuple[Duty, ...]] = (ticks.fire, upstream.fire, polling.fire, backfilling.fire, alerting.fire)
WAITING: Final = (upstream.watches, polling.at_work, backfilling.at_work)


class Scheduler:
    """Looks after time; opens with `start`, closes with `close`, both safe to call twice; `led` tells that it leads."""

    def __init__(self, core: Core, server: str) -> None:
        self.started = threading.Event()
        self.led = threading.Event()
        self._core = core
        self._lead = Lead(core, server)
        self._stopping = False
        self._bell = threading.Event()
        self._swept = self._complain_at = 0
        self._thread = threading.Thread(target=self._run, name="penstock-scheduler", daemon=True)

    def start(self) -> None:
        """Begin to seek the lead."""
        if not self.started.is_set():
            self.started.set()
            self._thread.start()

    def nudge(self) -> None:
        """Look now: something may be due sooner than was known. For any thread."""
        self._bell.set()

    def close(self) -> None:
        """Stop, and let another lead at once."""
        if self._stopping:
            return
        self._stopping = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._lead.close()
        except PenstockError as error:
            self._say("scheduler.store_away", Level.WARNING, why=str(error))

    def turn(self) -> int:
        """Do what is due, and tell for how long (microseconds) there is nothing to do."""
        led = self.led.is_set()
        if not self._lead.seek():
            if led:
                self.led.clear()
                self._say("scheduler.lost", Level.WARNING)
            return BEAT
        if not led:
            sync_unknown(self._core)
            self.led.set()
            self._say("scheduler.leads")
        busy = True
        while busy and not self._stopping:
            moved = [self._done(duty) for duty in DUTIES]
            busy = any(moved)
        clock = self._core.clock
        if clock.steady() - self._swept >= SWEEP:
            self._swept = clock.steady()
            sweep.sweep(self._core)
        now = clock.now()
        coming = self._core.store.read(lambda tx: triggers.next_at(tx, now))
        wait = OFTEN if any(waits(self._core) for waits in WAITING) else BEAT
        return wait if coming is None else max(0, min(wait, coming - clock.now()))

    def _run(self) -> None:
        while not self._stopping:
            try:
                wait = self.turn()
            except PenstockError as error:
                # The store is away: nothing is lost, all of it is looked at again.
                self._complain(error)
                wait = BEAT
            if self._bell.wait(wait / 1e6):
                self._bell.clear()

    def _complain(self, error: PenstockError) -> None:
        """Tell now and then, as long as it goes on, that the store does not do what it is asked."""
        clock = self._core.clock
        if clock.steady() >= self._complain_at:
            self._complain_at = clock.steady() + COMPLAIN
            self._say("scheduler.failed", Level.WARNING, why=str(error))

    def _done(self, duty: Duty) -> bool:
        """Do one duty, and tell whether there is more of it; a fault of ours in one must not stop the others."""
        try:
            return duty(self._core, self._lead)
        except StoreError:
            raise
        except Exception as fault:
            where = traceback.format_exc(limit=-3)
            self._say("scheduler.fault", Level.ERROR, duty=duty.__module__, why=repr(fault), where=where)
            return False

    def _say(self, name: str, level: Level = Level.INFO, **fields: object) -> None:
        self._core.notices.say(name, self._core.clock.now(), level, **fields)
