"""How does one round of trouble go? Workers, traffic and a monkey on one database, then the checker."""

from __future__ import annotations

import random
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from penstock.app import App, open_app
from penstock.services import pools
from penstock.settings.read import find
from projects.servers import PostgresServer
from tests.acceptance.project import Project
from tests.chaos.checker import Tally, check, every_run, why_not_ended
from tests.chaos.herd import SLOTS, Herd
from tests.chaos.monkey import Monkey
from tests.chaos.owners import Owners
from tests.chaos.plans import PRESS
from tests.chaos.proxy import Proxy
from tests.chaos.servers import Servers
from tests.chaos.timed import Lags, Timed
from tests.chaos.traffic import Traffic

TEMPLATE: Final = Path(__file__).parent / "project"
TICK: Final = 0.02
LOOK: Final = 0.2
TELL_EVERY: Final = 10.0
# What still goes when the trouble is over ends within this time, or something holds it up.
REST: Final = 90.0
RUNS_A_MINUTE: Final = 1000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A round: where, for how long, by which seed, how often something happens, how long a lease is."""

    database: str
    seconds: float
    seed: int
    address: str = ""
    pause: float = 0.4
    lease: str = "PT4S"
    proxy: Proxy | None = None


class Round:
    """A project with its workers; opens with its folder, closes with everything that was started in it ended."""

    def __init__(self, wanted: Wanted, folder: Path, server: PostgresServer | None = None) -> None:
        self.wanted = wanted
        self.project = Project(folder, wanted.address)
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True)
        settings = folder / "penstock.yaml"
        settings.write_text(settings.read_text().replace("PT4S", wanted.lease))
        (folder / "tries").mkdir()
        (folder / "ledger").touch()
        self._began = time.monotonic()
        self._told_at = self._began
        chance = random.Random(wanted.seed)
        through = wanted.proxy.dsn if wanted.proxy else self.project.address
        self._app: App = open_app(find(folder), self.project.environment, store=through)
        self._herd = Herd(self.project, random.Random(chance.random()), through)
        self._servers = Servers(self.project, random.Random(chance.random()), through)
        self._timed = Timed(self._app.core, random.Random(chance.random()))
        dice = random.Random(chance.random())
        self._monkey = Monkey(self._herd, self._servers, server, dice, wanted.pause)
        self._owners = Owners(self.project, random.Random(chance.random()), through)
        self._traffic = Traffic(
            self._app.core, self.project, self._owners, random.Random(chance.random()), f"s{wanted.seed}", self._timed
        )

    def go(self) -> Tally:
        """Let runs go through the trouble, then check what is left; raises AssertionError with what is wrong."""
        pushed = self.project.call("flows", "push")
        assert pushed.code == 0, pushed.err
        pools.set_slots(self._app.core, "press", PRESS)
        self._say(f"seed {self.wanted.seed}, {self.wanted.seconds:.0f} s")
        self._timed.begin(self.wanted.seconds)
        self._herd.start()
        self._servers.start()
        until = self._began + self.wanted.seconds
        give_up = threading.Event()
        with ThreadPoolExecutor(1, "operator") as pool:
            most = int(RUNS_A_MINUTE * self.wanted.seconds / 60)
            going = pool.submit(self._traffic.go, most, until, give_up)
            try:
                self._trouble(going, until)
                self._rest(going)
            finally:
                give_up.set()
        going.result()
        owed = self._timed.rest(self._wait)
        self._owners.leave()
        self._servers.drain()
        self._herd.drain()
        tally = check(self._app.core, self.project, self._traffic.started, self._herd.asked * SLOTS, owed)
        self._summary(tally)
        return tally

    def close(self) -> None:
        """End everything."""
        self._app.close()
        self.project.close()

    def _trouble(self, going: Future[None], until: float) -> None:
        while not going.done() and time.monotonic() < until:
            self._monkey.turn()
            self._tell()
            time.sleep(TICK)
        if self.wanted.proxy is not None:
            self.wanted.proxy.calm = True
        self._monkey.calm()

    def _rest(self, going: Future[None]) -> None:
        late = time.monotonic() + REST
        while not going.done():
            self._herd.tend()
            self._servers.tend()
            self._tell()
            assert time.monotonic() < late, self._left()
            time.sleep(TICK)

    def _wait(self, so: Callable[[], bool], what: str) -> None:
        late = time.monotonic() + REST
        while not so():
            self._herd.tend()
            self._servers.tend()
            assert time.monotonic() < late, f"not {REST:g} s after the trouble: {what}\n{self._servers.said()}"
            time.sleep(LOOK)

    def _left(self) -> str:
        left = list(self._traffic.open)
        told = "\n".join(why_not_ended(self._app.core, run_id) for run_id in left[:5])
        known = self.project.rows("SELECT id, status, beat_at FROM workers")
        return (
            f"{len(left)} runs have not ended {REST:g} s after the trouble (seed {self.wanted.seed}):\n{told}\n"
            f"workers: {known}\n{self._herd.said()}"
        )

    def _tell(self) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self._told_at = time.monotonic()
            done, faults = self._traffic.ended, sum(self._monkey.faults.values())
            faults += sum(self.wanted.proxy.counts.values()) if self.wanted.proxy else 0
            self._say(f"{done} of {len(self._traffic.started)} runs ended, {faults} faults so far")

    def _summary(self, tally: Tally) -> None:
        faults = listed(self._monkey.faults + (self.wanted.proxy.counts if self.wanted.proxy else Counter()))
        verbs, statuses, outcomes = listed(self._traffic.verbs), listed(tally.statuses), listed(tally.outcomes)
        self._say(f"{tally.runs} runs ({statuses}); {faults}")
        self._say(
            f"attempts accepted {tally.accepted} ({outcomes}), refused {tally.refused}, begun anew {tally.again}; "
            f"ledger {tally.lines} lines"
        )
        self._say(
            f"operator: {verbs}; store away {self._traffic.away} times; workers turned away {self._herd.turned_away}; "
            f"`penstock run` begun {self._owners.begun} times, killed {self._owners.killed} times"
        )

        lags = Lags([run for run in every_run(self._app.core) if run.flow == "ticking"])
        self._say(
            f"servers led {self._servers.led} times; {lags.count} dates began {lags.median:.2f} s after their time "
            f"(median; {lags.most:.1f} s at most); the backfill was paused {self._timed.pauses} times"
        )

    def _say(self, text: str) -> None:
        seconds = time.monotonic() - self._began
        print(f"chaos {self.wanted.database} {seconds:5.1f} s: {text}", file=sys.stderr, flush=True)


def listed(counts: Counter[str]) -> str:
    """Counts in one line."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
