"""Which days are closed for a schedule? Holidays, days that are not worked on, lists of dates; and what opens again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from penstock.errors.run import BadSchedule
from penstock.model.trigger import Calendar, Schedule
from penstock.services.calendars import Calendars, Kept

WORKING = (1, 2, 3, 4, 5)


def why(calendars: Calendars, said: Calendar | None, day: str) -> str:
    """Why a day is closed."""
    return calendars.of(Schedule(id="s", type="Schedule", cron="@daily", calendar=said))(date.fromisoformat(day))


def test_every_day_is_open_where_no_calendar_is_named() -> None:
    assert why(Calendars(), None, "2026-12-25") == ""


def test_holidays_of_a_country_and_of_its_regions_are_closed() -> None:
    germany, bavaria = Calendar(country="DE"), Calendar(country="de", region="BY")

    assert why(Calendars(), germany, "2026-12-25") == "it is a holiday: Christmas Day"
    assert why(Calendars(), germany, "2026-01-06") == ""
    assert why(Calendars(), bavaria, "2026-01-06") == "it is a holiday: Epiphany"
    assert why(Calendars(), germany, "2036-12-25") == "it is a holiday: Christmas Day"


def test_a_calendar_of_the_project_closes_days_and_a_flow_adds_to_it(tmp_path: Path) -> None:
    file = tmp_path / "days.txt"
    file.write_text("# our own\n2026-08-03  moving house\n2026-08-04, still\n\n")
    bank = Calendar(name="bank", weekdays=WORKING, closed=("2026-12-24",), opened=("2026-08-08",))
    calendars = Calendars({"bank": Kept(bank, file)})

    assert why(calendars, Calendar(name="bank"), "2026-08-03") == "the calendar bank closes 2026-08-03"
    assert why(calendars, Calendar(name="bank"), "2026-08-04") == "the calendar bank closes 2026-08-04"
    assert why(calendars, Calendar(name="bank"), "2026-12-24") == "the calendar bank closes 2026-12-24"
    assert why(calendars, Calendar(name="bank"), "2026-08-09") == "Sunday is no working day"
    assert why(calendars, Calendar(name="bank"), "2026-08-08") == ""
    assert why(calendars, Calendar(name="bank", opened=("2026-12-24",)), "2026-12-24") == ""
    assert why(calendars, Calendar(name="bank", closed=("2026-08-05",)), "2026-08-05") != ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Calendar(name="bnk"), 'There is no calendar "bnk"'),
        (Calendar(country="XX"), 'The holidays of "XX" are not known'),
        (Calendar(country="DE", region="XX"), 'The holidays of "DE-XX" are not known'),
        (Calendar(closed=("christmas",)), '"christmas" is no day'),
        (Calendar(name="lost"), "cannot be read"),
    ],
)
def test_a_calendar_that_cannot_be_had_is_told(said: Calendar, told: str, tmp_path: Path) -> None:
    calendars = Calendars({"bank": Kept(Calendar(name="bank")), "lost": Kept(Calendar(name="lost"), tmp_path / "no")})

    with pytest.raises(BadSchedule, match=told):
        why(calendars, said, "2026-01-01")
