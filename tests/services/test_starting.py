"""How does a run begin? Once per key, with typed inputs, with labels, and behind its limit in its turn."""

from __future__ import annotations

import pytest

from penstock.errors.run import CheckUnmet, InvalidInput
from penstock.model.event import Begin
from penstock.model.policy import SECOND
from penstock.model.status import Outcome, RunStatus
from penstock.services import starting
from tests.services.office import Office


def test_one_key_starts_one_run(office: Office) -> None:
    plan = office.push(["a"])

    first = office.start(plan, key="order 7")
    again = office.start(plan, key="order 7")
    other = office.start(plan, key="order 8")

    assert first == again != other
    assert office.work() == ["a", "a"]


def test_many_runs_of_one_key_written_together_are_one_run(office: Office) -> None:
    plan = office.push(["a"])
    asked = [starting.begin(office.core, plan, starting.Start(key=key)) for key in ("seven", "seven", "eight")]

    first, again, other = starting.insert(office.core, asked)
    later = starting.insert(office.core, [starting.begin(office.core, plan, starting.Start(key="eight"))])

    assert first == again != other
    assert later == [other]
    assert office.work() == ["a", "a"]


def test_a_run_without_a_key_is_a_run_of_its_own(office: Office) -> None:
    plan = office.push(["a"])

    assert office.start(plan) != office.start(plan)


def test_ids_of_runs_sort_by_time(office: Office) -> None:
    plan = office.push(["a"])

    first = office.start(plan)
    office.clock.advance(SECOND)

    assert first < office.start(plan)


def test_given_labels_win_over_the_flows_and_the_systems_are_added(office: Office) -> None:
    plan = office.push({"labels": {"team": "red", "tier": "1"}, "tasks": ["a"]})

    run_id = office.start(plan, labels={"team": "blue"})

    labels = office.run(run_id).labels
    assert labels == {"team": "blue", "tier": "1", "system.correlationId": run_id}


def test_the_systems_labels_are_not_for_people(office: Office) -> None:
    plan = office.push(["a"])

    with pytest.raises(InvalidInput, match=r"system\.username"):
        office.start(plan, labels={"system.username": "me"})


def test_a_run_carries_its_dates_priority_and_who_started_it(office: Office) -> None:
    plan = office.push(["a"])
    asked = {"logical_date": 5, "interval_start": 5, "interval_end": 9, "priority": 3, "by": "ann"}

    run = office.run(office.start(plan, **asked))

    assert (run.logical_date, run.interval_start, run.interval_end, run.priority, run.started_by) == (5, 5, 9, 3, "ann")


def test_of_two_runs_the_one_of_higher_priority_is_worked_on_first(office: Office) -> None:
    plan = office.push(["a"])
    low, high = office.start(plan), office.start(plan, priority=1)

    claimed = office.claim(room=2)

    assert [held.run for held in claimed] == [high, low]


def test_a_limit_lets_in_by_priority_then_by_age(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a"]})
    started = []
    for priority in (0, 0, 5, 1, 5):
        started.append(office.start(plan, priority=priority))
        office.clock.advance(SECOND)

    order = []
    for _ in started:
        (held,) = office.claim()
        order.append(started.index(held.run))
        assert not office.claim(), "two runs are in at once"
        office.end(held)

    assert order == [0, 2, 4, 3, 1]


def test_a_slot_is_freed_by_every_kind_of_end(office: Office) -> None:
    from_status = {Outcome.DONE: "success", Outcome.FAILED: "failed", Outcome.WARNING: "warning"}
    plan = office.push({"limit": {"count": 1}, "tasks": ["a"]})
    started = [office.start(plan) for _ in range(4)]

    for outcome in from_status:
        (held,) = office.claim()
        office.end(held, outcome)

    assert [str(office.run(each).status) for each in started] == ["success", "failed", "warning", "running"]


@pytest.mark.parametrize(("word", "status"), [("cancel", RunStatus.CANCELLED), ("fail", RunStatus.FAILED)])
def test_a_flow_that_does_not_want_to_wait_ends_what_finds_no_room(
    office: Office, word: str, status: RunStatus
) -> None:
    plan = office.push({"limit": {"count": 1, "when_full": word}, "tasks": ["a"]})

    first, second = office.start(plan), office.start(plan)

    assert office.run(first).status is RunStatus.RUNNING
    assert office.run(second).status is status
    assert office.work() == ["a"]


def test_limits_of_flows_do_not_hold_each_other_up(office: Office) -> None:
    one = office.push({"limit": {"count": 1}, "tasks": ["a"]}, "one")
    two = office.push({"limit": {"count": 1}, "tasks": ["b"]}, "two")

    office.start(one), office.start(one), office.start(two)

    assert {held.step for held in office.claim(room=9)} == {"a", "b"}


CHECKS = [
    {"condition": "{{ inputs.n < 10 }}", "message": "n is too large"},
    {"condition": "{{ inputs.n != 7 }}", "message": "not seven", "unmet": "fail"},
    {"condition": "{{ kv('nothing', errorOnMissing=false) == 'x' }}", "message": "mind the key", "unmet": "go_on"},
]
CHECKED = {"inputs": [{"id": "n", "type": "INT"}], "checks": CHECKS, "tasks": ["a"]}


def test_a_check_that_is_not_met_lets_nothing_begin(office: Office) -> None:
    plan = office.push(CHECKED)

    with pytest.raises(CheckUnmet, match="n is too large"):
        office.start(plan, inputs={"n": 30})

    assert office.work() == []


def test_a_check_may_fail_a_run_at_once(office: Office) -> None:
    plan = office.push(CHECKED)

    run = office.run(office.start(plan, inputs={"n": 7}))

    assert run.status is RunStatus.FAILED
    assert run.failure is not None
    assert run.failure.message == "not seven"
    assert office.work() == []


def test_what_a_check_says_of_a_run_that_goes_on_is_told_in_its_story(office: Office) -> None:
    plan = office.push(CHECKED)

    run_id = office.start(plan, inputs={"n": 3})

    assert office.work() == ["a"]
    first = office.story(run_id)[0].event
    assert isinstance(first, Begin)
    assert first.notes == ("info: mind the key",)
