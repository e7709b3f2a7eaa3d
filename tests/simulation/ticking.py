"""Who looks after time in the simulation? Servers that die, stand still and lose answers, while clocks step."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from msgspec.structs import replace

from penstock.clock import ManualClock
from penstock.engine.calendar import micros
from penstock.errors import PenstockError
from penstock.model.backfill import Backfill, Item, ItemStatus, Spec
from penstock.model.event import Ended
from penstock.model.flow import Flow
from penstock.model.node import Sequence, Task
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import (
    Condition,
    Hours,
    Missed,
    MissingHour,
    OnRuns,
    RepeatedHour,
    Schedule,
    Upstream,
    Window,
)
from penstock.services import apply, backfills, claims, flows
from penstock.services.core import Core
from penstock.services.plans import Plans
from penstock.services.scheduler.lead import LEASE, NAME
from penstock.services.scheduler.loop import Scheduler
from penstock.services.scheduler.ticks import PATIENCE
from penstock.store import backfills as items_of
from penstock.store import leaders, runs, triggers, workers
from penstock.store.leaders import Leader
from penstock.store.port import Store, Tx
from penstock.store.sqlite.store import open_sqlite
from tests.simulation.faults import Crash, Faults, FaultyStore
from tests.simulation.world import Memory, NoSecrets

T = TypeVar("T")
HOUR: Final = 3600 * SECOND
STEPS: Final = (-HOUR, 0, HOUR)
SERVERS: Final = 2
PAGE: Final = 500
CRONS: Final = (
    "30 2 * * *", "*/20 0-3 * * *", "0 * * * *", "15 0,12 * * 1-5", "59 23 * * *", "10,40 1 * * *", "0,30 2 1-15 * *",
)  # fmt: skip
# A flow whose runs take their time, at most so many of them at once, or each after the one before.
SLOWLY: Final = ("0 * * * *", "45 */2 * * *", "30 1-5 * * *")
WINDOW: Final = HOUR
WORKER: Final = "worker"
OPEN: Final = tuple(status for status in RunStatus if not status.ended)
NEVER: Final = 500


class Killed(BaseException):
    """Nothing of a server that is killed goes on, whatever it would catch."""


class Machine(FaultyStore):
    """The store as one server sees it: who asks it may be killed, or find that much time has passed meanwhile."""

    def __init__(self, real: Store, faults: Faults, meanwhile: Callable[[], None]) -> None:
        super().__init__(real, faults)
        self._meanwhile = meanwhile

    def write(self, work: Callable[[Tx], T]) -> T:
        if self._faults.maybe("stands still before it writes", 0.02):
            self._meanwhile()
        try:
            return super().write(work)
        except Crash:
            raise Killed from None

    def read(self, work: Callable[[Tx], T]) -> T:
        try:
            found = super().read(work)
        except Crash:
            raise Killed from None
        if self._faults.maybe("stands still after it read", 0.01):
            self._meanwhile()
        return found


class Ticking:
    """A store, the servers that look after time, and flows with schedules; everything that happens comes from `seed`.

    `latest` is the latest instant that clocks have shown.
    """

    def __init__(self, seed: int, zone: str, begin: datetime, rate: float = 0.005) -> None:
        self.rng = random.Random(f"{seed} {zone} {begin}")
        self.clock = ManualClock(micros(begin))
        self.faults = Faults(self.rng, rate)
        self.store: Store = open_sqlite(":memory:", clock=self.clock)
        self.sound = self._core(self.store)
        self.broken: list[str] = []
        self.begin = self.latest = micros(begin)
        self.schedules = [self._schedule(name, zone) for name in ("one", "two", "three")]
        self.careful = self._careful(zone)
        self._names = 0
        self._revisions = 0
        self._backfills: list[Backfill] = []
        self._asleep = False
        self._lead: Leader | None = None
        self._push()
        # Dates count from the first look on, which is now.
        Scheduler(self.sound, "first").turn()
        self._servers = [self._server() for _ in range(SERVERS)]

    def schedules_are(self, *crons: str) -> None:
        """Let the schedules be of these dates, the careful one last; in place of those drawn, before time passes."""
        *several, careful = crons
        self.schedules = [replace(each, cron=cron) for each, cron in zip(self.schedules, several, strict=True)]
        self.careful = replace(self.careful, cron=careful)
        self._push()
        Scheduler(self.sound, "first").turn()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def go(self, until: datetime, *, longest: timedelta) -> None:
        """Let time pass until an instant, in steps of which some are as long as that, with everything that may fail."""
        most = longest // timedelta(microseconds=1)
        while self.clock.steady() < micros(until):
            self._pass(self.rng.choice((SECOND, LEASE, most // 8, most)))
            if self.faults.maybe("clock step", 0.1):
                self.clock.set_wall(self.rng.choice(STEPS))
            if self.faults.maybe("new revision", 0.02):
                self._push()
            if self.faults.maybe("backfill", 0.02):
                self._fill_in()
            if self._backfills and self.faults.maybe("retry", 0.02):
                backfills.retry(self.sound, self.rng.choice(self._backfills))
            self._look(self.rng.randrange(SERVERS))
            self._work(self.rng.choice((0, 1, 3)))

    def calm(self) -> int:
        """Let all be done that is due when nothing fails any more, and give the instant until which it is."""
        self.faults.on = False
        self.clock.set_wall(max(STEPS))
        for count in range(NEVER):
            for place in range(SERVERS):
                self._look(place)
            self._work(PAGE)
            now = self.latest = self.clock.now()
            if count > SERVERS + 4 and self._rests(now):
                return now
            for each in self._backfills:
                backfills.retry(self.sound, each)
            self.clock.advance(LEASE)
        raise AssertionError("it does not come to an end")

    def _rests(self, now: int) -> bool:
        """Whether nothing goes on, and nothing is about to."""
        coming = self.store.read(lambda tx: triggers.due(tx, now + PATIENCE, PAGE))
        return not coming and not self.open_runs() and all(each.status is ItemStatus.SUCCESS for each in self.items())

    def open_runs(self) -> list[Run]:
        """The runs that go on."""
        return self.store.read(lambda tx: runs.list_runs(tx, runs.Filter(statuses=OPEN), PAGE))

    def runs(self, flow: str) -> list[Run]:
        """All runs of a flow."""
        found: list[Run] = []
        while page := self.store.read(partial(_page, flow, found[-1].id if found else "")):
            found += page
        return found

    def items(self) -> list[Item]:
        """The items of every backfill."""
        return [item for made in self._backfills for item in self._items_of(made)]

    def _items_of(self, made: Backfill) -> list[Item]:
        return self.store.read(lambda tx: items_of.items(tx, made.id, made.total))

    def _pass(self, micros_: int) -> None:
        self.clock.advance(self.rng.randint(1, micros_))
        self.latest = max(self.latest, self.clock.now())

    def _schedule(self, name: str, zone: str) -> Schedule:
        draw = self.rng.choice
        return Schedule(
            id=name,
            type="Schedule",
            cron=draw(CRONS),
            timezone=zone,
            missing=draw(list(MissingHour)),
            repeated=draw(list(RepeatedHour)),
            missed=draw((Missed.ALL, Missed.ALL, Missed.LAST, Missed.NONE)),
            side_by_side=draw((True, False)),
            jitter=draw((0, 0, HOUR // 6)),
        )

    def _careful(self, zone: str) -> Schedule:
        draw = self.rng.choice
        return Schedule(
            id="careful",
            type="Schedule",
            cron=draw(SLOWLY),
            timezone=zone,
            hours=draw((None, Hours(begin="01:15", end="20:00"), Hours(begin="22:00", end="03:00"))),
            late=draw((None, HOUR, 3 * HOUR)),
            depends_on_past=draw((True, False)),
            at_once=draw((1, 2, 3)),
        )

    def _push(self) -> None:
        """Store the flows; what is said besides is another each time, and the triggers are the same."""
        self._revisions += 1
        several = Flow(
            id="timed",
            namespace="sim",
            body=Sequence(id="", nodes=()),
            triggers=tuple(self.schedules),
            description=f"revision {self._revisions}",
        )
        when = Condition(test="{{ trigger.flowId == 'timed' }}")
        behind = OnRuns(id="behind", type="Flow", states=(RunStatus.SUCCESS,), when=(when,))
        after = replace(several, id="after", triggers=(behind,))
        slow = replace(several, body=Sequence(id="", nodes=(Task(id="say", type="log"),)))
        filled = replace(slow, id="filled", triggers=())
        careful = replace(slow, id="careful", triggers=(self.careful,))
        waits_for = tuple(
            Upstream(name=name, when=(Condition(test=f"{{{{ trigger.flowId == '{name}' }}}}"),))
            for name in ("timed", "careful")
        )
        within = OnRuns(
            id="within", type="Flow", states=(RunStatus.SUCCESS,), waits_for=waits_for, window=Window(length=WINDOW)
        )
        both = replace(several, id="both", triggers=(within,))
        for each in (after, both, several, careful, filled):
            flows.push(self.sound, each, str(each), str(each))

    def _fill_in(self) -> None:
        plan = flows.newest_plan(self.sound, "sim", "filled")
        sets: tuple[dict[str, object], ...] = tuple({} for _ in range(self.rng.randint(1, 7)))
        made = backfills.add(self.sound, plan, Spec(sets=sets), "ann", at_once=self.rng.randint(1, 3))
        self._backfills.append(made)

    def _server(self) -> Scheduler:
        self._names += 1
        machine = Machine(self.store, self.faults, self._meanwhile)
        return Scheduler(self._core(machine), f"s{self._names}")

    def _core(self, store: Store) -> Core:
        core = Core(
            store=store,
            blobs=Memory(),
            clock=self.clock,
            plans=Plans(),
            secrets=NoSecrets(),
            entropy=lambda: self.rng.randbytes(10),
        )
        core.notices.subscribe(lambda notice: self._heard(notice.name, str(notice.fields)))
        return core

    def _heard(self, name: str, fields: str) -> None:
        if name in ("scheduler.fault", "run.fault", "trigger.failed"):
            self.broken.append(f"{name}: {fields}")

    def _look(self, place: int) -> None:
        """Let one server do what its thread does when it wakes; who is killed is followed by another."""
        if not self._lives(self._servers[place]):
            self._servers[place] = self._server()
        self._watch()

    def _watch(self) -> None:
        """See that never more goes on at once than may, and that the lead only ever passes on."""
        lead, before = self.store.read(lambda tx: leaders.get(tx, NAME)), self._lead
        if before and lead and (lead.fence, lead.holder == before.holder) < (before.fence, True):
            self.broken.append(f"{lead.holder} took the lead back from {before.holder}")
        self._lead = lead
        for state in self.store.read(lambda tx: triggers.of_flow(tx, "sim", "timed")):
            if state.revision != self._revisions:
                self.broken.append(f"{state.id} goes by revision {state.revision}, and not {self._revisions}")
        going = self.open_runs()
        careful = [run.id for run in going if run.flow == "careful"]
        if len(careful) > (1 if self.careful.depends_on_past else self.careful.at_once):
            self.broken.append(f"of {self.careful} went {careful} at once")
        for made in self._backfills:
            own = [run.id for run in going if run.trigger.get("backfill") == made.id]
            if len(own) > made.at_once:
                self.broken.append(f"of a backfill went {own} at once, and not {made.at_once}")

    def _work(self, most: int) -> None:
        """Let a worker do some of what waits; of what backfills start some fails."""
        now = self.store.lease_now()
        if not self.store.write(lambda tx: workers.beat(tx, WORKER, now)):
            known = workers.Worker(
                id=WORKER, host="", boot="", pid=1, lock_path="", beat_at=now, capacity=PAGE, version="", started_at=now
            )
            self.store.write(lambda tx: workers.register(tx, known))
        for held in claims.claim(self.sound, WORKER, most) if most else ():
            run = self.store.read(partial(runs.load, run_id=held.run))
            fails = run is not None and run.flow == "filled" and self.faults.maybe("a task fails", 0.2)
            ended = Ended(
                step=held.step, attempt=held.attempt, outcome=Outcome.FAILED if fails else Outcome.DONE,
                worker=WORKER, started_at=self.clock.now(), ended_at=self.clock.now(),
                failure=Failure(ErrorKind.TASK, "it fails") if fails else None,
            )  # fmt: skip
            apply.report(self.sound, held, ended, None)

    def _lives(self, server: Scheduler) -> bool:
        try:
            server.turn()
        except PenstockError:
            return True  # it looks again when it wakes next
        except Killed:
            return False
        return True

    def _meanwhile(self) -> None:
        """One stands still: its lease may run out, and another lead, before it goes on with what it was about to do."""
        if not self._asleep:
            self._asleep = True
            self._pass(2 * LEASE)
            if self.faults.maybe("new revision meanwhile", 0.1):
                self._push()
            self._lives(self._server())
            self._asleep = False


def _page(flow: str, before: str, tx: Tx) -> list[Run]:
    return runs.list_runs(tx, runs.Filter(flow=flow), PAGE, before)
