"""Which workers are there to be killed? A few real ones; who dies is followed by another, of its name or a new one."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

from penstock.store import workers
from tests.acceptance.observe import eventually, processes_of
from tests.acceptance.project import Project, Running

SIZE = 3
# A worker that finds no server when it starts says so and leaves.
STORE_AWAY = 4
# Attempts that a worker has at once (penstock.yaml).
SLOTS = 5
# Seconds in which one that begins may not yet hear that it should stop, and in which one that hears has done so.
DEAF, LEAVES = 15.0, 45.0


class Herd:
    """The workers of a round, each at its place; opens with `start`, closes with `drain`."""

    def __init__(self, project: Project, chance: random.Random, address: str) -> None:
        self._project = project
        self._chance = chance
        self._environment = {"PENSTOCK_STORE": address}
        self._alive: dict[int, Running] = {}
        self._names: dict[int, str] = {}
        self._due: dict[int, float] = {}
        self._begun_at: dict[int, float] = {}
        self._leaving: dict[int, float] = {}
        self._born = 0
        self.turned_away = self.asked = 0

    def start(self) -> None:
        """Let every place have its worker."""
        for place in range(SIZE):
            self._begin(place)

    @property
    def pids(self) -> list[int]:
        """The workers that live."""
        return [running.process.pid for running in self._alive.values()]

    def kill(self) -> bool:
        """End one of them as a power cut would; another takes its place soon. False when none lives."""
        if not self._alive:
            return False
        place = self._chance.choice(list(self._alive))
        self._leaving.pop(place, None)
        self._alive.pop(place).kill()
        self._due[place] = time.monotonic() + self._chance.choice((0.0, 0.1, 0.5))
        return True

    def ask_to_leave(self) -> bool:
        """Ask one of them to stop in order; another takes its place when it has. False when none can be asked."""
        found = [place for place in self._alive if place not in self._leaving]
        if not found:
            return False
        place = self._chance.choice(found)
        self._leaving[place] = time.monotonic()
        self.asked += 1
        self._alive[place].send(signal.SIGTERM)
        return True

    def tend(self) -> None:
        """Start whose time has come; a worker that ended by itself is a failure of the round, and one that stays."""
        for place, running in list(self._alive.items()):
            code = running.process.poll()
            asked = self._leaving.get(place)
            if code is None:
                late = asked is not None and time.monotonic() > asked + LEAVES
                assert not late, f"asked to stop {LEAVES:g} s ago, a worker is there still and said:\n{running.said}"
                continue
            ours = (0, STORE_AWAY) if asked is not None else (STORE_AWAY,)
            deaf = asked is not None and asked < self._begun_at[place] + DEAF and code == -signal.SIGTERM
            well = (code in ours or deaf) and "Traceback" not in running.said
            assert well, f"a worker ended by itself with code {code} and said:\n{running.said}"
            self.turned_away += code == STORE_AWAY
            self._leaving.pop(place, None)
            del self._alive[place]
            self._due[place] = time.monotonic() + 0.2
        for place, at in list(self._due.items()):
            if time.monotonic() >= at:
                del self._due[place]
                self._begin(place)

    def whole(self) -> None:
        """Wait until every place has its worker, and each is known: from then on it hears when asked to stop."""
        eventually(self._is_whole, "every worker that was killed has a successor", 60)

    def drain(self, seconds: float = 30.0) -> None:
        """Ask all to stop in order, and wait until they have."""
        for running in self._alive.values():
            running.send(signal.SIGTERM)
        for running in self._alive.values():
            code = running.ended(seconds)
            assert code == 0, f"a worker that was asked to stop ended with code {code} and said:\n{running.said}"

    def said(self) -> str:
        """The last words of each worker that lives, for a failure's message."""
        return "\n".join(f"--- worker {place}\n{one.said[-1500:]}" for place, one in sorted(self._alive.items()))

    def zygotes(self) -> list[int]:
        """The processes that fork attempts."""
        return self._families()[0]

    def children(self) -> list[int]:
        """The processes of attempts; what those start in turn is their own concern: a shell takes its end for a
        failure.
        """
        return self._families()[1]

    def _families(self) -> tuple[list[int], list[int]]:
        # A child that runs Python has its zygote's command line: whose parent it is tells them apart.
        parents = {one.pid: parent_of(one.pid) for one in processes_of(self._project.folder)}
        alike = [one.pid for one in processes_of(self._project.folder) if one.is_zygote]
        zygotes = [pid for pid in alike if parents.get(pid) not in alike]
        return zygotes, [pid for pid, parent in parents.items() if parent in zygotes]

    def _is_whole(self) -> bool:
        self.tend()
        known = {one.id for one in self._project.store.read(workers.list_workers)}
        return not self._due and not self._leaving and known.issuperset(self._names[place] for place in self._alive)

    def _begin(self, place: int) -> None:
        self._born += 1
        name = f"w{place}" if self._chance.random() < 0.5 else f"w{place}-{self._born}"
        self._names[place] = name
        self._begun_at[place] = time.monotonic()
        self._alive[place] = self._project.begin("worker", "--name", name, environment=self._environment)


def parent_of(pid: int) -> int:
    """The parent of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process, unless it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
