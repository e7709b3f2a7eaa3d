"""Do tables stay as large as what they keep? 200,000 runs in forty days of a clock held by hand, five days kept."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from penstock.clock import ManualClock, SystemClock
from penstock.model.event import Ended
from penstock.model.plan import Plan
from penstock.model.status import Outcome
from penstock.services import apply, claims, runs
from penstock.services.core import Core
from penstock.services.flows import push
from penstock.services.plans import Plans
from penstock.services.project import Manner, read_file
from penstock.services.retention import DAY, Keep, prune
from penstock.services.secrets.local import of_machine
from penstock.services.stored import Stored
from penstock.store import queue
from penstock.store.blobs.local import open_folder
from penstock.store.port import Store
from penstock.store.postgres.store import open_postgres
from penstock.store.sqlite.store import open_sqlite
from projects.servers import PostgresServer

RUNS = int(os.environ.get("PENSTOCK_FLAT_RUNS", "200000"))
A_DAY = RUNS // 40
LOOKS = (RUNS // 4, RUNS)
ROOM = 16
FLOW = """id: two
namespace: acc
tasks:
  - id: one
    type: return
    format: "{{ flow.id }}"
  - id: two
    type: return
    format: two
"""
# The bytes of tables whose rows are few are rounded up to pages: what is small may double.
SMALL = 4 * 1024 * 1024
SIZES = """
SELECT coalesce(parent.relname, own.relname), sum(pg_total_relation_size(own.oid))::bigint
FROM pg_class AS own LEFT JOIN pg_inherits ON inhrelid = own.oid LEFT JOIN pg_class AS parent ON parent.oid = inhparent
WHERE own.relkind = 'r' AND own.relnamespace = 'public'::regnamespace GROUP BY 1
"""


class Ledger:
    """How large each table was, and how many milliseconds a claim took, at each look."""

    def __init__(self) -> None:
        self.sizes: list[dict[str, int]] = []
        self.claims: list[float] = []

    def check(self) -> None:
        """Compare the last look with the first."""
        first, last = self.sizes
        print(self.sizes, [round(one, 2) for one in self.claims])
        grown = {name: (first.get(name, 0), size) for name, size in last.items() if size > SMALL + first.get(name, 0)}
        assert not {name: pair for name, pair in grown.items() if pair[1] > 1.2 * pair[0]}
        assert sum(last.values()) < 1.2 * sum(first.values()) + SMALL
        assert self.claims[1] < 1.5 * self.claims[0] + 0.5


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_tables_of_a_server_stay_flat_over_200000_runs(postgres: PostgresServer, database: str, folder: Path) -> None:
    with psycopg.connect(postgres.dsn, autocommit=True) as session:
        # A day passes in seconds here, so the vacuum must come as much oftener.
        session.execute("ALTER SYSTEM SET autovacuum_naptime = '2s'")
        session.execute("SELECT pg_reload_conf()")
    clock = beginning()
    store = open_postgres(database, clock)

    def sizes() -> dict[str, int]:
        with psycopg.connect(database, autocommit=True) as session:
            return {str(name): int(size) for name, size in session.execute(SIZES)}

    ledger = Ledger()
    for _ in days(store, clock, folder, ledger):
        ledger.sizes.append(sizes())
    store.close()

    ledger.check()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_file_stays_flat_over_200000_runs(folder: Path) -> None:
    clock = beginning()
    path = folder / "penstock.db"
    store = open_sqlite(path, clock)

    ledger = Ledger()
    for _ in days(store, clock, folder, ledger):
        ledger.sizes.append({"file": path.stat().st_size})
    store.close()

    ledger.check()


def beginning() -> ManualClock:
    """A clock that stands at today's first hour: partitions are made from the day on which a store is."""
    now = SystemClock().now()
    return ManualClock(now - now % DAY)


def days(store: Store, clock: ManualClock, folder: Path, ledger: Ledger) -> Iterator[None]:
    """Live through forty days, each with its runs and its pruning; halts at each look, after the pruning."""
    files = Stored(open_folder(folder / "blobs"))
    core = Core(store, files, clock, Plans(), of_machine({}))
    plan = pushed(core, folder)
    done = 0
    while done < RUNS:
        spent: list[float] = []
        for _ in range(A_DAY // ROOM + 1):
            spent.append(basket(core, plan))
            clock.advance(DAY // (A_DAY // ROOM + 1))
        done += A_DAY
        store.tend()
        prune(core, files, Keep(runs=5 * DAY))
        if done in LOOKS:
            # The quick ones tell of the tables; the slow ones of whatever else this machine does.
            ledger.claims.append(statistics.quantiles(spent, n=10)[0])
            yield


def basket(core: Core, plan: Plan) -> float:
    """Start some runs, and end both tasks of each; the milliseconds of the claim."""
    for _ in range(ROOM):
        runs.start(core, plan, runs.Start())
    began = time.perf_counter()
    taken = claims.claim(core, "w", ROOM)
    spent = (time.perf_counter() - began) * 1e3
    for claim in taken:
        apply.report_together(
            core,
            [(claim, ended(claim), {"value": "one"})],
            lambda _plan, _loaded, ready: (
                Ended(step=ready.step, attempt=ready.attempt, outcome=Outcome.DONE, worker="w"),
                {"value": "two"},
            ),
        )
    return spent


def ended(claim: queue.Claim) -> Ended:
    """The end of an attempt that went well."""
    return Ended(step=claim.step, attempt=claim.attempt, outcome=Outcome.DONE, worker="w")


def pushed(core: Core, folder: Path) -> Plan:
    """The flow of two tasks."""
    path = folder / "two.yml"
    path.write_text(FLOW)
    reading = read_file(path, Manner(namespace="acc"))
    assert reading.flow is not None, reading.problems
    return push(core, reading.flow, reading.source, reading.digest)
