"""Who starts the runs, and kills, pauses, restarts some, or all of a kind? An operator who asks until it is done."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from typing import Final

from penstock.errors.run import NothingToPause, NothingToRestart, NotResumable
from penstock.errors.store import StoreError
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import flows, operate
from penstock.services import runs as verbs
from penstock.services.core import Core
from penstock.services.starting import Start
from penstock.store import runs
from tests.acceptance.project import Project
from tests.chaos.owners import Owners
from tests.chaos.plans import BULK, REASON, Order, order
from tests.chaos.timed import Timed

AT_ONCE: Final = 24
# Seconds after its start that a run is killed or paused, and for how long it then is paused.
WAITS: Final = {"pause": (0.0, 0.4), "resume": (0.0, 0.0)}
PAUSED: Final = 0.3
# Seconds between two verbs of one kind that are meant for many runs: meanwhile some gather.
BULK_EVERY: Final = 3.0
BULK_VERBS: Final = {
    "bulk kill": ("kill", "--flow", "chaos.endless"),
    "bulk restart": ("restart", "--flow", "chaos.gated", "--status", "failed"),
}
LOOK: Final = 0.05
BY: Final = "chaos"


class Traffic:
    """The runs of a round, started by an operator in its own thread; every verb that finds no store is said again."""

    def __init__(
        self, core: Core, project: Project, owners: Owners, chance: random.Random, name: str, timed: Timed
    ) -> None:
        self.started: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.verbs: Counter[str] = Counter()
        self.ended = 0
        self.away = 0
        self._core = core
        self._project = project
        self._owners = owners
        self._chance = chance
        self._name = name
        self._timed = timed
        self._next: Order | None = None
        self._numbered = 0
        self._due: dict[str, float] = {}
        self._done: set[str] = set()
        self._bulk: dict[str, float] = {}

    def go(self, most: int, until: float, give_up: threading.Event) -> None:
        """Start runs until there are `most` or it is late, and go on until all have ended or it is given up."""
        while not give_up.wait(LOOK):
            try:
                for owner in self._owners.tend(self._core):
                    self._keep(owner.run, owner.order)
                for run_id in list(self.open):
                    self._look_at(run_id)
                self._tell_many()
                self._timed.tend()
                while len(self.open) < AT_ONCE and self._numbered < most and time.monotonic() < until:
                    self._start()
            except StoreError:
                self.away += 1
            over = not self.open and not self._owners.expecting
            if over and (self._numbered >= most or time.monotonic() >= until):
                return

    def _start(self) -> None:
        if self._next is None:
            self._next = order(self._chance, f"{self._name}-{self._numbered}")
        wanted = self._next
        if wanted.owned:
            self._owners.begin(wanted)
        else:
            plan = flows.newest_plan(self._core, "chaos", wanted.flow)
            asked = Start(inputs=wanted.inputs, labels=wanted.labels, key=wanted.key, by=BY)
            self._keep(verbs.start(self._core, plan, asked), wanted)
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
            case "bulk kill":
                self._bulk.setdefault(wanted.verb, time.monotonic() + BULK_EVERY)
            case "pause" if not run.held_by:
                with contextlib.suppress(NothingToPause):
                    operate.pause(self._core, run.id, BY)
                self._due[run.id] = time.monotonic() + PAUSED
            case "pause" | "resume" if run.held_by or run.status is RunStatus.PAUSED:
                with contextlib.suppress(NotResumable):
                    inputs = {"reason": REASON} if wanted.verb == "resume" else None
                    operate.resume(self._core, run.id, BY, inputs=inputs)
                    self._did(run.id, wanted)
            case _:
                pass

    def _is_over(self, run: Run, wanted: Order) -> bool:
        """Do what is wanted of an ended run; true when nothing is to be expected of it any more."""
        if run.id in self._done:
            return True
        match wanted.verb:
            case "bulk restart" if run.status is RunStatus.FAILED:
                self._project.open(wanted.key)
                self._bulk.setdefault(wanted.verb, time.monotonic() + BULK_EVERY)
                return False
            case "restart" if run.status is RunStatus.FAILED:
                self._project.open(wanted.key)
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
            case _ if run.status is RunStatus.RETRIED:
                again = Order(flow=wanted.flow, key=f"{wanted.key}-{run.number + 1}", inputs=wanted.inputs)
                self._keep(run.successor, again)
                return True
            case _:
                return True

    def _tell_many(self) -> None:
        """Do what is wanted of many, once some have gathered; as people do it, by a command."""
        for verb, due in list(self._bulk.items()):
            if time.monotonic() >= due:
                name, *words = BULK_VERBS[verb]
                said = self._project.call("runs", name, *words, "--label", f"{BULK}={name}", "--yes", "--no-wait")
                # One that cannot be restarted yet is told again, with those that have come besides.
                self.verbs[verb if said.code == 0 else f"{verb} (not yet)"] += 1
                del self._bulk[verb]

    def _did(self, run_id: str, wanted: Order) -> None:
        self._done.add(run_id)
        self.verbs[wanted.verb] += 1
