"""Who lives in the simulation? Workers, a sweeper and an operator as coroutines over one database, under one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from penstock.clock import ManualClock
from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended, Evaluated
from penstock.model.flow import Flow
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome
from penstock.services import apply, claims, flows, render, runs, sweep
from penstock.services.core import Core
from penstock.services.plans import Plans
from penstock.store import workers
from penstock.store.port import Store
from penstock.store.queue import Claim
from penstock.store.sqlite.store import open_sqlite
from penstock.telemetry import Notice
from tests.simulation.faults import Crash, Faults, FaultyStore
from tests.simulation.flows import FlowMaker

LEASE = 10 * SECOND


class Memory:
    """Blobs in this process's memory, shared by the world."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> str:
        """Keep bytes; their key is their address."""
        self._kept[key] = data
        return key

    def get(self, uri: str) -> bytes:
        """Give bytes back."""
        return self._kept[uri]


class NoSecrets:
    """A world without secrets."""

    def get(self, namespace: str, name: str) -> str | None:
        """There is none."""


@dataclass
class Life:
    """One process: a coroutine, what it has in hand, and until when it stalls."""

    name: str
    body: Iterator[None]
    beats: bool = True
    stalled_until: int = 0
    beaten_at: int = 0
    doing: list[Claim] = field(default_factory=list)


class World:
    """One database and the processes around it; everything that happens comes from `seed`."""

    def __init__(self, seed: int, rate: float = 0.01) -> None:
        self.rng = random.Random(seed)
        self.clock = ManualClock()
        self.faults = Faults(self.rng, rate)
        self.store: Store = open_sqlite(":memory:", clock=self.clock)
        self.blobs = Memory()
        self.broken: list[str] = []
        self.sound = self._core(self.store)
        self.runs: list[str] = []
        self.operated: set[str] = set()
        self.names = 0
        self.plans = [flows.push(self.sound, made, f"seed {seed}", f"{seed}/{made.id}") for made in self._flows()]
        self.lives = [self._worker() for _ in range(3)] + [self._operator()]

    def _flows(self) -> list[Flow]:
        lower = [FlowMaker(self.rng, ()).flow("low0"), FlowMaker(self.rng, ()).flow("low1")]
        return [*lower, *(FlowMaker(self.rng, ("low0", "low1")).flow(f"top{i}") for i in range(2))]

    def _core(self, store: Store) -> Core:
        core = Core(
            store=store,
            blobs=self.blobs,
            clock=self.clock,
            plans=Plans(),
            secrets=NoSecrets(),
            entropy=lambda: self.rng.randbytes(10),
        )
        core.notices.subscribe(self._heard)
        return core

    def _heard(self, notice: Notice) -> None:
        if notice.name == "run.fault":
            self.broken.append(str(notice.fields["error"]))

    def tick(self) -> None:
        """Let one process take one step, or stall, or die; time passes."""
        self.clock.advance(self.rng.randint(1, SECOND))
        if self.faults.maybe("clock step", 0.002):
            self.clock.set_wall(self.rng.randint(-7200, 7200) * SECOND)
        now = self.clock.steady()
        able = [life for life in self.lives if life.stalled_until <= now]
        if not able:
            return
        life = self.rng.choice(able)
        if self.faults.maybe("stall", 0.01):
            life.stalled_until = now + self.rng.randint(1, 25) * SECOND
            return
        if self.faults.maybe("kill -9", 0.01):
            self._bury(life)
            return
        try:
            self._beat(life)
            next(life.body)
        except (Crash, StoreError):
            self._bury(life)  # what a process cannot settle in its loop ends it; another takes its place

    def _beat(self, life: Life) -> None:
        """The heartbeat of a process that is not stalled; one given up makes itself known anew."""
        now = self.clock.steady()
        if not life.beats or now - life.beaten_at < SECOND:
            return
        life.beaten_at = now
        if not self.store.write(lambda tx: workers.beat(tx, life.name, now)):
            life.doing.clear()
            self._register(life.name)

    def _register(self, name: str) -> None:
        now = self.clock.steady()
        worker = workers.Worker(
            id=name, host="sim", boot="", pid=1, lock_path="", beat_at=now, capacity=4, version="0", started_at=now
        )
        self.store.write(lambda tx: workers.register(tx, worker))

    def _bury(self, life: Life) -> None:
        self.lives.remove(life)
        self.lives.append(self._worker() if life.beats else self._operator())

    def _worker(self) -> Life:
        self.names += 1
        name = f"w{self.names}"
        self._register(name)
        life = Life(name, iter(()), beaten_at=self.clock.steady())
        life.body = self._work(life)
        return life

    def _operator(self) -> Life:
        return Life("operator", self._operate(), beats=False)

    def _work(self, life: Life) -> Iterator[None]:
        """A worker: claim, do, report, sweep; every yield is a place where it may stall or die."""
        core = self._core(FaultyStore(self.store, self.faults))
        while True:
            life.doing = claims_of(core, life.name, self.rng.randint(1, 4))
            yield
            while life.doing:
                held = life.doing.pop(0)
                yield from self._do(core, held)
            sweep.sweep(core)
            yield

    def _do(self, core: Core, held: Claim) -> Iterator[None]:
        if held.work is Work.EVALUATE:
            yield
            apply.report_evaluated(core, held, self._evaluated(core, held))
            yield
            return
        started = self.clock.now()
        for _ in range(self.rng.randint(0, 3)):
            yield
        outcome = self._outcome(core, held)
        failure = Failure(ErrorKind.TASK, "it fails") if outcome is Outcome.FAILED else None
        ended = Ended(
            step=held.step, attempt=held.attempt, outcome=outcome, worker=held.worker, started_at=started,
            ended_at=self.clock.now(), failure=failure,
        )  # fmt: skip
        made: dict[str, object] = {"by": held.worker, "large": "x" * (70_000 if self.rng.random() < 0.02 else 1)}
        inline = partial(self._inline, held.worker) if self.rng.random() < 0.5 else None
        apply.report(core, held, ended, made if outcome is Outcome.DONE else None, inline=inline)
        yield
        if self.faults.maybe("said twice", 0.05):
            apply.report(core, held, ended, made)

    def _evaluated(self, core: Core, held: Claim) -> Evaluated:
        return render.evaluate(core, held)

    def _outcome(self, core: Core, held: Claim) -> Outcome:
        now_held = [claim for claim in claims.still_held(core, held.worker) if claim.fence == held.fence]
        if now_held and now_held[0].killing:
            return Outcome.KILLED
        return self.rng.choices(
            [Outcome.DONE, Outcome.FAILED, Outcome.WARNING, Outcome.SKIPPED, Outcome.SNOOZED], [75, 17, 3, 2, 3]
        )[0]

    def _inline(self, worker: str, plan: object, loaded: object, ready: Ready) -> tuple[Ended, apply.Outputs] | None:
        if self.rng.random() < 0.5:
            return None
        now = self.clock.now()
        outcome = Outcome.DONE if self.rng.random() < 0.8 else Outcome.FAILED
        ended = Ended(
            step=ready.step, attempt=ready.attempt, outcome=outcome, worker=worker, started_at=now, ended_at=now
        )
        return ended, {"inline": True}

    def _operate(self) -> Iterator[None]:
        """An operator: starts runs (some twice with one key), kills and restarts a few."""
        core = self._core(FaultyStore(self.store, self.faults))
        while True:
            yield
            if not self.faults.on:
                continue  # when faults stop, so does the operator: whatever has begun is to end
            roll = self.rng.random()
            if len(self.runs) < 4 and roll < 0.3:
                self._start(core)
            elif self.runs and roll < 0.33:
                runs.kill(core, self.rng.choice(self.runs), "operator", force=self.rng.random() < 0.3)
            elif self.runs and roll < 0.38:
                self._restart(core, self.rng.choice(self.runs))

    def _start(self, core: Core) -> None:
        plan = self.rng.choice(self.plans)
        key = f"key {len(self.runs)}"
        run_id = runs.start(core, plan, runs.Start(key=key, priority=self.rng.randint(0, 2), by="operator"))
        assert runs.start(core, plan, runs.Start(key=key)) == run_id, "one key, two runs"
        if run_id not in self.runs:
            self.runs.append(run_id)

    def _restart(self, core: Core, run_id: str) -> None:
        self.operated.add(run_id)
        try:
            runs.restart(core, run_id, "operator")
        except PenstockError:
            return  # nothing to restart just now


def claims_of(core: Core, worker: str, room: int) -> list[Claim]:
    """Claim; when the answer to COMMIT was lost, look at what is held before claiming again."""
    try:
        return claims.claim(core, worker, room)
    except PenstockError:
        return claims.still_held(core, worker)
