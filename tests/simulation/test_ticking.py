"""Does every date start one run, and every end and item another, whoever dies or stands still, whatever clocks show?"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from penstock.engine.calendar import micros, moment
from penstock.model.backfill import ItemStatus
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.model.trigger import Missed, Schedule
from tests.engine.slow_calendar import BEGIN, END, ZONES, Cron, changes, instants
from tests.simulation.ticking import CRONS, Ticking

DAY = timedelta(days=1)
# Of each zone's changes of clocks in ten years so many are gone through quickly, others under each seed.
QUICK = 3


def wanted(schedule: Schedule, begin: datetime, end: datetime) -> list[datetime]:
    """The dates of a schedule behind an instant and up to another, told slowly, with a margin on both sides."""
    found = instants(
        Cron(schedule.cron), schedule.timezone, begin - DAY, end + DAY, schedule.missing, schedule.repeated
    )
    return [each for each in found if begin < each <= end]


def all_wanted(schedules: list[Schedule], begin: datetime, end: datetime) -> dict[str, list[datetime]]:
    """The dates of several schedules of one zone; a month at a time, whose minutes are looked at once for all."""
    found: dict[str, list[datetime]] = {schedule.id: [] for schedule in schedules}
    for part in by_month(begin, end):
        for schedule in schedules:
            found[schedule.id] += wanted(schedule, *part)
    return found


def by_month(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A long time in parts that can be told slowly."""
    while begin < end:
        further = min(begin + 30 * DAY, end)
        yield begin, further
        begin = further


def check(world: Ticking, begin: datetime, end: datetime) -> int:
    """Match wanted dates and runs, ends and what they start, items and their runs; give the number of runs."""
    assert not world.broken, world.broken[:3]
    timed, after, filled = (world.runs(flow) for flow in ("timed", "after", "filled"))
    dates = all_wanted(world.schedules, begin, end)
    for schedule in world.schedules:
        told = dates[schedule.id]
        found = Counter(moment(run.logical_date or 0) for run in timed if run.trigger["id"] == schedule.id)
        doubled = [f"{date}" for date, count in found.items() if count > 1]
        foreign = sorted(map(str, found.keys() - set(told)))
        missed = sorted(map(str, set(told) - found.keys()))
        assert not doubled, f"{schedule}: doubled {doubled[:5]}"
        assert not foreign, f"{schedule}: nobody wanted {foreign[:5]}"
        assert not missed or schedule.missed is not Missed.ALL, f"{schedule}: missed {missed[:5]}"
    early = [run.id for run in timed if (run.logical_date or 0) > run.created_at]
    assert not early, f"started before their time: {early[:5]}"
    check_followed(timed, after)
    items = world.items()
    assert all(item.status is ItemStatus.SUCCESS for item in items), Counter(item.status for item in items)
    assert sorted(item.run for item in items) == sorted(run.id for run in filled)
    return len(timed) + len(after) + len(filled)


def check_followed(timed: list[Run], after: list[Run]) -> None:
    """Each end has started one run."""
    assert {run.status for run in timed} <= {RunStatus.SUCCESS}
    came = Counter(str(run.trigger["executionId"]) for run in after)
    ended = {run.id for run in timed}
    assert not ended - came.keys(), f"nothing followed {sorted(ended - came.keys())[:5]}"
    assert set(came.values()) <= {1}, f"followed twice: {[each for each, count in came.items() if count > 1][:5]}"
    assert came.keys() <= ended


def around(change: datetime, zone: str, seed: int) -> int:
    """Let a day and a half go by in which clocks are changed."""
    begin = (change - 18 * timedelta(hours=1)).astimezone(UTC)
    with contextlib.closing(Ticking(seed, zone, begin)) as world:
        world.go(begin + 1.5 * DAY, longest=timedelta(minutes=50))
        return check(world, begin, moment(world.calm()))


@pytest.mark.parametrize("zone", ZONES)
def test_every_date_is_one_run_where_clocks_are_changed(zone: str) -> None:
    found = changes(zone)

    started = sum(around(found[number * len(found) // QUICK], zone, number) for number in range(QUICK))

    assert started > 10


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("zone", ZONES)
def test_every_date_of_ten_years_is_one_run(zone: str) -> None:
    started = sum(around(change, zone, seed) for seed, change in enumerate(changes(zone)))
    with contextlib.closing(Ticking(1, zone, BEGIN)) as world:
        world.schedules_are("30 2 * * *", "15 0,12 * * 1-5", "0,30 2 1-15 * *")
        world.go(END, longest=timedelta(days=6))
        started += check(world, BEGIN, moment(world.calm()))

    assert started > 10_000


def test_a_seed_ticks_the_same_once_more() -> None:
    def runs() -> list[tuple[str, int]]:
        with contextlib.closing(Ticking(3, ZONES[0], BEGIN)) as world:
            world.go(BEGIN + DAY, longest=timedelta(minutes=50))
            return [(run.id, micros(moment(run.created_at))) for run in world.runs("timed")]

    assert runs() == runs()
    assert len(CRONS) > 3
