"""Do schedules fire as they should where clocks are changed? Against a slow reading of every minute."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine import calendar
from penstock.model.trigger import MissingHour, RepeatedHour, Schedule
from tests.engine.slow_calendar import BEGIN, END, ZONES, Cron, changes, instants

DAY = timedelta(days=1)
MARGIN = timedelta(hours=6)

numbers = st.integers(0, 59)
minutes = st.one_of(
    st.just("*"),
    st.sampled_from(["0", "30", "45", "*/7", "*/15", "*/30", "0,30", "15-45", "5-50/9"]),
    st.lists(numbers, min_size=1, max_size=4).map(lambda some: ",".join(map(str, some))),
)
hours = st.one_of(
    st.just("*"),
    st.sampled_from(["0", "1", "2", "3", "23", "*/2", "*/3", "1-3", "2,3", "22-23", "0,23"]),
    st.lists(st.integers(0, 23), min_size=1, max_size=4).map(lambda some: ",".join(map(str, some))),
)
days = st.sampled_from(["* * *"] * 6 + ["* * 0", "* * 1-5", "1-7 * *", "*/2 * *", "25-31 3,10 *", "13 * 5"])
LONG: Final = (
    "*/10 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "45 1,2,23 * * *",
    "0 0 * * *",
    "15 */2 * * 0",
    "*/20 3 1-7 * *",
)
crons = st.builds(lambda *parts: " ".join(parts), minutes, hours, days)


def fires(
    cron: str, zone: str, begin: datetime, end: datetime, missing: MissingHour, repeated: RepeatedHour
) -> list[datetime]:
    """When a schedule fires between two instants."""
    trigger = Schedule(id="s", type="Schedule", cron=cron, timezone=zone, missing=missing, repeated=repeated)
    found = calendar.dates_after(trigger, calendar.micros(begin) - 1)
    some = (each.date.astimezone(UTC) for each in found if not each.why)
    return list(itertools.takewhile(lambda each: each < end, some))


def slow(
    cron: str, zone: str, begin: datetime, end: datetime, missing: MissingHour, repeated: RepeatedHour
) -> list[datetime]:
    """The same, minute by minute; what is around it is looked at too."""
    found = instants(Cron(cron), zone, begin - MARGIN, end + MARGIN, missing, repeated)
    return [each for each in found if begin <= each < end]


@given(st.sampled_from(ZONES), st.data(), crons, st.sampled_from(MissingHour), st.sampled_from(RepeatedHour))
def test_what_fires_around_changed_clocks_is_what_every_minute_says(
    zone: str, data: st.DataObject, cron: str, missing: MissingHour, repeated: RepeatedHour
) -> None:
    change = data.draw(st.sampled_from(changes(zone)))
    begin, end = change - data.draw(st.integers(-20, 30)) * timedelta(minutes=47), change + DAY

    assert fires(cron, zone, begin, end, missing, repeated) == slow(cron, zone, begin, end, missing, repeated)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("missing", "repeated"), [("skip", "often"), ("next", "first"), ("shift", "last")])
def test_the_days_around_a_change_are_what_every_minute_of_them_says(zone: str, missing: str, repeated: str) -> None:
    policies = MissingHour(missing), RepeatedHour(repeated)
    first = changes(zone)[0]

    for cron in ("*/20 * * * *", "45 1-3,23 * * *", "15,45 1 * * *", "30 0 * * 0"):
        assert fires(cron, zone, first - 2 * DAY, first + 9 * DAY, *policies) == slow(
            cron, zone, first - 2 * DAY, first + 9 * DAY, *policies
        )


@pytest.mark.long
@pytest.mark.parametrize("zone", ZONES)
def test_ten_years_of_schedules_are_what_every_minute_of_them_says(zone: str) -> None:
    policies = list(itertools.product(MissingHour, RepeatedHour))
    for change in changes(zone):
        begin, end = change - 2 * DAY, change + 2 * DAY
        for cron in LONG:
            for each in policies:
                assert fires(cron, zone, begin, end, *each) == slow(cron, zone, begin, end, *each), (cron, change, each)
    usual = MissingHour.SKIP, RepeatedHour.OFTEN
    for year in range(BEGIN.year, END.year):
        begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        for cron in LONG[:2]:
            assert fires(cron, zone, begin, end, *usual) == slow(cron, zone, begin, end, *usual), (cron, year)


# What Kestra's own reckoning (cron-utils 9.2.1) gives around the changes of clocks; an hour of the day with its offset.
@pytest.mark.parametrize(
    ("cron", "zone", "after", "until", "hours"),
    [
        ("30 2 * * *", "Europe/Paris", "2026-03-28T12:00Z", "2026-03-30T12:00Z", "02:30+02"),
        ("30 2 * * *", "Europe/Paris", "2026-10-24T12:00Z", "2026-10-25T12:00Z", "02:30+02"),
        ("*/15 2 * * *", "Europe/Paris", "2026-10-25T00:20Z", "2026-10-25T12:00Z",
         "02:30+02 02:45+02 02:00+01 02:15+01 02:30+01 02:45+01"),
        ("0 * * * *", "Europe/Paris", "2026-10-24T22:30Z", "2026-10-25T02:30Z", "01:00+02 02:00+02 02:00+01 03:00+01"),
        ("0 */2 * * *", "Europe/Paris", "2026-10-24T21:30Z", "2026-10-25T03:30Z", "00:00+02 02:00+02 04:00+01"),
        ("0 */2 * * *", "Europe/Paris", "2026-03-28T21:30Z", "2026-03-29T04:30Z", "00:00+01 04:00+02 06:00+02"),
        ("0 1,2 * * *", "Europe/Paris", "2026-10-24T22:30Z", "2026-10-25T03:30Z", "01:00+02 02:00+02"),
        ("0 2,3 * * *", "Europe/Paris", "2026-10-24T22:30Z", "2026-10-25T03:30Z", "02:00+02 02:00+01 03:00+01"),
        ("0,30 1-3 * * *", "Europe/Paris", "2026-03-28T23:30Z", "2026-03-29T03:30Z",
         "01:00+01 01:30+01 03:00+02 03:30+02"),
        ("0 0 * * *", "America/Santiago", "2026-09-05T12:00Z", "2026-09-08T12:00Z", "00:00-03 00:00-03"),
        ("30 23 * * *", "America/Santiago", "2026-04-04T12:00Z", "2026-04-06T12:00Z", "23:30-03 23:30-04"),
        ("30 23,0 * * *", "America/Santiago", "2026-04-05T01:00Z", "2026-04-05T06:00Z", "23:30-03 23:30-04 00:30-04"),
        ("30 23,0 4 * *", "America/Santiago", "2026-04-05T01:00Z", "2026-04-05T06:00Z", "23:30-03"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-04T18:00Z", "01:45+11"),
        ("45 1,2 * * *", "Australia/Lord_Howe", "2026-04-04T13:00Z", "2026-04-04T18:00Z",
         "01:45+11 01:45+10:30 02:45+10:30"),
        ("50 2 * * *", "Pacific/Chatham", "2026-04-04T10:00Z", "2026-04-04T17:00Z", "02:50+13:45"),
        ("30 2,3 * * *", "Africa/Casablanca", "2026-02-14T23:00Z", "2026-02-15T06:00Z", "02:30+01 02:30+00 03:30+00"),
    ],
)  # fmt: skip
def test_a_cron_schedule_that_says_nothing_does_what_kestra_does(
    cron: str, zone: str, after: str, until: str, hours: str
) -> None:
    begin, end = datetime.fromisoformat(after), datetime.fromisoformat(until)

    found = fires(cron, zone, begin, end, MissingHour.SKIP, RepeatedHour.OFTEN)

    told = [each.astimezone(ZoneInfo(zone)).isoformat() for each in found]
    assert [each[11:16] + each[19:].removesuffix(":00") for each in told] == hours.split()


def test_a_day_that_a_country_left_out_is_skipped_or_made_up_at_its_end() -> None:
    begin, end = datetime(2011, 12, 29, 18, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC)

    skipped = fires("0 9 * * *", "Pacific/Apia", begin, end, MissingHour.SKIP, RepeatedHour.FIRST)
    next_ = fires("0 9 * * *", "Pacific/Apia", begin, end, MissingHour.NEXT, RepeatedHour.FIRST)

    assert [each.isoformat() for each in skipped] == [
        "2011-12-29T19:00:00+00:00",
        "2011-12-30T19:00:00+00:00",
        "2011-12-31T19:00:00+00:00",
    ]
    assert [each.isoformat() for each in next_] == [
        "2011-12-29T19:00:00+00:00",
        "2011-12-30T10:00:00+00:00",
        "2011-12-30T19:00:00+00:00",
        "2011-12-31T19:00:00+00:00",
    ]
