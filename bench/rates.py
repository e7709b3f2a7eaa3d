"""How many task runs a second, how soon is one done, and what do claims cost beside a long transaction? PostgreSQL."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, figure, paired
from bench.house import Bed, bed
from bench.plain import Plain
from bench.starter import Starter, starter
from penstock.telemetry.notice import Notice
from projects.servers.postgres import PostgresServer, postgres_server

RUNS = 1_500
TIMES = 5
SINGLE = 200
CLAIMS = 16_000
ROOM = 16
HEAD = "id: two\nnamespace: bench\ntasks:\n"
TASK = "  - id: t{n}\n    type: return\n    format: value {n}\n"
TWO = HEAD + TASK.format(n=1) + TASK.format(n=2)
ONE = HEAD + TASK.format(n=1)


def throughput() -> list[Figure]:
    """Flows of two tasks that need no process, started by one process, done by one worker: task runs per second."""
    with _server() as server:
        ours, plain = server.create_database("ours"), server.create_database("plain")
        with contextlib.closing(Plain(plain)) as floor, bed(ours, slots=ROOM) as made:
            made.flow(TWO)
            with starter("ours", made.root, ours) as mine, starter("plain", made.root, plain) as theirs:
                seen, low = paired(lambda: _ours(made, mine), lambda: _plain(floor, theirs), TIMES)
    return [figure("throughput", "task runs/s", seen, floor=low, database="postgres", alone=True, bar=500, ratio_bar=2)]


def _ours(made: Bed, mine: Starter) -> float:
    ended = _Ended()
    made.core.notices.subscribe(ended)
    began = time.perf_counter()
    mine.start(RUNS)
    made.worker.run_until(lambda: ended.count >= RUNS)
    spent = time.perf_counter() - began
    mine.hear()
    ended.over = True
    return 2 * RUNS / spent


def _plain(floor: Plain, theirs: Starter) -> float:
    began = time.perf_counter()
    theirs.start(RUNS)
    floor.work(RUNS)
    spent = time.perf_counter() - began
    theirs.hear()
    return 2 * RUNS / spent


class _Ended:
    """Counts the runs that a worker has ended; leaves when it is over, as one who raises does."""

    def __init__(self) -> None:
        self.count = 0
        self.over = False

    def __call__(self, notice: Notice) -> None:
        if self.over:
            raise StopIteration
        self.count += notice.name == "run.success"


@contextlib.contextmanager
def _server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, postgres_server(Path(folder, "pg")) as server:
        yield server
