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
from penstock.model.event import Ended, Evaluated, Part, Reported
from penstock.model.flow import Flow
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run, Step
from penstock.model.status import Outcome, StepStatus
from penstock.services import apply, claims, flows, operate, render, reports, runs, sweep
from penstock.services.core import Core
from penstock.services.plans import Plans
from penstock.store import runs as run_rows
from penstock.store import steps as step_rows
from penstock.store import workers
from penstock.store.port import Store
from penstock.store.queue import Claim
from penstock.store.sqlite.store import open_sqlite
from penstock.telemetry import Notice
from tests.simulation.faults import Crash, Faults, FaultyStore
from tests.simulation.flows import FlowMaker

FARTHEST = 7200 * SECOND


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
    folders: set[tuple[str, str]] = field(default_factory=set)


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
        self.replays: set[str] = set()
        self.names = 0
        self.plans = [flows.push(self.sound, made, f"seed {seed}", f"{seed}/{made.id}") for made in self._flows()]
        self.plan_of = {plan.flow.id: plan for plan in self.plans}
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

    def _tell_of_a_part(self, core: Core, held: Claim, number: int) -> None:
        status = self.rng.choice([StepStatus.RUNNING, StepStatus.SUCCESS, StepStatus.FAILED])
        part = Part(self.rng.choice(["one", "two/x[1]"]), status, started_at=self.clock.now())
        reports.parts(core, held, Reported(held.step, held.attempt, number, (part,), held.fence))

    def _outcome(self, core: Core, held: Claim, life: Life) -> Outcome:
        now_held = [claim for claim in claims.still_held(core, held.worker) if claim.fence == held.fence]
        if now_held and now_held[0].killing:
            return Outcome.KILLED
        plan = self.plan_of[self._run(core, held.run).flow]
        if held.work is Work.OPEN:
            life.folders.add((held.run, held.step))
            return Outcome.DONE if self.rng.random() < 0.95 else Outcome.FAILED
        folder = held.step if held.work is Work.CLOSE else plan.folder_of(held.step)
        if folder and (held.run, folder) not in life.folders:
            return Outcome.LOST  # the folder was another worker's, which is dead
        if held.work is Work.CLOSE:
            life.folders.discard((held.run, folder))
            return Outcome.DONE
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
        """An operator: starts runs (some twice with one key), and says to them whatever can be said, fitting or not.

        When faults stop he only lets go on what he has paused: whatever has begun is to end.
        """
        core = self._core(FaultyStore(self.store, self.faults))
        while True:
            yield
            known = self.every_run()
            if not self.faults.on:
                self._let_go(core, known)
            elif len(self.runs) < 4 and self.rng.random() < 0.3:
                self._start(core)
            elif known and self.rng.random() < 0.15:
                self._say(core, self.rng.choice(known))

    def _let_go(self, core: Core, known: list[Run]) -> None:
        for run in known:
            paused = [step for step in self._steps(run) if step.status is StepStatus.PAUSED]
            if run.held_by:
                self._try(core, "resume", run.id)
            elif paused and not run.status.ended:
                self._try(core, "resume", run.id, paused[0].key)

    def _say(self, core: Core, run: Run) -> None:
        verbs = [
            "kill",
            "restart",
            "restart",
            "replay",
            "pause",
            "resume",
            "resume",
            "mark",
            "mark",
            "mark run",
            "parts",
        ]
        verb = self.rng.choice(verbs)
        plan = self.plan_of[run.flow]
        keys = sorted({*plan.seats, *(step.key for step in self._steps(run))})
        self._try(core, verb, run.id, self.rng.choice(keys) if keys else "")

    def _try(self, core: Core, verb: str, run: str, step: str = "") -> None:
        rng, by = self.rng, "operator"
        try:
            match verb:
                case "kill":
                    runs.kill(core, run, by, force=rng.random() < 0.3)
                case "restart":
                    runs.restart(core, run, by)
                case "replay" if len(self.replays) < 3:
                    self.replays.add(runs.replay(core, run, by, from_step=step if rng.random() < 0.7 else ""))
                case "pause":
                    operate.pause(core, run, by)
                case "resume":
                    operate.resume(core, run, by, step=step if rng.random() < 0.5 else "")
                case "mark":
                    operate.mark(core, run, by, rng.choice(operate.MARKS), step=step)
                case "mark run":
                    operate.mark(core, run, by, rng.choice(operate.MARKS))
                case "parts":
                    parts = [row.key for row in self._steps_of(run) if "#" in row.key]
                    if parts:
                        operate.restart_parts(core, run, by, parts[:1])
        except StoreError:
            raise
        except PenstockError:
            return  # it does not fit just now

    def every_run(self) -> list[Run]:
        """All runs, children too."""
        return self.store.read(lambda tx: run_rows.list_runs(tx, run_rows.Filter(), limit=1000))

    def _steps(self, run: Run) -> list[Step]:
        return self._steps_of(run.id)

    def _steps_of(self, run: str) -> list[Step]:
        return self.store.read(lambda tx: step_rows.every(tx, run))

    def _start(self, core: Core) -> None:
        plan = self.rng.choice(self.plans)
        key = f"key {len(self.runs)}"
        run_id = runs.start(core, plan, runs.Start(key=key, priority=self.rng.randint(0, 2), by="operator"))
        assert runs.start(core, plan, runs.Start(key=key)) == run_id, "one key, two runs"
        if run_id not in self.runs:
            self.runs.append(run_id)


def claims_of(core: Core, worker: str, room: int) -> list[Claim]:
    """Claim; when the answer to COMMIT was lost, look at what is held before claiming again."""
    try:
        return claims.claim(core, worker, room)
    except PenstockError:
        return claims.still_held(core, worker)
