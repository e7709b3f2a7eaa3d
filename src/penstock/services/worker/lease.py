"""How does a worker stay known as alive? A lock file while its process lives, and a beat that a thread confirms.

What the beat brings back are the kills of what the worker holds. While it is not confirmed the worker's children are
ended before the lease can pass on to another: by their zygote's own watch, even when the worker stands still.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock import __version__
from penstock.errors import PenstockError
from penstock.errors.work import WorkerTwice
from penstock.services import sweep
from penstock.services.core import Core
from penstock.services.liveness import machine, take_lock
from penstock.store import queue, workers
from penstock.store.port import Tx
from penstock.store.queue import Claim
from penstock.store.workers import Worker, WorkerStatus

# The part of a lease after which children end: what is left of it is for killing them and for clocks that drift.
SAFE: Final = 0.8
ALONE: Final = (queue.DEFAULT_QUEUE,)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a heartbeat reports to: how long children may live, what is to be killed, that the lease is lost."""

    allow: Callable[[int], None]
    flags: Callable[[list[Claim]], None]
    lost: Callable[[], None]


class Lease:
    """A worker's registration; opens with `start`, closes by leaving."""

    def __init__(self, core: Core, worker: str, capacity: int, heard: Heard, queues: Sequence[str] = ALONE) -> None:
        self._core = core
        self._worker = worker
        self._capacity = capacity
        self._queues = tuple(queues)
        self._heard = heard
        self._status = WorkerStatus.RUNNING
        self._stopping = threading.Event()
        self._confirmed = 0
        self._losses = self._looked_at = 0
        self._lock = -1
        self._known = False
        self._thread = threading.Thread(target=self._beat_on, name="penstock-heartbeat", daemon=True)
        self._path = lock_path(core, worker)

    def start(self) -> None:
        """Take the lock file, end what a dead worker of this name held, and become known. Raises WorkerTwice."""
        if self._path is not None:
            try:
                self._lock = take_lock(self._path)
            except BlockingIOError:
                raise WorkerTwice(f'A worker named "{self._worker}" runs already on this machine.') from None
        self._succeed()
        self._register()
        self._known = True
        self._thread.start()

    def look(self) -> None:
        """Remember under which lease is claimed, or read what is held, from here on."""
        self._looked_at = self._losses

    @property
    def passed_on(self) -> bool:
        """Whether the lease was lost since `look`, so that what was claimed then may be another's by now."""
        return self._losses != self._looked_at

    def drain(self) -> None:
        """Let others see that no more work is taken."""
        self._status = WorkerStatus.DRAINING

    def close(self) -> None:
        """Leave, and let go of the lock file; safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._known:
            with contextlib.suppress(PenstockError):
                if self._core.store.write(self._leave):
                    self._core.store.wake()
        if self._path is not None and self._lock >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def _leave(self, tx: Tx) -> int:
        """Open to everybody what only this one might have done, in the transaction that forgets who it was for."""
        freed = queue.adopt(tx, [self._worker])
        workers.leave(tx, self._worker)
        return freed

    def _succeed(self) -> None:
        core, host = self._core, machine()[0]
        before = next((one for one in core.store.read(workers.list_workers) if one.id == self._worker), None)
        if before is None:
            return
        # Of this machine and project it is dead: its lock file is ours now.
        ours = before.host == host and before.lock_path == str(self._path or "")
        if not ours and before.id not in sweep.dead_workers(core):
            sentence = f'A worker named "{self._worker}" runs already on {before.host}, or died there a moment ago.'
            raise WorkerTwice(sentence, hint="Give this one another name.")
        sweep.succeed(core, self._worker)

    def _register(self) -> None:
        host, boot = machine()
        core = self._core
        asked, at = core.clock.steady(), core.store.lease_now()

        def work(tx: Tx) -> None:
            row = Worker(
                id=self._worker,
                host=host,
                boot=boot,
                pid=os.getpid(),
                lock_path=str(self._path or ""),
                beat_at=at,
                capacity=self._capacity,
                version=__version__,
                started_at=core.clock.now(),
                status=self._status,
                queues=self._queues,
            )
            workers.register(tx, row)

        core.store.write(work)
        self._confirm(asked)

    def _confirm(self, asked: int) -> None:
        # Counted from before the question: the answer may have been long on its way.
        self._confirmed = asked
        left = asked + int(self._core.knobs.lease * SAFE) - self._core.clock.steady()
        self._heard.allow(max(left, 1))

    def _beat_on(self) -> None:
        beat, safe = self._core.knobs.beat, int(self._core.knobs.lease * SAFE)
        wait, lost = beat, False
        while not self._stopping.wait(wait / 1e6):
            try:
                known, flagged = self._beat()
            except PenstockError:
                wait = beat // 4
                if not lost and self._core.clock.steady() - self._confirmed > safe:
                    lost = True
                    self._lose()
                continue
            wait, lost = beat, False
            if not known:
                self._lose()
                with contextlib.suppress(PenstockError):
                    self._register()
            if flagged:
                self._heard.flags(flagged)

    def _lose(self) -> None:
        # Counted before children may live on by a new lease: the worker may be about to start some under the old one.
        self._losses += 1
        self._heard.lost()

    def _beat(self) -> tuple[bool, list[Claim]]:
        asked = self._core.clock.steady()
        at = self._core.store.lease_now()
        known = self._core.store.write(lambda tx: workers.beat(tx, self._worker, at, self._status))
        if known:
            self._confirm(asked)
        return known, self._core.store.read(lambda tx: queue.flagged(tx, self._worker))


def lock_path(core: Core, worker: str) -> Path | None:
    """The lock file of a worker; none for a store without a folder beside it."""
    return core.state_dir / "workers" / f"{worker}.lock" if core.state_dir else None


def is_alive(core: Core, worker: str) -> bool:
    """Whether a worker of this machine holds its lock file."""
    path = lock_path(core, worker)
    if path is None or not path.exists():
        return False
    try:
        os.close(take_lock(path))
    except BlockingIOError:
        return True
    return False
