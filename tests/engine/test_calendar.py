"""Which dates does a schedule fire at? Those of its cron expression in its zone, which its conditions leave."""

from __future__ import annotations

import datetime
import itertools

import msgspec
import pytest

from penstock.engine import calendar, recurrence
from penstock.engine.closed import IsClosed
from penstock.errors.run import BadSchedule
from penstock.model.trigger import Dates, Missed, MissingHour, OnTime, Schedule


def micros(text: str) -> int:
    """The instant of a date-time."""
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1e6)


def schedule(cron: str, timezone: str = "", *, seconds: bool = False) -> Schedule:
    """A schedule with nothing else to it."""
    return Schedule(id="s", type="Schedule", cron=cron, timezone=timezone, seconds=seconds)


def after(trigger: OnTime, moment: str, many: int = 3, is_closed: IsClosed = calendar.always) -> list[str]:
    """The next dates, as written; those that do not count with the reason."""
    found = itertools.islice(calendar.dates_after(trigger, micros(moment), is_closed), many)
    return [f"{each.date.isoformat()} {each.why}".rstrip() for each in found]


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
    thirteenth, start = schedule("0 0 13 * *"), micros("2026-01-01T00:00:00+00:00")
    on_friday = calendar.Around(unmet=lambda date: "" if date.weekday() == 4 else "it is no Friday")
    never = calendar.Around(unmet=lambda date: "no")

    friday = calendar.fires_after(thirteenth, start, on_friday)
    before = calendar.fired_before(thirteenth, start, on_friday)

    assert friday is not None
    assert friday.isoformat() == "2026-02-13T00:00:00+00:00"
    assert before is not None
    assert before.isoformat() == "2025-06-13T00:00:00+00:00"
    assert calendar.fires_after(thirteenth, start, never) is None
    assert calendar.fires_after(schedule("* * * * *"), start, never) is None


@pytest.mark.parametrize("cron", ["61 * * * *", "* * * *", "0 0 3 * * *", "every day", ""])
def test_what_is_no_cron_expression_is_told(cron: str) -> None:
    with pytest.raises(BadSchedule):
        recurrence.check_cron(cron, False)


def test_an_unknown_time_zone_is_told() -> None:
    with pytest.raises(BadSchedule, match="Europe/Pariss"):
        recurrence.zone("Europe/Pariss")


def test_what_is_due_comes_in_its_order_once_with_what_it_covers_and_when_to_wake() -> None:
    nightly = schedule("0 3 * * *", "Europe/Paris")

    first = calendar.due(nightly, None, micros("2026-03-27T12:00:00Z"))
    early = calendar.due(nightly, first.last, micros("2026-03-28T01:59:59Z"))
    found = calendar.due(nightly, early.last, micros("2026-03-29T01:00:00Z"))
    again = calendar.due(nightly, found.last, micros("2026-03-29T00:00:00Z"))

    assert (first.ticks, first.wake) == ((), micros("2026-03-28T02:00:00Z"))
    assert early == first
    assert [(each.start.isoformat(), each.date.isoformat()) for each in found.ticks] == [
        ("2026-03-27T03:00:00+01:00", "2026-03-28T03:00:00+01:00"),
        ("2026-03-28T03:00:00+01:00", "2026-03-29T03:00:00+02:00"),
    ]
    assert found.wake == micros("2026-03-30T01:00:00Z")
    assert again == calendar.Due(last=found.last, wake=found.wake)


def test_more_than_was_asked_for_is_due_at_once() -> None:
    start, now = micros("2026-01-01T00:00:00Z"), micros("2026-01-01T00:30:00Z")

    found = calendar.due(schedule("* * * * *"), start, now, most=20)

    assert (len(found.ticks), found.wake) == (20, now)
    assert len(calendar.due(schedule("* * * * *"), found.last, now, most=20).ticks) == 10


@pytest.mark.parametrize(("policy", "days"), [(Missed.ALL, [2, 3, 4, 5]), (Missed.LAST, [4, 5]), (Missed.NONE, [5])])
def test_of_dates_that_nobody_looked_at_as_many_are_made_good_as_is_asked(policy: Missed, days: list[int]) -> None:
    daily = Schedule(id="s", type="Schedule", cron="@daily", missed=policy)
    around = calendar.Around(since=micros("2026-01-04T12:00:00Z"))

    found = calendar.due(daily, micros("2026-01-01T00:00:00Z"), micros("2026-01-05T00:00:00Z"), around)

    assert [each.date.day for each in found.ticks] == [2, 3, 4, 5]
    assert [each.date.day for each in found.ticks if not each.skipped] == days


def test_a_date_that_is_too_long_over_is_left_out() -> None:
    hourly = Schedule(id="s", type="Schedule", cron="@hourly", late=3_600_000_000)

    found = calendar.due(hourly, micros("2026-01-01T00:00:00Z"), micros("2026-01-01T03:30:00Z"))

    assert [each.skipped for each in found.ticks] == [
        "it is 9000 s over, more than 3600 s",
        "it is 5400 s over, more than 3600 s",
        "",
    ]


@pytest.mark.parametrize("far", ["9999-01-01", "0001-01-01T00:00:00Z"])
def test_a_date_that_is_too_far_away_is_told(far: str) -> None:
    with pytest.raises(BadSchedule, match="too far away"):
        recurrence.check_date(far)
    with pytest.raises(BadSchedule, match="too far away"):
        calendar.due(Schedule(id="s", type="Schedule", cron="@daily", begin=far), None, micros("2026-01-01T00:00:00Z"))


@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 0-3 * * *", "0 9 * * 1-5", "0 0 29 2 *", "15 4 1 * *"])
@pytest.mark.parametrize("zone", ["", "Europe/Paris", "Australia/Lord_Howe"])
def test_dates_around_one_that_are_remembered_are_those_that_are_counted(cron: str, zone: str) -> None:
    counted = calendar.Around(unmet=lambda _: "")  # as nothing is known of it, nothing is remembered
    other = Schedule(id="other", type="Schedule", cron=cron, timezone=zone, inputs={"of": "another"})

    for moment in ("2026-03-29T00:30:00Z", "2026-04-05T00:00:00Z", "2026-10-25T01:00:00Z", "2026-03-02T09:00:00Z"):
        for trigger in (schedule(cron, zone), other):
            at = micros(moment)
            assert calendar.fires_after(trigger, at) == calendar.fires_after(trigger, at, counted)
            assert calendar.fired_before(trigger, at) == calendar.fired_before(trigger, at, counted)


def test_what_triggers_say_tells_their_dates_apart() -> None:
    at = micros("2026-03-29T00:30:00Z")
    several = [schedule("0 3 * * *"), schedule("0 3 * * *", "Europe/Paris"), schedule("0 4 * * *")]
    shifted = [msgspec.structs.replace(schedule("30 2 * * *", "Europe/Paris"), missing=each) for each in MissingHour]

    found = [calendar.fires_after(each, at) for each in (*several, *shifted)]

    assert [str(each) for each in found] == [
        "2026-03-29 03:00:00+00:00",
        "2026-03-29 03:00:00+02:00",
        "2026-03-29 04:00:00+00:00",
        "2026-03-30 02:30:00+02:00",
        "2026-03-29 03:00:00+02:00",
        "2026-03-29 03:30:00+02:00",
    ]
