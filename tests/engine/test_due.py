"""Is every tick of a trigger due once, whoever asks when? Ticks against slow tellings, whatever the clock does."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.engine import calendar, recurrence
from penstock.engine.calendar import Around, Tick
from penstock.errors.run import BadSchedule
from penstock.model.trigger import ClosedDay, Dates, Hours, Interval, Missed, MissingHour, OnTime, Rule, Schedule
from tests.engine.slow_calendar import ZONES, changes

DAY, HOUR, MINUTE = 86_400_000_000, 3_600_000_000, 60_000_000
PARIS = "Europe/Paris"
zones = st.sampled_from(ZONES)
kinds = st.sampled_from([
    Schedule(id="s", type="Schedule", cron="30 2 * * *"),
    Schedule(id="s", type="Schedule", cron="0,30 1-3,23 * * *", missing=MissingHour.NEXT),
    Schedule(id="s", type="Schedule", cron="15 5,17 * * *"),
    Interval(id="s", type="Schedule", every=7 * HOUR),
    Rule(id="s", type="Schedule", rule="FREQ=DAILY;BYHOUR=2,3,9;BYMINUTE=30", anchor="2020-01-01T00:00:00"),
    Rule(id="s", type="Schedule", rule="FREQ=HOURLY;INTERVAL=5"),
])  # fmt: skip


def micros(text: str) -> int:
    """The instant of a date-time."""
    return calendar.micros(datetime.fromisoformat(text))


def weekend(day: date) -> str:
    """A calendar that closes Saturdays and Sundays."""
    return "it is the weekend" if day.isoweekday() > 5 else ""


triggers = st.builds(
    lambda kind, zone, jitter, closed: replace(kind, timezone=zone, jitter=jitter, closed=closed),
    kinds,
    zones,
    st.sampled_from([0, 20 * MINUTE, 30 * HOUR]),
    st.sampled_from(ClosedDay),
)


def written(found: list[Tick] | tuple[Tick, ...]) -> list[str]:
    """The dates of ticks that count."""
    return [each.date.isoformat() for each in found if not each.skipped]


@given(st.data(), triggers, st.lists(st.integers(-60, 400), min_size=3, max_size=12))
def test_every_tick_is_due_once_and_in_order_however_the_clock_jumps(
    data: st.DataObject, trigger: OnTime, jumps: list[int]
) -> None:
    around = Around(is_closed=weekend, flow="shop.daily")
    begin = calendar.micros(data.draw(st.sampled_from(changes(trigger.timezone)))) - DAY
    now, last = begin, begin
    found: list[Tick] = []

    for jump in jumps:
        now += jump * MINUTE
        looked = calendar.due(trigger, last, now, around, most=data.draw(st.integers(1, 5)))
        found += looked.ticks
        assert all(each.at <= now for each in looked.ticks)
        last = looked.last
    end = max(now, begin) + 2 * DAY
    while (looked := calendar.due(trigger, last, end, around, most=7)).ticks:
        found, last = found + list(looked.ticks), looked.last

    assert tuple(found) == calendar.due(trigger, begin, end, around).ticks
    assert len({each.logical for each in found if not each.skipped}) == len(written(found))
    assert [each.at for each in found if not each.skipped] == sorted(each.at for each in found if not each.skipped)
    assert looked.wake is not None
    assert looked.wake > end


@given(st.data(), triggers)
def test_dates_before_an_instant_are_those_after_an_earlier_one_and_intervals_join_them(
    data: st.DataObject, trigger: OnTime
) -> None:
    around = Around(is_closed=weekend)
    middle = calendar.micros(data.draw(st.sampled_from(changes(trigger.timezone))))
    begin, end = middle - 2 * DAY, middle + DAY

    after = itertools.takewhile(
        lambda each: calendar.micros(each.date) < end, calendar.dates_after(trigger, begin, weekend)
    )
    before = itertools.takewhile(
        lambda each: calendar.micros(each.date) > begin, calendar.dates_before(trigger, end, weekend)
    )
    ticks = [each for each in calendar.due(trigger, begin, end, around).ticks if not each.skipped]

    assert list(after) == list(before)[::-1]
    assert all(old.date == new.start for old, new in itertools.pairwise(ticks))
    assert all(calendar.micros(each.start) < each.logical for each in ticks)
    assert all(each.logical <= each.at <= each.logical + trigger.jitter for each in ticks)


@given(st.sampled_from([ClosedDay.NEXT, ClosedDay.PREVIOUS]), st.sets(st.integers(0, 27)), st.integers(4, 20), zones)
def test_a_date_on_a_closed_day_moves_to_the_nearest_open_one(
    where: ClosedDay, closed: set[int], hour: int, zone: str
) -> None:
    days = [date(2026, 3, 1) + timedelta(days=count) for count in range(-10, 70)]
    shut = {date(2026, 3, 8) + timedelta(days=count) for count in closed}
    trigger = Schedule(
        id="s", type="Schedule", cron=f"5 {hour} */3 * *", timezone=zone, closed=where, missing=MissingHour.SHIFT
    )

    begin, end = datetime(2026, 3, 1, tzinfo=ZoneInfo(zone)), datetime(2026, 4, 20, tzinfo=ZoneInfo(zone))
    some = calendar.dates_after(trigger, calendar.micros(begin), lambda day: "closed" if day in shut else "")
    found = {each.date.date() for each in itertools.takewhile(lambda each: each.date < end, some) if not each.why}

    step = timedelta(days=1 if where is ClosedDay.NEXT else -1)
    wanted = {next(day for day in walk(one, step) if day not in shut) for one in days if one.day in range(1, 32, 3)}
    assert found == {day for day in wanted if date(2026, 3, 1) <= day < date(2026, 4, 20)}


def walk(day: date, step: timedelta) -> itertools.accumulate[date]:
    """A day and those on from it, in one direction."""
    return itertools.accumulate(itertools.repeat(step), lambda one, more: one + more, initial=day)


@given(
    st.sampled_from(["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 50),
    st.sampled_from(
        ["", ";BYDAY=MO,TH", ";BYDAY=-1FR;BYHOUR=9", ";BYSETPOS=-1;BYHOUR=3,9", ";BYMONTH=2,7", ";COUNT=40"]
    ),
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 3, 1)).map(lambda each: each.replace(microsecond=0)),
    st.integers(0, 50),
)
def test_a_rule_has_the_dates_that_it_has_from_its_beginning(
    freq: str, every: int, more: str, anchor: datetime, days: int
) -> None:
    every *= {"SECONDLY": 1997, "MINUTELY": 97}.get(freq, 1)
    rule = f"FREQ={freq};INTERVAL={every}{more}"
    start = datetime(2026, 3, 1) + timedelta(days=days)
    try:
        wanted = rrulestr(rule, dtstart=anchor).xafter(start, count=5, inc=True)
        expected = [each for each in wanted if each < start + timedelta(days=3600)]
    except ValueError:
        # It can be told from such a rule alone that no date fits it.
        expected = []

    trigger = Rule(id="r", type="Schedule", rule=rule, anchor=anchor.isoformat())
    found = calendar.dates_after(trigger, calendar.micros(start.replace(tzinfo=UTC)) - 1)

    assert [each.date.replace(tzinfo=None) for each in itertools.islice(found, len(expected) or 1)] == expected


@pytest.mark.parametrize(
    "rule",
    ["", "FREQ=OFTEN", "BYDAY=MO", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=x", "FREQ=DAILY;UNTIL=soon",
     "FREQ=DAILY;X=1", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYHOUR=25", "FREQ",
     "FREQ=DAILY;BYDAY=0MO", "FREQ=DAILY;WKST=X", "FREQ=DAILY;BYMONTHDAY=0"],
)  # fmt: skip
def test_what_is_no_rule_is_told(rule: str) -> None:
    with pytest.raises(BadSchedule):
        recurrence.check_rule(rule)


def test_a_rule_that_no_date_fits_ends() -> None:
    never = Rule(id="r", type="Schedule", rule="FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30")

    found = calendar.due(never, None, micros("2026-01-01T00:00:00Z"))

    assert (found.ticks, found.wake) == ((), None)


def test_a_rule_ends_with_its_last_day() -> None:
    rule = Rule(id="r", type="Schedule", rule="FREQ=DAILY;BYHOUR=23;UNTIL=20260103", timezone=PARIS)

    found = calendar.due(rule, micros("2026-01-01T00:00:00Z"), micros("2026-02-01T00:00:00Z"))

    assert [each.date.day for each in found.ticks] == [1, 2, 3]
    assert found.wake is None


def test_an_interval_counts_elapsed_time_from_its_anchor() -> None:
    every = Interval(id="i", type="Schedule", every=6 * HOUR, anchor="2026-03-28T01:00:00", timezone=PARIS)

    found = calendar.due(every, micros("2026-03-28T18:00:00Z"), micros("2026-03-29T12:00:00Z"))

    assert written(found.ticks) == [
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T08:00:00+02:00",
        "2026-03-29T14:00:00+02:00",
    ]


def test_dates_begin_and_end_when_they_are_told_to_and_count_in_their_hours_alone() -> None:
    trigger = Schedule(
        id="s",
        type="Schedule",
        cron="0 */6 * * *",
        begin="2026-01-02",
        end="2026-01-03",
        hours=Hours(begin="06:00", end="12:00"),
    )

    found = calendar.due(trigger, micros("2026-01-01T00:00:00Z"), micros("2026-02-01T00:00:00Z"))

    assert [f"{each.date:%d %H}" for each in found.ticks if not each.skipped] == ["02 06", "02 12", "03 06", "03 12"]
    assert found.ticks[0].skipped == "it is not between 06:00 and 12:00"
    assert found.ticks[0].date == datetime(2026, 1, 2, tzinfo=UTC)
    assert found.wake is None


def test_hours_may_go_past_midnight() -> None:
    night = Schedule(id="s", type="Schedule", cron="0 * * * *", hours=Hours(begin="22:00", end="02:00"))

    found = calendar.due(night, micros("2026-01-01T12:00:00Z"), micros("2026-01-02T12:00:00Z"))

    assert [each.date.hour for each in found.ticks if not each.skipped] == [22, 23, 0, 1, 2]


def test_a_date_of_an_hour_that_was_left_out_is_still_to_come_just_after_the_change() -> None:
    trigger = Schedule(id="s", type="Schedule", cron="30 2 * * *", timezone=PARIS, missing=MissingHour.SHIFT)

    found = calendar.due(trigger, micros("2026-03-29T01:10:00Z"), micros("2026-03-29T02:00:00Z"))

    assert written(found.ticks) == ["2026-03-29T03:30:00+02:00"]


def test_dates_that_are_moved_to_one_that_there_is_are_told_and_start_nothing() -> None:
    trigger = Schedule(id="s", type="Schedule", cron="0 9 * * *", closed=ClosedDay.NEXT)

    found = calendar.due(
        trigger, micros("2026-03-27T12:00:00Z"), micros("2026-03-31T12:00:00Z"), Around(is_closed=weekend)
    )

    assert [(each.date.day, each.planned and each.planned.day, each.skipped) for each in found.ticks] == [
        (30, None, ""),
        (30, 28, "there is a date at the same time already"),
        (30, 29, "there is a date at the same time already"),
        (31, None, ""),
    ]
    assert found.ticks[0].start == datetime(2026, 3, 27, 9, tzinfo=UTC)


def test_where_every_day_is_closed_nothing_fires_and_nobody_waits_for_ever() -> None:
    def shut(_day: object) -> str:
        return "closed"

    for closed in ClosedDay:
        trigger = Schedule(id="s", type="Schedule", cron="0 */2 * * *", closed=closed)
        found = calendar.due(trigger, None, micros("2026-01-01T00:00:00Z"), Around(is_closed=shut))
        assert found.wake is not None
        assert calendar.fires_after(trigger, found.last, Around(is_closed=shut)) is None


def test_jitter_is_the_same_whenever_it_is_asked_and_another_for_each_trigger() -> None:
    one = Schedule(id="one", type="Schedule", cron="@daily", jitter=HOUR)
    other = replace(one, id="other")
    span = micros("2026-01-01T00:00:00Z"), micros("2026-01-20T12:00:00Z")

    found = [[each.at - each.logical for each in calendar.due(each, *span).ticks] for each in (one, one, other)]

    assert found[0] == found[1] != found[2]
    assert len(set(found[0])) > 10
    assert max(found[0]) < HOUR


def test_what_was_missed_is_made_good_as_the_trigger_says() -> None:
    trigger = Dates(id="d", type="ScheduleOnDates", dates=("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-09"))
    span = micros("2025-12-31T00:00:00Z"), micros("2026-01-05T00:00:00Z")

    found = {policy: written(calendar.missed(replace(trigger, missed=policy), *span)) for policy in Missed}

    assert [len(each) for each in found.values()] == [3, 1, 0]
    assert found[Missed.LAST] == ["2026-01-03T00:00:00+00:00"]
