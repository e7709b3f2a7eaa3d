"""Which dates does a schedule fire at? Those of its cron expression in its zone, which its conditions leave."""

from __future__ import annotations

import datetime
import itertools

import pytest

from penstock.engine import calendar
from penstock.errors.run import BadSchedule
from penstock.model.trigger import Dates, Schedule


def micros(text: str) -> int:
    """The instant of a date-time."""
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1e6)


def schedule(cron: str, timezone: str = "", *, seconds: bool = False) -> Schedule:
    """A schedule with nothing else to it."""
    return Schedule(id="s", type="Schedule", cron=cron, timezone=timezone, seconds=seconds)


def after(trigger: Schedule | Dates, moment: str, many: int = 3) -> list[str]:
    """The next dates, as written."""
    return [each.isoformat() for each in itertools.islice(calendar.dates_after(trigger, micros(moment)), many)]


def test_the_dates_of_a_cron_expression_are_those_of_its_time_zone() -> None:
    found = after(schedule("0 3 * * 1-5", "Europe/Paris"), "2026-03-26T12:00:00+00:00")

    assert found == ["2026-03-27T03:00:00+01:00", "2026-03-30T03:00:00+02:00", "2026-03-31T03:00:00+02:00"]


def test_nicknames_and_seconds_are_understood() -> None:
    assert after(schedule("@daily"), "2026-01-01T00:00:00+00:00", 1) == ["2026-01-02T00:00:00+00:00"]
    every = after(schedule("*/20 * * * * *", seconds=True), "2026-01-01T00:00:10+00:00", 2)
    assert every == ["2026-01-01T00:00:20+00:00", "2026-01-01T00:00:40+00:00"]


def test_dates_written_down_come_in_their_order_each_once_it_is_later() -> None:
    dates = Dates(
        id="d",
        type="ScheduleOnDates",
        dates=("2026-07-14T09:00:00+02:00", "2026-01-01T00:00:00"),
        timezone="America/New_York",
    )

    assert after(dates, "2025-01-01T00:00:00+00:00") == ["2026-01-01T00:00:00-05:00", "2026-07-14T03:00:00-04:00"]
    assert after(dates, "2026-07-14T07:00:00+00:00") == []


def test_a_date_that_meets_no_condition_is_passed_over_and_none_is_looked_for_without_end() -> None:
    thirteenth = schedule("0 0 13 * *")

    friday = calendar.fires_after(thirteenth, micros("2026-01-01T00:00:00+00:00"), lambda date: date.weekday() == 4)
    never = calendar.fires_after(thirteenth, micros("2026-01-01T00:00:00+00:00"), lambda date: False)
    before = calendar.fired_before(thirteenth, micros("2026-01-01T00:00:00+00:00"), lambda date: date.weekday() == 4)

    assert next(friday).isoformat() == "2026-02-13T00:00:00+00:00"
    assert list(never) == []
    assert before is not None
    assert before.isoformat() == "2025-06-13T00:00:00+00:00"


@pytest.mark.parametrize("cron", ["61 * * * *", "* * * *", "0 0 3 * * *", "every day", ""])
def test_what_is_no_cron_expression_is_told(cron: str) -> None:
    with pytest.raises(BadSchedule):
        calendar.check(cron, False, "")


def test_an_unknown_time_zone_is_told() -> None:
    with pytest.raises(BadSchedule, match="Europe/Pariss"):
        calendar.check("@daily", False, "Europe/Pariss")
