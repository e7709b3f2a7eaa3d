"""How long does one click wait behind 10,000 queued runs, compared with an empty queue? A standing worker does both."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, figure
from bench.house import DATABASES, Bed, bed
from penstock.model.plan import Plan
from penstock.services import runs
from penstock.store import attempts
from penstock.store import runs as table

QUEUED = 10_000
CLICKS = 31
FLOW = "id: {id}\nnamespace: bench\ntasks:\n  - id: one\n    type: return\n    format: done\n"


def fairness() -> list[Figure]:
    """One click behind 10,000 queued runs of a backfill: ms until its attempt begins, and until it has succeeded."""
    return [each for database in DATABASES for each in _on(database)]


def _on(database: str) -> list[Figure]:
    with bed(database) as made:
        made.worker.close()
        click, filled = made.flow(FLOW.format(id="click")), made.flow(FLOW.format(id="filled"))
        with _worker(made):
            _click(made, click)
            quiet = [_click(made, click) for _ in range(CLICKS)]
        for _ in range(QUEUED):
            runs.start(made.core, filled, runs.Start(lane="backfill 1", by="backfill"))
        with _worker(made):
            _click(made, click)
            behind = [_click(made, click) for _ in range(CLICKS)]
            left = made.core.store.read(table.counts)
    waiting = sum(count for status, count in left.items() if not status.ended)
    assert waiting > QUEUED // 10, "the queue was as good as empty before the last click"
    note = f"{waiting} still queued at the end"
    return [
        figure(
            f"fairness_{what}", "ms", [each[place] for each in behind], floor=[each[place] for each in quiet],
            database=database, ratio_bar=2, note=note,
        )
        for place, what in enumerate(("begin", "success"))
    ]  # fmt: skip


def _click(made: Bed, plan: Plan) -> tuple[float, float]:
    """Start one run as a person would, and give the ms until its attempt began and until it had succeeded."""
    asked = time.time()
    run_id = runs.start(made.core, plan, runs.Start(by="ann"))
    while True:
        run = made.core.store.read(lambda tx: table.load(tx, run_id))
        assert run is not None
        if run.ended_at is not None:
            break
        time.sleep(0.005)
    assert run.status == "success", run.failure
    (tried,) = made.core.store.read(lambda tx: list(attempts.every(tx, run_id)))
    assert tried.started_at is not None
    time.sleep(0.05)
    return tried.started_at / 1e3 - asked * 1e3, run.ended_at / 1e3 - asked * 1e3


@contextlib.contextmanager
def _worker(made: Bed) -> Iterator[None]:
    where = ["--store", made.app.where.store] if made.app.where.store else []
    command = [sys.executable, "-m", "penstock", "worker", "-C", str(Path(made.root)), *where]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.5)
        yield
    finally:
        process.terminate()
        process.wait()
