"""How many task runs a second, how soon is one done, and what do claims cost beside a long transaction? PostgreSQL."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from bench.figure import Figure, figure, paired
from bench.house import Bed, bed
from bench.plain import Plain
from bench.starter import Starter, starter
from penstock.model.event import Ended
from penstock.model.status import Outcome
from penstock.services import apply, claims, runs
from penstock.store import queue
from penstock.telemetry.notice import Notice
from projects.servers.postgres import PostgresServer, postgres_server

RUNS = 1_500
TIMES = 5
SINGLE = 200
CLAIMS = 12_000
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


def latency() -> list[Figure]:
    """From the start of a run with one task that needs no process to its success, one at a time: ms."""
    with _server() as server:
        ours, plain = server.create_database("ours"), server.create_database("plain")
        with contextlib.closing(Plain(plain)) as floor, bed(ours, slots=ROOM) as made:
            made.flow(ONE)
            with starter("ours", made.root, ours) as mine, starter("plain", made.root, plain) as theirs:
                seen, low = paired(lambda: _one(made, mine), lambda: _plain_one(floor, theirs), SINGLE)
    return [figure("latency", "ms", seen, floor=low, database="postgres", alone=True, bar=15, p95_bar=40)]


def claims_beside_transaction() -> list[Figure]:
    """Claims while a transaction is held open in the same database all the time: ms; the floor: without one."""
    seen: list[float] = []
    low: list[float] = []
    with _server() as server:
        for turn in range(3):
            low += _claims(server.create_database(f"free{turn}"), held=False)
            seen += _claims(server.create_database(f"held{turn}"), held=True)
    more = {"database": "postgres", "note": f"{ROOM} at once", "ratio_bar": 1.5}
    return [figure("claims_beside_transaction", "ms", seen, floor=low, **more)]


def _one(made: Bed, mine: Starter) -> float:
    ended = _Ended()
    made.core.notices.subscribe(ended)
    began = time.perf_counter()
    mine.start(1)
    made.worker.run_until(lambda: ended.count >= 1)
    mine.hear()
    ended.over = True
    return (ended.at - began) * 1e3


def _plain_one(floor: Plain, theirs: Starter) -> float:
    began = time.perf_counter()
    theirs.start(1)
    floor.work(1)
    spent = time.perf_counter() - began
    theirs.hear()
    return spent * 1e3


def _claims(store: str, *, held: bool) -> list[float]:
    """Claim and give back as attempts come; the milliseconds of each claim, the first quarter left out."""
    with bed(store, slots=ROOM) as made, psycopg.connect(store) as other:
        plan = made.flow(ONE)
        if held:
            other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.execute("SELECT count(*) FROM runs")
        core, cursor, seen = made.core, None, []
        for _ in range(CLAIMS // ROOM):
            for _ in range(ROOM):
                runs.start(core, plan, runs.Start())
            began = time.perf_counter()
            taken = claims.claim(core, "claimer", ROOM, cursor)
            seen.append((time.perf_counter() - began) * 1e3)
            assert len(taken) == ROOM
            cursor = queue.advance(cursor, taken, ROOM, core.clock.now())
            for claim in taken:
                apply.report(core, claim, Ended(step=claim.step, attempt=1, outcome=Outcome.DONE), {})
        return seen[len(seen) // 4 :]


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
    """Counts the runs that a worker has ended, and when the last one did; leaves when it is over, by raising."""

    def __init__(self) -> None:
        self.count = 0
        self.at = 0.0
        self.over = False

    def __call__(self, notice: Notice) -> None:
        if self.over:
            raise StopIteration
        if notice.name == "run.success":
            self.count += 1
            self.at = time.perf_counter()


@contextlib.contextmanager
def _server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder, postgres_server(Path(folder, "pg")) as server:
        yield server
