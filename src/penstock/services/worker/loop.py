"""What does a worker do all day? One thread claims, starts, listens, stops, reports; with nothing to do it sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import msgspec

from penstock.engine import Loaded
from penstock.errors import PenstockError
from penstock.errors.store import CommitUnknown
from penstock.errors.work import FolderGone
from penstock.model.access import SYSTEM
from penstock.model.effect import Ready, Work
from penstock.model.event import Ended
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.status import Outcome
from penstock.runners.process import strays
from penstock.runners.process.environments import Environments
from penstock.runners.process.kept import Kept
from penstock.runners.process.launcher import Launcher
from penstock.services import apply, cached, claims
from penstock.services.core import Core
from penstock.services.reading import preload
from penstock.services.render import Prepared, evaluate, prepare
from penstock.services.worker import home, inline, workdir
from penstock.services.worker.attempt import Attempt
from penstock.services.worker.basket import Basket
from penstock.services.worker.drain import on_signals
from penstock.services.worker.ending import Stop
from penstock.services.worker.lease import Heard, Lease, is_alive
from penstock.services.worker.logs import LogWriter
from penstock.services.worker.patience import STORE_CODES, Patience
from penstock.services.worker.places import environments_root, is_left_behind, place_of, work_root
from penstock.services.worker.reactor import Reactor
from penstock.services.worker.shop import MemoryWatch, Progress, Shop, Surroundings
from penstock.services.worker.slot import Inline, work_of
from penstock.services.worker.upkeep import Upkeep
from penstock.store import queue
from penstock.store.queue import Claim
from penstock.telemetry import Level

STORE_RETRY: Final = SECOND // 2
STRETCH: Final = SECOND // 20
SLOW_THREADS: Final = 4
CLOSE_WITHIN: Final = 15 * SECOND

Outputs = dict[str, object] | None
Key = tuple[str, str, int, int]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told: its id, how many processes at once, where code runs, how long a drain waits."""

    id: str
    slots: int = 16
    surroundings: Surroundings = Surroundings()
    drain_grace: int | None = None
    told: Callable[[Progress], None] = lambda _progress: None
    queues: tuple[str, ...] = (queue.DEFAULT_QUEUE,)


class Worker:
    """A worker; opens with `start`, closes with `close`, both safe to call twice; `run` does both and drains."""

    def __init__(self, core: Core, options: Options) -> None:
        self.id = options.id
        self.started = threading.Event()
        self._core = core = core.asked_by(SYSTEM)
        self._options = options
        self._reactor = Reactor(core.clock)
        self._logs = LogWriter(core.store, lambda: self._reactor.soon(self._read_on))
        self._launcher = Launcher(self._reactor, f"{place_of(core)}/{options.id}")
        heard = Heard(
            allow=self._launcher.allow,
            flags=lambda flagged: self._reactor.soon(lambda: self._kill(flagged)),
            lost=lambda: self._reactor.soon(self._let_go),
        )
        self._lease = Lease(core, options.id, options.slots, heard, options.queues)
        self._listener = core.store.listener()
        self._running: dict[Key, Attempt] = {}
        self._unsaid: dict[Key, Claim] = {}
        self._cursor: queue.Cursor | None = None
        self._queues, self._basket = options.queues, Basket()
        self._hungry = True
        self._reports = 0
        self._patience = Patience(core, options.id)
        self._draining = self._hurry = self._closed = False
        self._shop = Shop(
            core=core,
            worker=options.id,
            reactor=self._reactor,
            launcher=self._launcher,
            kept=Kept(self._launcher, options.slots),
            logs=self._logs,
            folders=workdir.Folders(work_root(core), options.id),
            surroundings=options.surroundings,
            memory=MemoryWatch(),
            pool=ThreadPoolExecutor(SLOW_THREADS, "penstock-slow"),
            environments=Environments(environments_root(core)),
            told=options.told,
        )
        self._upkeep = Upkeep(self._shop, self._patience, self._look)

    def start(self) -> None:
        """Become known, end what dead workers left on this machine, and look for work."""
        if self.started.is_set():
            return
        self._lease.start()
        self._logs.start()
        self._reactor.watch(self._listener.fileno(), self._woken)
        # What bears this very name is of a dead worker, too: nothing of this one's has begun.
        strays.kill(lambda marker: is_left_behind(self._core, marker, self.id))
        workdir.sweep(work_root(self._core), lambda name: name != self.id and is_alive(self._core, name))
        self._upkeep.start()
        self.started.set()
        self._say_notice("worker.started", slots=self._options.slots)

    def run(self) -> None:
        """Work until drained; SIGTERM and the first SIGINT drain, the second SIGINT stops at once."""
        with on_signals(self.drain, self.stop_now):
            try:
                self.start()
                while not (self._draining and self._idle):
                    self._turn()
            finally:
                self.close()

    def run_until(self, done: Callable[[], bool]) -> None:
        """Work until something is so; the logs of what ended are kept by then. Other claims may still run."""
        self.start()
        while not done():
            self._turn()
        self._logs.flush()

    def drain(self) -> None:
        """Take no more work; what runs gets its grace, then it is handed back. For any thread."""
        self._reactor.soon(self._drain)

    def stop_now(self) -> None:
        """Take no more work and hand back what runs, at once, store or no store. For any thread."""
        self._hurry = self._draining = True
        self._reactor.soon(self._hand_back)

    def wake(self) -> None:
        """Look for work and for kills, for any thread."""
        self._reactor.soon(self._woken)

    def close(self) -> None:
        """End every process, keep the logs, leave the store; what still ran is handed back."""
        if self._closed:
            return
        self._closed = self._draining = True
        for attempt in list(self._running.values()):
            attempt.stop(Stop.DRAIN, force=True)
        self._launcher.close()
        patience = self._reactor.after(CLOSE_WITHIN, self._running.clear)
        while self._running:
            self._reactor.turn()
        patience.cancel()
        self._launcher.close()  # what ended containers
        self._shop.environments.close()
        self._shop.pool.shutdown()
        self._logs.close()
        self._lease.close()
        self._listener.close()
        self._reactor.close()
        if self.started.is_set():
            self._shop.folders.close()
            self._say_notice("worker.stopped")

    def _say_notice(self, name: str, level: Level = Level.INFO, **fields: object) -> None:
        self._core.notices.say(name, self._core.clock.now(), level, worker=self.id, **fields)

    @property
    def _idle(self) -> bool:
        return not self._running and (self._hurry or not self._unsaid)

    def _turn(self) -> None:
        """Claim while there is room and hope, then wait for the next thing, unless there is news for the caller."""
        said, until = self._reports, self._core.clock.steady() + STRETCH
        while self._hungry and self._room() > 0:
            if self._core.clock.steady() > until:
                break  # timers, signals and other threads have their turn, however much work there is
            self._hungry = False
            with self._patience():
                self._listener.drain()
                self._take()
                if not self._hungry:
                    self._listener.arm()
                    if self._core.store.glance(queue.depth)[0]:
                        self._take()
        self._reactor.turn(wait=self._reports == said and not (self._hungry and self._room() > 0))

    def _room(self) -> int:
        return 0 if self._draining else self._options.slots - len(self._running)

    def _take(self) -> None:
        room = self._basket.size(self._room())
        self._lease.look()
        asked = self._core.clock.steady()
        (taken, seen), running, started = self._claim(room), len(self._running), self._core.clock.steady()
        self._hungry = len(taken) == room  # a full basket says that there may be more
        with self._patience():
            preload(self._core, taken, seen)
        clock, budget = self._core.clock, self._core.knobs.inline_budget
        done: dict[str, list[apply.Report]] = {}
        began = clock.steady()
        for claim in taken:
            if (ended := self._begin(claim)) is not None:
                done.setdefault(claim.run, []).append(ended)
            if clock.steady() - began > budget or claim is taken[-1]:
                for reports in done.values():
                    self._report(reports)
                done, began = {}, clock.steady()
        done_at_once, spent = len(taken) - len(self._running) + running, clock.steady() - started
        self._basket.learn(len(taken), done_at_once, spent, started - asked)

    def _claim(self, room: int) -> claims.Taken:
        if room <= 0:
            return claims.Taken()
        try:
            queues = self._queues_in_turn()
            taken = claims.take(self._core, self.id, room, self._cursor, queues)
            self._cursor = queue.advance(self._cursor, taken.claims, room, self._core.clock.now())
            return taken
        except CommitUnknown:
            # What is held tells whether the claim was committed; while the store is away, a later sweep asks it.
            self._recall()
            return claims.Taken()

    def _queues_in_turn(self) -> tuple[str, ...]:
        """The queues that it serves, each time another one first."""
        first, *others = self._queues
        if others:
            self._queues = (*others, first)
            self._cursor = None
        return self._queues

    def _begin(self, claim: Claim) -> apply.Report | None:
        """Start an attempt's process; what needs none is done now, and its report handed back."""
        if _key(claim) in self._running:
            return None  # claimed twice: the store has gone back to before it was claimed first
        try:
            if claim.work is Work.EVALUATE:
                evaluated = evaluate(self._core, claim)
                self._say([claim], lambda: apply.report_evaluated(self._core, claim, evaluated))
                return None
            if claim.work is not Work.TASK:
                self._keep_house(claim)
                return None
            prepared = prepare(self._core, claim)
            if found := inline.from_cache(self._shop, claim, prepared):
                return claim, *found
            work = work_of(self._shop, claim, prepared)
        except FolderGone as gone:
            return claim, home.lost(self._shop, claim, gone), None
        except PenstockError as error:
            if error.code.startswith(STORE_CODES):
                self._later([claim], self._recall)  # by then it may be another's: the store tells
                return None
            return claim, inline.refused(self._shop, claim, error), None
        except Exception as error:  # a task type of somebody's may raise anything
            return claim, inline.broken(self._shop, claim, error), None
        if self._lease.passed_on:
            return None  # it stood still: what is its own nevertheless is begun when it looks again
        if isinstance(work, Inline):
            ended, made = inline.run_inline(self._shop, claim, prepared, work)
            self._keep_result(claim, prepared, ended, made)
            return claim, ended, made
        attempt = Attempt(self._shop, claim, prepared, work, lambda *end: self._ended(claim, prepared, *end))
        self._running[_key(claim)] = attempt
        self._say_notice("attempt.started", Level.DEBUG, run=claim.run, step=claim.step, attempt=claim.attempt)
        attempt.start()
        if claim.killing:
            attempt.stop(Stop.KILL, force=claim.killing == "force")
        return None

    def _keep_house(self, claim: Claim) -> None:
        """Open or close a working directory's folder, in another thread: its files may be large."""
        self._unsaid[_key(claim)] = claim

        def then(done: Future[tuple[Ended, Outputs]]) -> None:
            self._unsaid.pop(_key(claim), None)
            self._report([(claim, *done.result())])

        self._shop.away(lambda: home.do(self._shop, claim), then)

    def _keep_result(self, claim: Claim, prepared: Prepared, ended: Ended, made: Outputs) -> None:
        """Let later runs use what a task made, where it says so; without the store they do it anew."""
        if prepared.cached_as and prepared.node.cache and ended.outcome is Outcome.DONE:
            with self._patience():
                cached.keep(self._core, prepared.cached_as, claim, prepared.node.cache.ttl, outputs=made)

    def _ended(self, claim: Claim, prepared: Prepared, ended: Ended, made: Outputs) -> None:
        attempt = self._running.pop(_key(claim))
        self._keep_result(claim, prepared, ended, made)
        if attempt.handed_back:
            self._say([claim], lambda: self._hand_over(claim))
        else:
            self._report([(claim, ended, made)])

    def _report(self, reports: list[apply.Report]) -> None:
        def successor(plan: Plan, loaded: Loaded, ready: Ready) -> tuple[Ended, Outputs] | None:
            return None if self._draining else inline.successor(self._shop, plan, loaded, ready)

        held = [claim for claim, _, _ in reports]
        self._say(held, lambda: apply.report_together(self._core, reports, successor))

    def _hand_over(self, claim: Claim) -> None:
        """Let another worker do what this one began: its process is proven dead."""
        if self._core.store.write(lambda tx: queue.hand_back(tx, claim)):
            self._core.store.wake()

    def _say(self, held: list[Claim], say: Callable[[], object]) -> None:
        """Report to the store; while it is away, again and again."""
        try:
            say()
        except PenstockError as error:
            if not error.code.startswith(STORE_CODES):
                raise
            self._patience.away(error)
            self._later(held, lambda: self._say(held, say))
            return
        self._hungry = True
        self._reports += 1

    def _later(self, held: list[Claim], again: Callable[[], None]) -> None:
        self._unsaid.update((_key(claim), claim) for claim in held)

        def go_on() -> None:
            for claim in held:
                self._unsaid.pop(_key(claim), None)
            again()

        self._reactor.after(STORE_RETRY, go_on)

    def _woken(self) -> None:
        self._listener.drain()
        self._hungry = True
        self._upkeep.woken()
        if self._running:
            with self._patience():
                self._kill(self._core.store.read(lambda tx: queue.flagged(tx, self.id)))

    def _kill(self, flagged: list[Claim]) -> None:
        for claim in flagged:
            attempt = self._running.get(_key(claim))
            if attempt is not None:
                attempt.stop(Stop.KILL, force=claim.killing == "force")

    def _let_go(self) -> None:
        """The lease is lost: others may do what this worker held, so it ends all of it."""
        self._say_notice("worker.lease_lost", Level.WARNING, running=len(self._running))
        for attempt in list(self._running.values()):
            attempt.stop(Stop.LEASE, force=True)

    def _read_on(self) -> None:
        paused = list(self._shop.paused)
        self._shop.paused.clear()
        for go_on in paused:
            go_on()

    def _look(self) -> None:
        """Go on with what is held, and find out whether there is more to do."""
        self._recall()
        self._hungry = self._hungry or self._core.store.read(queue.depth)[0] > 0

    def _recall(self) -> None:
        """Begin what is held in this one's name unknown to it: an answer was lost, or the store's last moment."""
        if self._draining:
            return
        known = self._running.keys() | self._unsaid.keys()
        self._lease.look()
        with self._patience():
            for claim in claims.still_held(self._core, self.id):
                if _key(claim) not in known and (ended := self._begin(claim)) is not None:
                    self._report([ended])

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        self._lease.drain()
        self._say_notice("worker.draining", running=len(self._running))
        self._hand_back(endless=True)
        grace = self._options.drain_grace
        self._reactor.after(self._core.knobs.grace if grace is None else grace, self._hand_back)

    def _hand_back(self, *, endless: bool = False) -> None:
        for attempt in [each for each in self._running.values() if each.endless or not endless]:
            attempt.stop(Stop.DRAIN, force=True)


def _key(claim: Claim) -> Key:
    return claim.run, claim.step, claim.attempt, claim.fence
