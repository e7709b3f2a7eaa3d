"""Who lives in the simulation? Workers, a sweeper and an operator as coroutines over one database, under one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from penstock.clock import ManualClock
from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model import ids
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended, Evaluated, Exit, Order, Part, Reported, SetVariables, UnsetVariables
from penstock.model.flow import Flow
from penstock.model.node import Task
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.status import Outcome, StepStatus
from penstock.services import apply, cached, claims, flows, pools, render, reports, sweep
from penstock.services.core import Core
from penstock.services.plans import Plans
from penstock.services.reading import plan_of
from penstock.store import runs as run_rows
from penstock.store import workers
from penstock.store.port import Store
from penstock.store.queue import Claim
from penstock.store.sqlite.store import open_sqlite
from penstock.telemetry import Notice
from tests.simulation.faults import Crash, Faults, FaultyStore
from tests.simulation.flows import POOL, QUEUES, FlowMaker
from tests.simulation.operator import Operator

FARTHEST = 7200 * SECOND
CALLEES = ("low0", "low1")
ENDS = (StepStatus.SUCCESS, StepStatus.WARNING, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.KILLED)


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

    def size(self, uri: str) -> int:
        """Count bytes."""
        return len(self._kept[uri])


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
    folders: set[tuple[str, str]] = field(default_factory=set)


class World:
    """One database and the processes around it; everything that happens comes from `seed`.

    Of the last tick `unhurt` says that no fault met whoever did something in it, `wrote` that he wrote.
    """

    def __init__(self, seed: int, rate: float = 0.01) -> None:
        self.rng = random.Random(seed)
        self.clock = ManualClock()
        self.faults = Faults(self.rng, rate)
        self.store: Store = open_sqlite(":memory:", clock=self.clock)
        self.blobs = Memory()
        self.broken: list[str] = []
        self.used = 0
        self.unhurt = self.wrote = False
        self.sound = self._core(self.store)
        self.names = 0
        self.plans = [
            flows.push(self.sound, made, f"seed {seed}", f"{seed}/{place}") for place, made in enumerate(self._flows())
        ]
        self.operator = Operator(self.rng, self.sound, self.plans)
        pools.set_slots(self.sound, POOL, 2)
        self.lives = [self._worker() for _ in range(3)] + [self._operator()]

    def print(self) -> str:
        """What tells one world from another: all that its runs have gone through, and what faults met it."""
        went = [(run.id, [(change.status, change.at) for change in run.history]) for run in self.operator.every_run()]
        return repr((went, sorted(self.faults.met.items()), sorted(self.operator.said.items())))

    def _flows(self) -> list[Flow]:
        """Two flows that others call, two that call them, and a second revision of one: its code alone is another."""
        lower = [FlowMaker(self.rng, ()).flow("low0"), FlowMaker(self.rng, ()).flow("low1")]
        top, again = FlowMaker(self.rng, CALLEES).flow("top0"), self.rng.randrange(1 << 32)
        both = (FlowMaker(random.Random(again), CALLEES, version).flow("top1") for version in "12")
        return [*lower, top, *both]

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
        self.unhurt = self.wrote = False
        self.clock.advance(self.rng.randint(1, SECOND))
        if self.faults.maybe("clock step", 0.002):
            self.clock.set_wall(self.rng.randint(-FARTHEST, FARTHEST))
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
        hurt, writes, self.faults.woken = self.faults.hurt, self.faults.writes, False
        try:
            self._beat(life)
            next(life.body)
            self.unhurt = self.faults.hurt == hurt
        except (Crash, StoreError):
            self._bury(life)  # what a process cannot settle in its loop ends it; another takes its place
        self.wrote = self.faults.writes > writes

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
                yield from self._do(core, held, life)
            sweep.sweep(core)
            yield

    def _do(self, core: Core, held: Claim, life: Life) -> Iterator[None]:
        if held.work is Work.EVALUATE:
            yield
            apply.report_evaluated(core, held, self._evaluated(core, held))
            yield
            return
        started = self.clock.now()
        for number in range(self.rng.randint(0, 3)):
            yield
            if held.work is Work.TASK and self.rng.random() < 0.1:
                self._tell_of_a_part(core, held, number)
        outcome = self._outcome(core, held, life)
        failure = self._failure() if outcome is Outcome.FAILED else None
        ended = Ended(
            step=held.step, attempt=held.attempt, outcome=outcome, worker=held.worker, started_at=started,
            ended_at=self.clock.now(), failure=failure, orders=orders(held),
        )  # fmt: skip
        made: dict[str, object] = {"by": held.worker, "large": "x" * (70_000 if self.rng.random() < 0.02 else 1)}
        if outcome is Outcome.DONE and held.work is Work.TASK:
            made = self._cached(core, held) or made
        inline = partial(self._inline, held.worker) if self.rng.random() < 0.5 else None
        apply.report(core, held, ended, made if outcome is Outcome.DONE else None, inline=inline)
        yield
        if self.faults.maybe("said twice", 0.05):
            apply.report(core, held, ended, made)

    def _failure(self) -> Failure:
        return self.rng.choice(
            [Failure(ErrorKind.TASK, "it fails"), Failure(ErrorKind.EXIT, "it fails", self.rng.choice([1, 3]))]
        )

    def _cached(self, core: Core, held: Claim) -> dict[str, object] | None:
        """The result of a task that has a cache: an earlier one, or its own, which it keeps; None without a cache."""
        node = plan_of(core, self._run(core, held.run)).node(ids.node_of(held.step))
        if not isinstance(node, Task) or node.cache is None:
            return None
        try:
            prepared = render.prepare(core, held)
        except PenstockError:
            return None
        cache, now = prepared.node.cache, self.clock.now()
        assert cache is not None
        found = cached.find(core, prepared.cached_as)
        if found is None:
            made: dict[str, object] = {"version": cache.version, "key": prepared.loaded.run.inputs["k"]}
            cached.keep(core, prepared.cached_as, held, cache.ttl, outputs=made)
            return made
        self.used += 1
        fits = not cache.key or found.outputs["key"] == prepared.loaded.run.inputs["k"]
        if found.outputs["version"] != cache.version or not fits:
            self.broken.append(f"{held.step} of version {cache.version} was given {found.outputs}")
        if cache.ttl is not None and now >= found.made_at + cache.ttl:
            self.broken.append(f"{held.step} was given what was made {(now - found.made_at) / SECOND:g} s ago")
        return found.outputs

    def _evaluated(self, core: Core, held: Claim) -> Evaluated:
        return render.evaluate(core, held)

    def _tell_of_a_part(self, core: Core, held: Claim, number: int) -> None:
        status = self.rng.choice([StepStatus.RUNNING, StepStatus.SUCCESS, StepStatus.FAILED])
        part = Part(self.rng.choice(["one", "two/x[1]"]), status, started_at=self.clock.now())
        reports.parts(core, held, Reported(held.step, held.attempt, number, (part,), held.fence))

    def _outcome(self, core: Core, held: Claim, life: Life) -> Outcome:
        now_held = [claim for claim in claims.still_held(core, held.worker) if claim.fence == held.fence]
        if now_held and now_held[0].killing:
            return Outcome.KILLED
        plan = plan_of(core, self._run(core, held.run))
        if held.work is Work.OPEN:
            life.folders.add((held.run, held.step))
            return Outcome.DONE if self.rng.random() < 0.95 else Outcome.FAILED
        folder = held.step if held.work is Work.CLOSE else plan.folder_of(held.step)
        if folder and (held.run, folder) not in life.folders:
            return Outcome.LOST  # the folder was another worker's, which is dead
        if held.work is Work.CLOSE:
            life.folders.discard((held.run, folder))
            return Outcome.DONE
        node = plan.node(ids.node_of(held.step))
        if isinstance(node, Task) and node.sensor is not None and self.rng.random() < 0.5:
            return Outcome.SNOOZED
        return self.rng.choices(
            [Outcome.DONE, Outcome.FAILED, Outcome.WARNING, Outcome.SKIPPED, Outcome.SNOOZED], [75, 17, 3, 2, 3]
        )[0]

    def _run(self, core: Core, run_id: str) -> Run:
        found = core.store.read(lambda tx: run_rows.load(tx, run_id))
        assert found is not None
        return found

    def _inline(self, worker: str, plan: Plan, loaded: object, ready: Ready) -> tuple[Ended, apply.Outputs] | None:
        if self.rng.random() < 0.5 or plan.folder_of(ready.step):
            return None
        now = self.clock.now()
        outcome = Outcome.DONE if self.rng.random() < 0.8 else Outcome.FAILED
        ended = Ended(
            step=ready.step, attempt=ready.attempt, outcome=outcome, worker=worker, started_at=now, ended_at=now
        )
        return ended, {"inline": True}

    def _operate(self) -> Iterator[None]:
        """An operator says to runs whatever can be said; once faults have stopped he only lets go on what he paused."""
        core = self._core(FaultyStore(self.store, self.faults))
        while True:
            yield
            if self.faults.on:
                self.operator.act(core, [life.name for life in self.lives if life.beats])
            else:
                self.operator.let_go(core)


def orders(held: Claim) -> tuple[Order, ...]:
    """What an attempt wants of its run, now and then: other variables, or that it ends."""
    rng = random.Random(f"{held.run} {held.step} {held.attempt}")
    roll = rng.random()
    if held.work is not Work.TASK or roll > 0.08:
        return ()
    if roll < 0.02:
        return (Exit(rng.choice(ENDS)),)
    if roll < 0.06:
        return (SetVariables({"n": held.attempt, rng.choice("ab"): {"c": [held.step]}}, overwrite=rng.random() < 0.7),)
    return (UnsetVariables((rng.choice(["n", "a.c", "far.away"]),), ignore_missing=rng.random() < 0.5),)


def claims_of(core: Core, worker: str, room: int) -> list[Claim]:
    """Claim; when the answer to COMMIT was lost, look at what is held before claiming again."""
    try:
        return claims.claim(core, worker, room, queues=QUEUES)
    except PenstockError:
        return claims.still_held(core, worker)
