"""Does each date have its one run, and each end and item another? What is wanted is told slowly, and matched."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from penstock.engine.calendar import micros, moment
from penstock.model.backfill import Item, ItemStatus
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.model.trigger import Missed, Schedule
from penstock.services.scheduler.lead import LEASE
from tests.engine.slow_calendar import ZONES, Cron, changes, instants
from tests.simulation.ticking import WINDOW, Ticking

DAY: Final = timedelta(days=1)
# Whoever stands still between looking and starting may be a little later than its date allows.
SLACK: Final = 10 * LEASE


def wanted(schedule: Schedule, begin: datetime, end: datetime) -> list[datetime]:
    """The dates of a schedule behind an instant and up to another, told slowly, with a margin on both sides."""
    found = instants(
        Cron(schedule.cron), schedule.timezone, begin - DAY, end + DAY, schedule.missing, schedule.repeated
    )
    return [each for each in found if begin < each <= end and _is_within(schedule, each)]


def _is_within(schedule: Schedule, date: datetime) -> bool:
    """Whether clocks show one of the hours in which dates count."""
    if schedule.hours is None:
        return True
    shown, begin, end = (
        f"{date.astimezone(ZoneInfo(schedule.timezone)):%H:%M}",
        schedule.hours.begin,
        schedule.hours.end,
    )
    return begin <= shown <= end if begin < end else shown >= begin or shown <= end


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
    timed, careful, after, filled, both = (world.runs(flow) for flow in ("timed", "careful", "after", "filled", "both"))
    dates = all_wanted([*world.schedules, world.careful], begin, end)
    for schedule in (*world.schedules, world.careful):
        own = [run for run in (*timed, *careful) if run.trigger["id"] == schedule.id]
        check_dates(schedule, dates[schedule.id], own, end)
    check_followed(timed, after)
    check_together(timed, careful, both)
    check_filled(world.items(), filled)
    return len(timed) + len(careful) + len(after) + len(filled) + len(both)


def check_dates(schedule: Schedule, told: list[datetime], own: list[Run], end: datetime) -> None:
    """Each date has started one run, not before its time nor too late, with the interval from the date before it."""
    over = end - timedelta(microseconds=schedule.jitter)  # later ones may still be to come
    found = Counter(moment(run.logical_date or 0) for run in own)
    doubled = [f"{date}" for date, count in found.items() if count > 1]
    foreign = sorted(map(str, found.keys() - set(told)))
    missed = [str(date) for date in told if date not in found and date <= over]
    assert not doubled, f"{schedule.id}: doubled {doubled[:5]} of {schedule}"
    assert not foreign, f"{schedule.id}: nobody wanted {foreign[:5]} of {schedule}"
    every = schedule.missed is Missed.ALL and not schedule.late
    assert not missed or not every, f"{schedule.id}: missed {missed[:5]} of {schedule}"
    before = dict(zip(told[1:], told, strict=False))
    for run in own:
        date = run.logical_date or 0
        assert date <= run.created_at, f"{run.id} of {schedule} started before its time"
        assert schedule.late is None or run.created_at - date <= schedule.late + SLACK, f"{run.id} is too late"
        assert run.interval_end == date, f"{run.id} ends with {run.interval_end}, not with {date}"
        if (start := before.get(moment(date))) is not None:
            assert run.interval_start == micros(start), f"{run.id} begins with {run.interval_start}, not with {start}"


def check_filled(items: list[Item], filled: list[Run]) -> None:
    """Each item was tried until it was a success, once each time, and not again after that."""
    assert all(item.status is ItemStatus.SUCCESS for item in items), Counter(item.status for item in items)
    tries = Counter((run.trigger["backfill"], run.trigger["number"]) for run in filled)
    good = [run.id for run in filled if run.status is RunStatus.SUCCESS]
    assert sorted(item.run for item in items) == sorted(good)
    assert tries == {(item.backfill, item.number): item.tries + 1 for item in items}


def check_together(timed: list[Run], careful: list[Run], both: list[Run]) -> None:
    """Within a window each end of either flow counted once for what waits for both."""
    windows = [Counter((run.ended_at or 0) // WINDOW for run in each) for each in (timed, careful)]
    ended = {run.id: (run.ended_at or 0) // WINDOW for run in (*timed, *careful)}
    fired = Counter(ended[str(run.trigger["executionId"])] for run in both)
    several = [window for window, count in fired.items() if count > min(each[window] for each in windows)]
    assert not several, f"fired oftener than both had come, in {[str(moment(each * WINDOW)) for each in several[:5]]}"


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


def once(seed: int) -> int:
    """Let time go by around one of the changes of clocks in ten years, another for each seed."""
    zone = ZONES[seed % len(ZONES)]
    found = changes(zone)
    return around(found[seed // len(ZONES) % len(found)], zone, seed)
