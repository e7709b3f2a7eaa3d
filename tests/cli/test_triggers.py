"""Do people see what starts a flow by itself, and when? Dates, what runs are given, why some are passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Penstock

TEXT = """
id: daily
namespace: shop
inputs: [{id: day, type: DATE, required: false}]
tasks: [{id: a, type: log, message: hi}]
triggers:
  - id: nightly
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 3 * * *"
    timezone: Europe/Paris
    inputs: {day: "{{ trigger.date | date('yyyy-MM-dd', timeZone='Europe/Paris') }}"}
    conditions:
      - {type: io.kestra.plugin.core.condition.Not, conditions: [{type: io.kestra.plugin.core.condition.Weekend}]}
  - {id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: k}
"""


@pytest.fixture
def daily(folder: Path) -> str:
    """A flow with a schedule."""
    (folder / "daily.yml").write_text(TEXT)
    return "daily.yml"


def test_the_next_dates_are_those_that_meet_the_conditions_with_what_runs_will_be_given(
    penstock: Penstock, daily: str
) -> None:
    done = penstock("triggers", "next", daily, "-n", "3", "--after", "2026-03-26T12:00:00Z", "--json")

    found = json.loads(done.out)
    assert [each["date"] for each in found] == [
        "2026-03-27T03:00:00+01:00",
        "2026-03-30T03:00:00+02:00",
        "2026-03-31T03:00:00+02:00",
    ]
    assert [each["inputs"]["day"] for each in found] == ["2026-03-27", "2026-03-30", "2026-03-31"]
    assert found[0]["variables"]["next"] == "2026-03-30T03:00:00+02:00"
    assert found[1]["variables"]["previous"] == "2026-03-27T03:00:00+01:00"


def test_dates_that_are_passed_over_are_shown_with_their_reason(penstock: Penstock, daily: str) -> None:
    done = penstock("triggers", "next", daily, "nightly", "-n", "2", "--after", "2026-03-27T12:00:00Z", "--all")

    assert "2026-03-28T03:00:00+01:00  Sat" in done.out
    assert "{{ isWeekend(trigger.date) }} is true" in done.out


def test_the_triggers_of_a_flow_are_listed_and_a_wrong_name_is_told(penstock: Penstock, daily: str) -> None:
    listed = penstock("triggers", "list", daily)
    wrong = penstock("triggers", "next", daily, "nightley")

    assert "0 3 * * * Europe/Paris" in listed.out
    assert "a request" in listed.out
    assert wrong.code == 2
    assert 'Did you mean "nightly"?' in wrong.err


def test_a_date_on_a_closed_day_is_skipped_or_moved_as_the_schedule_says(penstock: Penstock, folder: Path) -> None:
    (folder / "penstock.yaml").write_text("calendars: {bank: {country: FR, workingDays: [FRIDAY, MONDAY]}}\n")
    text = TEXT[: TEXT.index("triggers:")] + (
        "triggers:\n"
        "  - {id: pay, type: io.kestra.plugin.core.trigger.Schedule, cron: 0 9 25-28 12 *, calendar: bank}\n"
        "  - {id: kept, type: io.kestra.plugin.core.trigger.Schedule, cron: 0 9 25 12 *, calendar: bank, "
        "onClosedDay: NEXT, jitter: PT10M}\n"
    )
    (folder / "pay.yml").write_text(text)

    skipped = penstock("triggers", "next", "pay.yml", "pay", "-n", "4", "--after", "2026-03-26T12:00:00Z", "--all")
    moved = penstock("triggers", "next", "pay.yml", "kept", "-n", "1", "--after", "2026-03-26T12:00:00Z", "--json")

    assert "2026-12-25T09:00:00+00:00  Fri  skipped: it is a holiday: Christmas Day" in skipped.out
    assert "2026-12-26T09:00:00+00:00  Sat  skipped: Saturday is no working day" in skipped.out
    found = json.loads(moved.out)[0]
    assert (found["date"], found["planned"]) == ("2026-12-28T09:00:00Z", "2026-12-25T09:00:00")
    assert "2026-12-28T09:00:00" < found["at"] < "2026-12-28T09:10:00"


def test_triggers_of_the_store_are_shown_and_switched(penstock: Penstock) -> None:
    Path("ticking.yml").write_text(
        "id: ticking\nnamespace: play\ntasks: [{id: say, type: log, message: hello}]\n"
        "triggers: [{id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '@daily'}]\n"
    )
    penstock("flows", "push", "ticking.yml")

    first = penstock("triggers", "status")
    off, wrong = penstock("triggers", "off", "play.ticking", "daily"), penstock("triggers", "off", "ticking", "dayly")
    (shown,) = penstock("triggers", "status", "--namespace", "play", "--json").json()
    on = penstock("triggers", "on", "play.ticking", "daily")

    assert first.out.splitlines()[1].split()[:3] == ["play.ticking/daily", "schedule", "now"]
    assert (off.err.strip(), on.err.strip()) == ("play.ticking/daily is off.", "play.ticking/daily is on.")
    assert shown["off_by"]
    assert 'no trigger "dayly"' in wrong.err
