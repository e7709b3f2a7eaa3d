"""Which workers are there, and which have fallen silent? Beats are on the store's lease clock."""

from __future__ import annotations

import enum

import msgspec

from penstock.store import codec
from penstock.store.port import Row, Tx


class WorkerStatus(enum.StrEnum):
    """What a worker does: it takes work, or it only finishes what it has."""

    RUNNING = "running"
    DRAINING = "draining"


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """A process that does work; `boot` tells its machine's boots apart, `lock_path` is the file it holds locked.

    `queues` are those whose attempts it takes.
    """

    id: str
    host: str
    boot: str
    pid: int
    lock_path: str
    beat_at: int
    status: WorkerStatus = WorkerStatus.RUNNING
    capacity: int
    version: str
    started_at: int
    queues: tuple[str, ...] = ("default",)


def register(tx: Tx, worker: Worker) -> None:
    """Make a worker known; again after it was given up, it is known anew."""
    row = msgspec.structs.asdict(worker) | {"status": worker.status.value, "queues": codec.text(worker.queues)}
    tx.run("workers.register", **row)


def beat(tx: Tx, worker_id: str, at: int, status: WorkerStatus = WorkerStatus.RUNNING) -> bool:
    """Say that a worker lives; False when it has been given up, and what it held is another's."""
    return tx.run("workers.beat", id=worker_id, at=at, status=status.value) == 1


def leave(tx: Tx, worker_id: str) -> bool:
    """Forget a worker: what it still holds counts as lost. False when it was not known."""
    return tx.run("workers.leave", id=worker_id) == 1


def list_workers(tx: Tx) -> list[Worker]:
    """Give the workers that are known."""
    return _workers(tx.all("workers.list_workers"))


def dead(tx: Tx, before: int, boot: str = "") -> list[Worker]:
    """Give the workers silent since `before`, or of another boot than `boot` when that is given (see `queue.lost`)."""
    return _workers(tx.all("workers.dead", before=before, boot=boot))


def _workers(rows: list[Row]) -> list[Worker]:
    return [codec.value((*row[:-1], codec.anything(row[-1])), Worker) for row in rows]
