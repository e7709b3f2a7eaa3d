"""Who starts the runs, and kills, pauses, restarts some? An operator who asks until it is done."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final

from penstock.errors.run import NothingToPause, NothingToRestart, NotResumable
from penstock.errors.store import StoreError
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import flows, operate
from penstock.services import runs as verbs
from penstock.services.core import Core
from penstock.services.runs import Start
from penstock.store import runs
from tests.chaos.plans import Order, order

AT_ONCE: Final = 24
# Seconds after its start that a run is killed or paused, and for how long it then is paused.
WAITS: Final = {"pause": (0.0, 0.4), "resume": (0.0, 0.0)}
PAUSED: Final = 0.3
LOOK: Final = 0.05
BY: Final = "chaos"


class Traffic:
    """The runs of a round, started by an operator in its own thread; every verb that finds no store is said again."""

    def __init__(self, core: Core, folder: Path, chance: random.Random, name: str) -> None:
        self.started: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.verbs: Counter[str] = Counter()
        self.ended = 0
        self.away = 0
        self._core = core
        self._folder = folder
        self._chance = chance
        self._name = name
        self._next: Order | None = None
        self._numbered = 0
        self._due: dict[str, float] = {}
        self._done: set[str] = set()

    def go(self, most: int, until: float, give_up: threading.Event) -> None:
        """Start runs until there are `most` or it is late, and go on until all have ended or it is given up."""
        while not give_up.wait(LOOK):
            try:
                for run_id in list(self.open):
                    self._look_at(run_id)
                while len(self.open) < AT_ONCE and self._numbered < most and time.monotonic() < until:
                    self._start()
            except StoreError:
                self.away += 1
            if not self.open and (self._numbered >= most or time.monotonic() >= until):
                return

    def _start(self) -> None:
        if self._next is None:
            self._next = order(self._chance, f"{self._name}-{self._numbered}")
        wanted = self._next
        plan = flows.newest_plan(self._core, "chaos", wanted.flow)
        run_id = verbs.start(self._core, plan, Start(inputs=wanted.inputs, key=wanted.key, by=BY))
        self._keep(run_id, wanted)
        self._next = None
        self._numbered += 1

    def _keep(self, run_id: str, wanted: Order) -> None:
        self.started[run_id] = self.open[run_id] = wanted
        self._due[run_id] = time.monotonic() + self._chance.uniform(*WAITS.get(wanted.verb, (0.2, 3.0)))

    def _look_at(self, run_id: str) -> None:
        wanted = self.open[run_id]
        run = self._core.store.read(lambda tx: runs.load(tx, run_id))
        assert run is not None, f"run {run_id} was started and is not there"
        if not run.status.ended:
            self._meddle(run, wanted)
        elif self._is_over(run, wanted):
            del self.open[run_id]
            self.ended += 1

    def _meddle(self, run: Run, wanted: Order) -> None:
        """Do what is wanted of a run that goes, once it is time to; what is paused is let go on."""
        if run.id in self._done or time.monotonic() < self._due[run.id]:
            return
        match wanted.verb:
            case "kill" | "kill by force":
                verbs.kill(self._core, run.id, BY, force=wanted.verb == "kill by force")
                self._did(run.id, wanted)
            case "pause" if not run.held_by:
                with contextlib.suppress(NothingToPause):
                    operate.pause(self._core, run.id, BY)
                self._due[run.id] = time.monotonic() + PAUSED
            case "pause" | "resume" if run.held_by or run.status is RunStatus.PAUSED:
                with contextlib.suppress(NotResumable):
                    operate.resume(self._core, run.id, BY)
                    self._did(run.id, wanted)
            case _:
                pass

    def _is_over(self, run: Run, wanted: Order) -> bool:
        """Do what is wanted of an ended run; true when nothing is to be expected of it any more."""
        if run.id in self._done:
            return True
        match wanted.verb:
            case "restart" if run.status is RunStatus.FAILED:
                (self._folder / "gates" / wanted.key).touch()
                try:
                    verbs.restart(self._core, run.id, BY)
                except NothingToRestart:
                    return False  # something still runs beside its end
                self._did(run.id, wanted)
                return False
            case "replay" | "replay from":
                step = "second" if wanted.verb == "replay from" else ""
                again = Order(flow=wanted.flow, key=f"{wanted.key}-again", inputs=wanted.inputs)
                new = verbs.replay(self._core, run.id, BY, from_step=step, asked=Start(key=again.key))
                self._did(run.id, wanted)
                self._keep(new, again)
                return True
            case _:
                return True

    def _did(self, run_id: str, wanted: Order) -> None:
        self._done.add(run_id)
        self.verbs[wanted.verb] += 1
