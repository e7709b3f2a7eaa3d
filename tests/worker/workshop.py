"""How does a test have a flow done by a real worker? A workshop: a store, a worker, and what became of runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from penstock.clock import SystemClock
from penstock.model.flow import Flow
from penstock.model.node import Node, Sequence, Task
from penstock.model.policy import SECOND
from penstock.model.run import Attempt, Run
from penstock.model.status import StepStatus
from penstock.services import runs as verbs
from penstock.services.core import Core, Knobs
from penstock.services.plans import Plans
from penstock.services.project_folder import ProjectFolder
from penstock.services.stored import Stored
from penstock.services.worker.loop import Options, Worker
from penstock.services.worker.shop import Surroundings
from penstock.store import attempts, flows, metrics, outputs, runs, steps
from penstock.store.blobs.local import open_folder
from penstock.store.chunks import Stream, cut
from penstock.store.metrics import Metric
from penstock.store.port import Store
from penstock.store.sqlite.store import open_sqlite
from tests.verified import check_verified

DONE_WITHIN = 60 * SECOND


def knobs(lease: int = 10 * SECOND) -> Knobs:
    """Policy numbers of a quick test: short graces, and a lease that is beaten for in time."""
    return Knobs(environ=dict(os.environ), grace=2 * SECOND, lease=lease, beat=lease // 5)


class Words:
    """Secrets by name, for tests."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words

    def get(self, namespace: str, name: str) -> str | None:
        """The secret's text."""
        return self._words.get(name)


class Workshop:
    """A project's store with one worker on it; closes both."""

    def __init__(
        self,
        folder: Path,
        policy: Knobs | None = None,
        secrets: dict[str, str] | None = None,
        store: Store | None = None,
    ) -> None:
        self.folder = folder
        self.state = folder / ".penstock"
        self.store: Store = store or open_sqlite(self.state / "penstock.db")
        self.core = Core(
            store=self.store,
            blobs=Stored(open_folder(self.state / "blobs")),
            clock=SystemClock(),
            plans=Plans(),
            secrets=Words(secrets or {}),
            knobs=policy or knobs(),
            state_dir=self.state,
            project=ProjectFolder(folder),
        )
        self.workers: list[Worker] = []
        self.closed = False

    def worker(self, name: str = "one", **options: Any) -> Worker:
        """A worker on the store."""
        given = {"surroundings": Surroundings(python=sys.executable)} | options
        made = Worker(self.core, Options(id=name, **given))
        self.workers.append(made)
        return made

    def start(self, *nodes: Node, **more: Any) -> str:
        """Start a run of a flow with these nodes; gives its id."""
        flow = Flow(id="flow", namespace="tests", body=Sequence(id="", nodes=nodes), **more)
        return self.start_flow(flow)

    def start_flow(self, flow: Flow) -> str:
        """Store a flow and start a run of it."""
        written = flows.Written(
            namespace=flow.namespace,
            id=flow.id,
            dialect="kestra",
            digest=os.urandom(8).hex(),
            source="",
            model=msgspec.json.encode(flow).decode(),
        )
        revision = self.store.write(lambda tx: flows.push(tx, written, self.core.clock.now()))
        return verbs.start(self.core, self.core.plans.add(flow, revision), verbs.Start())

    def run(self, *nodes: Node, **more: Any) -> str:
        """Have a flow done by a worker, from start to end."""
        run_id = self.start(*nodes, **more)
        self.finish(run_id)
        return run_id

    def finish(self, run_id: str) -> Run:
        """Work until a run has ended."""
        worker = self.workers[0] if self.workers else self.worker()
        self.until(worker, lambda: self.of(run_id).status.ended)
        return self.of(run_id)

    def until(self, worker: Worker, so: Callable[[], bool]) -> None:
        """Let a worker work until something is so; a minute at most."""
        began = self.core.clock.steady()

        def done() -> bool:
            assert self.core.clock.steady() - began < DONE_WITHIN, "it took too long"
            return so()

        worker.run_until(done)

    def of(self, run_id: str) -> Run:
        """A run as it stands."""
        found = self.store.read(lambda tx: runs.load(tx, run_id))
        assert found is not None
        return found

    def statuses(self, run_id: str) -> dict[str, StepStatus]:
        """Where each step of a run stands."""
        return {step.key: step.status for step in self.store.read(lambda tx: steps.every(tx, run_id))}

    def attempts(self, run_id: str) -> list[Attempt]:
        """The attempts of a run."""
        return self.store.read(lambda tx: attempts.every(tx, run_id))

    def outputs(self, run_id: str) -> dict[str, dict[str, Any]]:
        """What the steps of a run handed on."""
        return {key: found.values() for key, found in self.store.read(lambda tx: outputs.every(tx, run_id)).items()}

    def metrics(self, run_id: str) -> list[Metric]:
        """The numbers of a run."""
        return self.store.read(lambda tx: metrics.every(tx, run_id))

    def log(self, run_id: str, step: str | None = None, stream: Stream | None = None) -> str:
        """The text that a run logged."""
        pieces = cut(self.store.logs.read(run_id, step))
        return b"".join(piece.text for piece in pieces if stream in (None, piece.stream)).decode()

    def close(self) -> None:
        """Close workers, see that every run is what its events make it, and close the store; safe to call twice."""
        for worker in self.workers:
            worker.close()
        if self.closed:
            return
        self.closed = True
        try:
            check_verified(self.core)
        finally:
            self.store.close()


def shell(name: str, *commands: str, **properties: object) -> Task:
    """A task of shell commands."""
    return Task(id=name, type="shell.commands", properties={"commands": list(commands), **properties})


def python(name: str, script: str, **properties: object) -> Task:
    """A task of Python source."""
    return Task(id=name, type="python.script", properties={"script": script, **properties})
