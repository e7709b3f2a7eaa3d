"""Which runs start by themselves, and each once? Dates, ends of other runs and a backfill are matched with runs."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from penstock.errors.store import StoreError
from penstock.model.backfill import Backfill, BackfillStatus, Item, ItemStatus, Spec
from penstock.model.run import Run
from penstock.services import backfills, flows, triggers
from penstock.services.core import Core
from penstock.store import backfills as backfill_rows
from penstock.store import runs
from penstock.store import triggers as trigger_rows
from penstock.store.triggers import State

SECOND: Final = 1_000_000
# The schedules by their flows: the trigger, and its dates every so many seconds of the clock.
SCHEDULES: Final = {"ticking": ("often", 2), "queued": ("one_by_one", 6)}
BY_THEMSELVES: Final = frozenset({*SCHEDULES, "follows", "filled"})
# A date whose turn depends on nothing begins within this time, whoever is killed, stands still or is restarted.
WINDOW: Final = 25.0
# Items of the backfill for each second of trouble, and how often people pause it.
ITEMS_A_SECOND: Final = 0.7
AT_ONCE: Final = 3
PAUSE_EVERY: Final = 7.0
PAUSED: Final = 1.0
BY: Final = "chaos"


class Job(msgspec.Struct, frozen=True):
    """A schedule as it went: its flow, its first date on, its last, and the seconds between two."""

    flow: str
    since: int
    last: int
    every: int

    def wanted(self) -> range:
        """Its dates, in microseconds."""
        step = self.every * SECOND
        return range(self.since // step * step + step, self.last + 1, step)


class Owed(msgspec.Struct, frozen=True):
    """What was to start runs by itself: schedules as they went, and the items of a backfill."""

    jobs: tuple[Job, ...]
    items: tuple[Item, ...]


class Timed:
    """The backfill and the schedules of a round; `begin` starts them, `rest` ends them when all is caught up."""

    def __init__(self, core: Core, chance: random.Random) -> None:
        self._core = core
        self._chance = chance
        self._backfill: Backfill | None = None
        self._turn_at = 0.0
        self._paused = False
        self.pauses = 0

    def begin(self, seconds: float) -> None:
        """Add the backfill; the schedules have begun with their flows."""
        plan = flows.newest_plan(self._core, "chaos", "filled")
        sets: tuple[dict[str, object], ...] = tuple(
            {"number": number} for number in range(1 + int(seconds * ITEMS_A_SECOND))
        )
        self._backfill = backfills.add(self._core, plan, Spec(sets=sets), BY, at_once=AT_ONCE)
        self._turn_at = time.monotonic() + self._chance.uniform(0, PAUSE_EVERY)

    def tend(self) -> None:
        """Pause the backfill and let it go on, as people do; who stands still may hold that up for long."""
        if self._backfill is not None and time.monotonic() >= self._turn_at:
            self._turn_at = time.monotonic() + (PAUSE_EVERY if self._paused else PAUSED)
            with suppress(StoreError):
                (backfills.resume if self._paused else backfills.pause)(self._core, self._backfill)
                self.pauses += not self._paused
                self._paused = not self._paused

    def rest(self, wait: Callable[[Callable[[], bool], str], None]) -> Owed:
        """Wait until no date, end or item is waited for any more, switch the schedules off, and give what there was."""
        if self._paused and self._backfill is not None:
            backfills.resume(self._core, self._backfill)
        now = self._core.clock.now()
        wait(lambda: all((state.last_at or 0) >= now for state in self._states()), "every schedule has caught up")
        for flow, (trigger, _) in SCHEDULES.items():
            triggers.switch(self._core, "chaos", flow, trigger, BY, on=False)
        wait(self._followed, "each run of ticking has ended, and is followed by one that has, too")
        wait(self._filled, "the backfill is done")
        every = {flow: every for flow, (_, every) in SCHEDULES.items()}
        jobs = [Job(one.flow, one.known.since or 0, one.last_at or 0, every[one.flow]) for one in self._states()]
        return Owed(tuple(jobs), tuple(self._items()))

    def _items(self) -> list[Item]:
        made = self._backfill
        if made is None:
            return []
        return self._core.store.read(lambda tx: backfill_rows.items(tx, made.id, made.total))

    def _states(self) -> list[State]:
        keys = [trigger_rows.key_of("chaos", flow, trigger) for flow, (trigger, _) in SCHEDULES.items()]
        found = self._core.store.read(lambda tx: [trigger_rows.get(tx, key) for key in keys])
        return [state for state in found if state is not None]

    def _followed(self) -> bool:
        found = {flow: self._of(flow) for flow in (*SCHEDULES, "follows")}
        over = all(run.status.ended for each in found.values() for run in each)
        return over and len(found["follows"]) >= len(found["ticking"])

    def _of(self, flow: str) -> list[Run]:
        return self._core.store.read(partial(runs.list_runs, wanted=runs.Filter(flow=flow), limit=10_000))

    def _filled(self) -> bool:
        made = self._backfill
        found = self._core.store.read(lambda tx: backfill_rows.get(tx, made.id)) if made else None
        return found is None or found.status is BackfillStatus.DONE


class Lags:
    """How long dates waited for their runs, in seconds."""

    def __init__(self, found: Sequence[Run]) -> None:
        lags = sorted((run.created_at - (run.logical_date or 0)) / SECOND for run in found)
        self.count = len(lags)
        self.median = lags[len(lags) // 2] if lags else 0.0
        self.most = lags[-1] if lags else 0.0


def matched(found: Sequence[Run], owed: Owed) -> Iterator[str]:
    """What is wrong with the runs that started by themselves: dates, ends or items without one, or with several."""
    items = owed.items
    for job in owed.jobs:
        yield from _dates(job, [run for run in found if run.flow == job.flow])
    ended = {run.id for run in found if run.flow == "ticking"}
    followed = Counter(str(run.trigger.get("executionId")) for run in found if run.flow == "follows")
    yield from (f"nothing followed run {each} of ticking" for each in ended - followed.keys())
    yield from (f"run {each} of ticking is followed {count} times" for each, count in followed.items() if count > 1)
    yield from (f"what follows run {each} was not to start" for each in followed.keys() - ended)
    began = Counter(run.id for run in found if run.flow == "filled")
    given = Counter(item.run for item in items)
    yield from (f"the backfill's item {item.number} is {item.status}" for item in items if not _good(item))
    yield from (f"run {each} is that of {count} items of a backfill" for each, count in given.items() if count > 1)
    yield from (f"run {each} of filled is no item's" for each in began.keys() - given.keys())


def _good(item: Item) -> bool:
    return item.status is ItemStatus.SUCCESS


def _dates(job: Job, found: Sequence[Run]) -> Iterator[str]:
    wanted = job.wanted()
    dates = Counter(run.logical_date or 0 for run in found)
    yield from (f"{job.flow}: the date {date} was missed" for date in wanted if date not in dates)
    yield from (f"{job.flow}: the date {date} has {count} runs" for date, count in dates.items() if count > 1)
    yield from (f"{job.flow}: {date} is no date of it" for date in dates if date not in wanted)
    for run in found:
        lag = (run.created_at - (run.logical_date or 0)) / SECOND
        if lag < 0 or (lag > WINDOW and job.flow == "ticking"):
            yield f"{job.flow}: run {run.id} began {lag:.1f} s after its date"
        if run.interval_end != run.logical_date or run.interval_start != (run.logical_date or 0) - job.every * SECOND:
            yield f"{job.flow}: run {run.id} has the interval {run.interval_start} to {run.interval_end}"
