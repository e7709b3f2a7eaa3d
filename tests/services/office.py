"""How does a test use the real services? An office: SQLite in memory, a clock held by hand, and workers by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from penstock.clock import ManualClock
from penstock.errors.store import CommitUnknown
from penstock.model.effect import Work
from penstock.model.event import Ended, Evaluated
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import Attempt, ErrorKind, Failure, Run, Step
from penstock.model.status import Outcome
from penstock.services import apply, claims, flows, reading, render, runs, sweep
from penstock.services.core import Core, Knobs
from penstock.services.plans import Plans
from penstock.store import attempts, events, outputs, steps, workers
from penstock.store import runs as table
from penstock.store.port import Store
from penstock.store.queue import Claim
from penstock.store.sqlite.store import open_sqlite
from tests.engine import outline
from tests.simulation.world import Memory
from tests.verified import check_verified

Does = Mapping[str, object]


class Words:
    """Secrets by name."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text."""
        return self._words.get(name)


class Office:
    """A store with its services; opens on an empty database, closes it."""

    def __init__(
        self,
        knobs: Knobs | None = None,
        around: Callable[[Store], Store] = lambda store: store,
        store: Store | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.store: Store = store or open_sqlite(":memory:", clock=self.clock)
        self.blobs = Memory()
        self.drawn = 0
        self.core = Core(
            store=around(self.store),
            blobs=self.blobs,
            clock=self.clock,
            plans=Plans(),
            secrets=Words({}),
            knobs=knobs or Knobs(),
            entropy=self._entropy,
        )

    def _entropy(self) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(10, "big")

    def close(self) -> None:
        """See that every run is what its events make it, and close the database."""
        try:
            check_verified(dataclasses.replace(self.core, store=self.store, plans=Plans()))
        finally:
            self.store.close()

    def push(self, written: object, flow_id: str = "story") -> Plan:
        """Store a flow written as an outline."""
        made = replace(outline.flow(written), id=flow_id)
        return flows.push(self.core, made, repr(written), repr(written))

    def start(self, plan: Plan, **asked: Any) -> str:
        """Start a run."""
        return runs.start(self.core, plan, runs.Start(**asked))

    def run(self, run_id: str) -> Run:
        """A run as it was committed last."""
        found = self.store.read(lambda tx: table.load(tx, run_id))
        assert found is not None
        return found

    def plan_of(self, run_id: str) -> Plan:
        """The plan that a run goes by."""
        return reading.plan_of(self.core, self.run(run_id))

    def steps(self, run_id: str) -> dict[str, Step]:
        """A run's steps by key."""
        return {step.key: step for step in self.store.read(lambda tx: steps.every(tx, run_id))}

    def statuses(self, run_id: str) -> dict[str, str]:
        """The status of each step."""
        return {key: str(step.status) for key, step in self.steps(run_id).items()}

    def attempts(self, run_id: str) -> list[Attempt]:
        """The attempts that history keeps."""
        return self.store.read(lambda tx: list(attempts.every(tx, run_id)))

    def story(self, run_id: str) -> list[events.Told]:
        """All that was said of a run."""
        return self.store.read(lambda tx: events.every(tx, run_id))

    def outputs(self, run_id: str, step: str) -> dict[str, object] | None:
        """A step's newest outputs, from the row or the blob."""
        found = self.store.read(lambda tx: outputs.load(tx, run_id, [step]))
        return reading.unstow(self.core, found[step]) if step in found else None

    def children(self, run_id: str) -> list[Run]:
        """The runs that steps of a run started."""
        return self.store.read(lambda tx: table.children(tx, run_id))

    def worker(self, name: str = "w") -> str:
        """Register a worker that has just beaten."""
        now = self.store.lease_now()
        known = workers.Worker(
            id=name, host="here", boot="", pid=1, lock_path="", beat_at=now, capacity=9, version="0", started_at=now
        )
        self.store.write(lambda tx: workers.register(tx, known))
        return name

    def claim(self, worker: str = "w", room: int = 1) -> list[Claim]:
        """Claim what is ready."""
        if worker not in {known.id for known in self.store.read(workers.list_workers)}:
            self.worker(worker)
        return claims.claim(self.core, worker, room)

    def end(self, held: Claim, does: object = Outcome.DONE) -> bool:
        """Report what came of a claim: an outcome, or outputs of one that is done."""
        made = does if isinstance(does, dict) else {}
        outcome = does if isinstance(does, Outcome) else Outcome.DONE
        failure = Failure(ErrorKind.TASK, "it fails") if outcome is Outcome.FAILED else None
        ended = Ended(
            step=held.step, attempt=held.attempt, outcome=outcome, worker=held.worker, started_at=self.clock.now(),
            ended_at=self.clock.now(), failure=failure,
        )  # fmt: skip
        return apply.report(self.core, held, ended, made if outcome is Outcome.DONE else None)

    def work(self, does: Does | None = None, most: int = 1000) -> list[str]:
        """Let a worker do all there is; `does` tells what becomes of a step, by key. Gives the keys in their order."""
        done: list[str] = []
        while len(done) < most:
            found = self.claim()
            if not found:
                break
            (held,) = found
            done.append(held.step)
            if held.work is Work.EVALUATE:
                apply.report_evaluated(self.core, held, self.evaluated(held))
                continue
            wanted = (does or {}).get(held.step, Outcome.DONE)
            self.end(held, wanted.pop(0) if isinstance(wanted, list) else wanted)
        return done

    def evaluated(self, held: Claim) -> Evaluated:
        """Evaluate as a worker does."""
        return render.evaluate(self.core, held)

    def beat(self, worker: str) -> bool:
        """Let a worker say that it lives."""
        return self.store.write(lambda tx: workers.beat(tx, worker, self.store.lease_now()))

    def sweep(self) -> None:
        """Look at what fell due, was lost, or was left lying."""
        sweep.sweep(self.core)

    def wait(self, seconds: float) -> None:
        """Let time pass while every worker beats, and sweep."""
        self.clock.advance(round(seconds * SECOND))
        for known in self.store.read(workers.list_workers):
            self.beat(known.id)
        sweep.sweep(self.core)


class LosesAnswers:
    """A store whose connection breaks at COMMIT as often as told: the answer is lost, done or not."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self.to_lose: list[bool] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def write(self, work: Callable[..., object]) -> object:
        """Commit; `to_lose` says for the next writes whether they took effect before the answer was lost."""
        if not self.to_lose:
            return self._real.write(work)
        if self.to_lose.pop(0):
            self._real.write(work)
        raise CommitUnknown("The connection was lost at COMMIT.")
