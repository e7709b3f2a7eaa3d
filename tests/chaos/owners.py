"""What if a run belongs to a `penstock run` that is killed? A worker goes on with it; these are the commands."""

from __future__ import annotations

import math
import random
import signal
import time
from functools import partial

import msgspec

from penstock.cli.ending import Exit
from penstock.model.status import RunStatus
from penstock.services.core import Core
from penstock.store import runs
from tests.acceptance.project import Project, Running
from tests.chaos.herd import STORE_AWAY
from tests.chaos.plans import Order

# How many of them are killed, and how many seconds after their start: as long as it takes to begin and do some tasks.
DOOMED, LIVES = 0.75, (0.2, 1.5)
# Who is let be has left this long after all runs are over, at the latest.
LEAVES = 30.0


class Owner(msgspec.Struct):
    """A command that does a run, when it will be killed, and the run once it is there."""

    running: Running
    order: Order
    until: float
    run: str = ""


class Owners:
    """The commands of a round; one that ended before its run was there is begun again with the same key."""

    def __init__(self, project: Project, chance: random.Random, address: str) -> None:
        self.begun = self.killed = 0
        self._project = project
        self._chance = chance
        self._environment = {"PENSTOCK_STORE": address}
        self._owners: list[Owner] = []

    @property
    def expecting(self) -> bool:
        """Whether a run is still to come."""
        return any(not owner.run for owner in self._owners)

    def begin(self, order: Order) -> None:
        """Have a run done by a command."""
        inputs = [word for name, value in order.inputs.items() for word in ("-i", f"{name}={value}")]
        words = ("run", f"chaos.{order.flow}", "--key", order.key, "--quiet", *inputs)
        running = self._project.begin(*words, environment=self._environment)
        until = time.monotonic() + self._chance.uniform(*LIVES) if self._chance.random() < DOOMED else math.inf
        self._owners.append(Owner(running, order, until))
        self.begun += 1

    def tend(self, core: Core) -> list[Owner]:
        """Kill whose time has come, and give those whose run has come to be; a failure of its own fails the round."""
        found = []
        for owner in list(self._owners):
            if owner.running.process.poll() is None and time.monotonic() >= owner.until:
                owner.running.kill()
                self.killed += 1
            code = owner.running.process.poll()
            if not owner.run:
                owner.run = core.store.read(partial(runs.by_key, key=owner.order.key)) or ""
                if owner.run:
                    found.append(owner)
            self._judge(core, owner, code)
            if code is not None:
                self._owners.remove(owner)
                if not owner.run:
                    self.begin(owner.order)
        return found

    def _judge(self, core: Core, owner: Owner, code: int | None) -> None:
        """A command ends as its run does, unless it is killed or the store is away; the checker judges the run."""
        ended = core.store.read(lambda tx: runs.load(tx, owner.run)) if code == Exit.RUN_FAILED and owner.run else None
        # a working directory that is lost three times is given up, with whoever did it looking on
        right = code in (None, Exit.SUCCESS, STORE_AWAY, -signal.SIGKILL)
        # a working directory that is lost three times is given up, with whoever did it looking on
        assert right or (ended and ended.status is RunStatus.FAILED), (
            f"the owner of {owner.order.key} ended with code {code} and said:\n{owner.running.said}\n{ended}"
        )

    def leave(self) -> None:
        """Wait until all have ended: their runs have."""
        for owner in self._owners:
            owner.running.ended(LEAVES)
