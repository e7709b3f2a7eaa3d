"""Where do two sessions meet? On one database of a real server, brought back to one beginning before each order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import psycopg
from msgspec.structs import replace
from psycopg import sql

from penstock.clock import ManualClock
from penstock.errors.store import CommitUnknown, StoreError, StoreGone
from penstock.model.effect import Work
from penstock.model.event import Ended
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run, Step
from penstock.model.status import Outcome
from penstock.services import apply, claims, flows, reading, render, runs, sweep
from penstock.services.cache import RunCache
from penstock.services.commit import After
from penstock.services.core import Core
from penstock.services.fold import follow_up
from penstock.services.plans import Plans
from penstock.store import inbox, limits, queue, steps, timers, workers
from penstock.store import runs as table
from penstock.store.port import Store, Tx
from penstock.store.postgres.store import PostgresStore, open_postgres
from penstock.store.queue import Claim
from tests.engine import outline
from tests.interleaving import footprint
from tests.interleaving.orders import Search
from tests.interleaving.sides import LedStore, Side
from tests.simulation.invariants import Watcher
from tests.simulation.world import Memory, NoSecrets
from tests.verified import check_verified

T = TypeVar("T")
KEPT: Final = ("schema_migrations", "flows", "revisions", "kv", "metrics", "log_chunks")
TABLES: Final = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = 'public'::regnamespace AND relname <> ALL(%s) ORDER BY 1
"""
WAITS: Final = "SELECT %s = ANY(pg_blocking_pids(%s))"
GLIMPSE: Final = 0.002
ROUNDS: Final = 60


class Dying:
    """A store that a process loses for good after some writes."""

    def __init__(self, real: Store, writes: int) -> None:
        self._real = real
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Commit, as long as it lives."""
        if not self._left:
            raise StoreGone("The process is dead.")
        self._left -= 1
        return self._real.write(work)


Verb = Callable[[Core], object]


class Stage:
    """A database with our schema and two sides; opens on an empty database, closes its connections."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.undo = ""  # takes back what rows do not tell, before and after each order
        self.cut = self.waited = False  # in this order: was a COMMIT lost, did a side wait for the other
        self.store: PostgresStore = open_postgres(dsn)
        self.clock = ManualClock()
        self.blobs = Memory()
        self.plans = Plans()
        self.made: dict[str, Plan] = {}
        self.core = self._core(self.store, "calm")
        self._watch = psycopg.connect(dsn, autocommit=True)
        self._tables = [str(name) for (name,) in self._watch.execute(TABLES, [list(KEPT)])]
        self._stores = {name: open_postgres(dsn) for name in ("a", "b")}
        self.sides = {name: Side(name, self.terminate) for name in ("a", "b")}

    def close(self) -> None:
        """Let go of every connection."""
        for store in (self.store, *self._stores.values()):
            store.close()
        self._watch.close()

    def clear(self) -> None:
        """Remove every run, worker and limit, and forget the flows."""
        self._watch.execute(self._clearing(), prepare=False)
        self.made.clear()
        self.undo = ""
        self.clock = ManualClock()
        self.core = self._core(self.store, "calm")

    def terminate(self, pid: int) -> None:
        """Let a session die on the server, and wait until it has."""
        self._watch.execute("SELECT pg_terminate_backend(%s)", [pid])
        while self._watch.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            pass  # asking is quicker than the server's own way of waiting

    # What a beginning is made of.

    def push(self, written: object, flow_id: str = "story") -> Plan:
        """Store a flow written as an outline."""
        made = replace(outline.flow(written), id=flow_id)
        plan = flows.push(self.core, made, repr(written), repr(written))
        self.made[flow_id] = plan
        return plan

    def start(self, plan: Plan, **asked: Any) -> str:
        """Start a run."""
        return runs.start(self.core, plan, runs.Start(**asked))

    def start_alone(self, plan: Plan, **asked: Any) -> str:
        """Start a run by a process that dies when its first transaction is done."""
        return runs.start(self._core(Dying(self.store, 1), f"{len(self.every_run())} dead"), plan, runs.Start(**asked))

    def leave(self, claim: Claim, outcome: Outcome = Outcome.DONE) -> None:
        """Let a report be accepted and wait in the inbox, as when somebody else has the run."""

        def work(tx: Tx) -> None:
            queue.give_back(tx, claim.run, claim.step, claim.attempt, claim.fence)
            inbox.put(tx, claim.run, replace(end_of(claim, outcome, self.clock.now()), fence=claim.fence), 0)

        self.store.write(work)

    def worker(self, name: str, *, alive: bool = True) -> str:
        """Make a worker known that has just beaten, or has been silent for long."""
        beat = self.store.lease_now() + 3600 * SECOND if alive else 0
        known = workers.Worker(
            id=name, host="else", boot="", pid=1, lock_path="", beat_at=beat, capacity=9, version="0", started_at=1
        )
        self.store.write(lambda tx: workers.register(tx, known))
        return name

    def claim(self, worker: str, room: int = 1) -> list[Claim]:
        """Claim what is ready."""
        return claims.claim(self.core, worker, room)

    # What stands in the database.

    def run(self, run_id: str) -> Run:
        """A run as it was committed last."""
        found = self.store.read(lambda tx: table.load(tx, run_id))
        assert found is not None
        return found

    def every_run(self) -> list[Run]:
        """All runs, children too."""
        return self.store.read(lambda tx: table.list_runs(tx, table.Filter(), limit=1000))

    def steps(self, run_id: str) -> dict[str, Step]:
        """A run's steps by key."""
        return {step.key: step for step in self.store.read(lambda tx: steps.every(tx, run_id))}

    def held(self, run_id: str) -> list[Claim]:
        """What is held of a run."""
        return self.store.read(lambda tx: queue.claims_of(tx, run_id))

    def waiting(self) -> list[str]:
        """The limits that somebody waits for."""
        return self.store.read(limits.waiting_names)

    # Two sides on their way: what `orders` asks of a performance.

    def possible(self) -> tuple[str, ...]:
        """The sides that can move now; two that wait for each other are one mistake too many."""
        going = [side for side in self.sides.values() if not side.ended]
        able = tuple(side.name for side in going if not side.blocked)
        assert able or not going, "the sides wait for each other: a deadlock"
        return able

    def pending(self, side: str) -> footprint.Step | None:
        """What a side stands before."""
        return self.sides[side].standing

    def move(self, name: str, cut: str) -> footprint.Step:
        """Let a side do its next step, and whoever waited for it go on."""
        side = self.sides[name]
        (other,) = (each for each in self.sides.values() if each is not side)
        self.cut = self.cut or bool(cut)
        side.go(cut)
        self._settle(side, other)
        if other.blocked:
            self._settle(other, side)
        return side.looked()

    def _settle(self, side: Side, other: Side) -> None:
        """Wait until a side stands before its next step, is at its end, or waits for a lock of the other."""
        patience = 0.0 if side.blocked else GLIMPSE
        while not side.rests(patience):
            row = self._watch.execute(WAITS, [other.pid, side.pid]).fetchone()
            side.blocked = bool(row and row[0])
            if side.blocked:
                self.waited = True
                return
            patience = GLIMPSE
        side.blocked = False

    # All orders of two verbs.

    def explore(
        self,
        a: Verb,
        b: Verb,
        check: Callable[[object, object], None] | None = None,
        *,
        switches: int = 2,
        switches_with_cut: int = 1,
        feed: bool = False,
        ready: Callable[[Core], None] | None = None,
    ) -> int:
        """Run two verbs in every order, with and without a lost COMMIT, look after each, and count the orders.

        `check` is given what both verbs gave, before anything else goes on; `ready` is done with each side's own core
        before it sets out (so that it remembers a run, say).
        """
        beginning, at = f"{self.undo};{self._beginning()}", self.clock.now()
        search, count = Search(switches=switches, switches_with_cut=switches_with_cut), 0
        for side in self.sides.values():
            side.follows_feed = feed
        while True:
            self._watch.execute(beginning, prepare=False)
            self.cut = self.waited = False
            self.clock.set_wall(at - self.clock.steady())
            if self._perform(search, a, b, ready):
                count += 1
                try:
                    self._look(check)
                except Exception as broken:
                    raise AssertionError(f"order {count}: {broken}\n{search.told()}") from broken
            if not search.turn():
                self._watch.execute(self.undo, prepare=False)
                return count

    def _perform(self, search: Search, a: Verb, b: Verb, ready: Callable[[Core], None] | None) -> bool:
        for (name, side), verb in zip(self.sides.items(), (a, b), strict=True):
            calm = self._core(self._stores[name], name)
            if ready is not None:
                ready(calm)
            core = self._core(LedStore(self._stores[name], side), name, calm)
            side.begin(partial(verb, core))
            side.rests(10.0)
        try:
            whole = search.perform(self)
        except BaseException as broken:
            raise AssertionError(f"{broken}\n{search.told()}") from broken
        finally:
            for side in self.sides.values():
                side.let_go()
            for side in self.sides.values():
                side.join()
        return whole

    def _look(self, check: Callable[[object, object], None] | None) -> None:
        for side in self.sides.values():
            if side.error is not None:
                raise side.error
        watcher = Watcher(self.core, lambda run: reading.plan_of(self.core, run), list(self.made.values()))
        watcher.look()
        if check is not None:
            check(self.sides["a"].result, self.sides["b"].result)
        self._calm()
        watcher.look()
        watcher.at_rest()
        check_verified(self.core)

    def _calm(self) -> None:
        """Let a plain worker go on until every run has ended: it answers for the sides, too."""
        self.core.cache.forget()
        for _ in range(ROUNDS):
            sweep.sweep(self.core)
            found = self.every_run()
            held = [claim for run in found for claim in self.held(run.id)]
            held = held or claims.claim(self.core, "calm", 9)
            for claim in held:
                answer(self.core, claim)
            if not held:
                if all(run.status.ended and not run.open for run in found):
                    return
                due = self.store.read(timers.next_at)
                self.clock.advance(max(0, due - self.clock.now()) if due is not None else SECOND)

    def _core(self, store: Store, name: str, like: Core | None = None) -> Core:
        numbers = itertools.count(1)
        return Core(
            store=store,
            blobs=self.blobs,
            clock=self.clock,
            plans=self.plans,
            secrets=NoSecrets(),
            entropy=lambda: name.encode()[:1] + next(numbers).to_bytes(9, "big"),
            cache=like.cache if like is not None else RunCache(),
        )

    def _clearing(self) -> str:
        return ";".join(f"DELETE FROM {name}" for name in self._tables)

    def _beginning(self) -> str:
        """The words that bring the database back to how it is now."""
        words = ["BEGIN", self._clearing()]
        for name in self._tables:
            found = self._watch.execute(f"SELECT * FROM {name}".encode())
            assert found.description is not None
            columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in found.description)
            into = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})")
            for row in found:
                values = sql.SQL(", ").join(sql.Literal(value) for value in row)
                words.append(into.format(sql.Identifier(name), columns, values).as_string(self._watch))
        return ";".join([*words, "COMMIT"])


def answer(core: Core, claim: Claim, outcome: Outcome = Outcome.DONE) -> bool:
    """Report an attempt as a worker does that has seen its flag, and that says it again when the store went away."""
    if claim.work is Work.EVALUATE:
        return again(lambda: apply.report_evaluated(core, claim, render.evaluate(core, claim)))
    outcome = Outcome.KILLED if claim.killing else outcome
    ended = end_of(claim, outcome, core.clock.now())
    made: dict[str, object] | None = {"by": claim.worker} if outcome is Outcome.DONE else None
    return again(lambda: apply.report(core, claim, ended, made))


def end_of(claim: Claim, outcome: Outcome, now: int) -> Ended:
    """What a worker says of an attempt."""
    failure = Failure(ErrorKind.TASK, "it fails") if outcome is Outcome.FAILED else None
    return Ended(
        step=claim.step, attempt=claim.attempt, outcome=outcome, worker=claim.worker, started_at=now, ended_at=now,
        failure=failure,
    )  # fmt: skip


def follow(core: Core, *touched: str, names: tuple[str, ...] = ()) -> None:
    """Do what follows a commit: fold these runs, ask these limits."""
    again(lambda: follow_up(core, After(fold=set(touched), limits=set(names))))


def take(core: Core, worker: str, room: int = 1) -> list[Claim]:
    """Claim as a worker does: when the answer to COMMIT is lost it looks at what it holds before it claims again."""
    try:
        return claims.claim(core, worker, room)
    except CommitUnknown:
        return claims.still_held(core, worker)


def again(act: Callable[[], T]) -> T:
    """Do what a loop does again at its next turn when the store went away."""
    try:
        return act()
    except StoreError:
        return act()


def remember(run_id: str) -> Callable[[Core], None]:
    """Let a side's process know a run from before, as who committed it last does."""

    def ready(core: Core) -> None:
        core.cache.keep(reading.load(core, run_id))

    return ready
