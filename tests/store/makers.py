"""Which values do the store's tests begin with? Plain ones, changed where a test cares."""

from __future__ import annotations

import itertools

import msgspec

from penstock.model.effect import Work
from penstock.model.ids import run_id
from penstock.model.run import Run, Step
from penstock.model.status import RunStatus, StepStatus
from penstock.store import queue, workers
from penstock.store.port import Store, Tx
from penstock.store.workers import Worker

NOW = 1_700_000_000_000_000
_numbers = itertools.count(1)


def a_run(**changes: object) -> Run:
    """A running run under a new id that sorts after those before it."""
    run = Run(
        id=run_id(NOW // 1000, next(_numbers).to_bytes(10, "big")),
        namespace="shop.eu",
        flow="load",
        revision=1,
        status=RunStatus.RUNNING,
        created_at=NOW,
    )
    return msgspec.structs.replace(run, **changes)


def a_step(key: str, status: StepStatus = StepStatus.QUEUED, **changes: object) -> Step:
    """A step outside loops; its node is its key."""
    return msgspec.structs.replace(Step(key=key, node=key, status=status, attempt=1), **changes)


def a_worker(name: str = "w1", **changes: object) -> Worker:
    """A worker that has just said that it lives."""
    worker = Worker(
        id=name, host="here", boot="b1", pid=1, lock_path="", beat_at=NOW, capacity=4, version="1", started_at=NOW
    )
    return msgspec.structs.replace(worker, **changes)


def ready(tx: Tx, run: str, *steps: str, priority: int = 0, owner: str = "") -> None:
    """Make the first attempts of steps ready."""
    queue.make_ready(tx, run, [(step, 1, Work.TASK) for step in steps], priority, owner, NOW)


def claimed(store: Store, worker: str = "w1", room: int = 1) -> list[queue.Claim]:
    """Claim in a transaction of its own."""
    return store.write(lambda tx: queue.claim(tx, worker, room, NOW))


def know(tx: Tx, *known: Worker) -> None:
    """Register workers."""
    for worker in known:
        workers.register(tx, worker)
