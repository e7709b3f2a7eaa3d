"""Which servers are there to be killed? Two `penstock serve`, of which one leads; who dies is followed by another."""

from __future__ import annotations

import random
import signal
import time

from tests.acceptance.project import Project, Running
from tests.chaos.herd import STORE_AWAY

SIZE = 2


class Servers:
    """The servers of a round, which look after time; opens with `start`, closes with `drain`."""

    def __init__(self, project: Project, chance: random.Random, address: str) -> None:
        self._project = project
        self._chance = chance
        self._environment = {"PENSTOCK_STORE": address}
        self._alive: dict[int, Running] = {}
        self._due: dict[int, float] = {}
        self._born = 0
        self.led = 0

    def start(self) -> None:
        """Let every place have its server."""
        for place in range(SIZE):
            self._begin(place)

    @property
    def pids(self) -> list[int]:
        """The servers that live."""
        return [running.process.pid for running in self._alive.values()]

    def kill(self) -> bool:
        """End one of them as a power cut would; another takes its place soon. False when none lives."""
        if not self._alive:
            return False
        place = self._chance.choice(list(self._alive))
        self._gone(place).kill()
        self._due[place] = time.monotonic() + self._chance.choice((0.0, 0.5, 2.0))
        return True

    def tend(self) -> None:
        """Start whose time has come; a server that ended by itself, though its store was there, fails the round."""
        for place, running in list(self._alive.items()):
            code = running.process.poll()
            if code is not None:
                well = code == STORE_AWAY and "Traceback" not in running.said
                assert well, f"a server ended by itself with code {code} and said:\n{running.said}"
                self._gone(place)
                self._due[place] = time.monotonic() + 0.2
        for place, at in list(self._due.items()):
            if time.monotonic() >= at:
                del self._due[place]
                self._begin(place)

    def drain(self, seconds: float = 30.0) -> None:
        """Ask all to stop in order, and wait until they have."""
        for running in self._alive.values():
            running.send(signal.SIGTERM)
        for place, running in list(self._alive.items()):
            code = running.ended(seconds)
            # Who is asked before it has said a word has opened nothing yet.
            early = code == -signal.SIGTERM and not running.said
            assert code == 0 or early, f"a server asked to stop ended with code {code} and said:\n{running.said}"
            self._gone(place)

    def said(self) -> str:
        """The last words of each server that lives, for a failure's message."""
        return "\n".join(f"--- server {place}\n{one.said[-1500:]}" for place, one in sorted(self._alive.items()))

    def _gone(self, place: int) -> Running:
        running = self._alive.pop(place)
        said = running.said
        self.led += said.count("scheduler.leads")
        assert "scheduler.fault" not in said, f"a server has a fault of ours and said:\n{said}"
        return running

    def _begin(self, place: int) -> None:
        self._born += 1
        name = f"s{place}-{self._born}"
        self._alive[place] = self._project.begin("serve", "--port", "0", "--name", name, environment=self._environment)
