"""Does every date start one run, and every end and item another, whoever dies or stands still, whatever clocks show?"""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from penstock.engine.calendar import micros, moment
from tests.engine.slow_calendar import BEGIN, END, ZONES, changes
from tests.simulation.matched import DAY, around, check
from tests.simulation.ticking import CRONS, Ticking

# Of each zone's changes of clocks in ten years so many are gone through quickly, others under each seed.
QUICK = 3


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
        world.schedules_are("30 2 * * *", "15 0,12 * * 1-5", "0,30 2 1-15 * *", "30 1-4 15 * *")
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
