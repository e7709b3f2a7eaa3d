"""How do decisions use what lies outside a run? A worker looks, what it found is recorded, and the decision is made."""

from __future__ import annotations

from penstock.model.effect import Work
from penstock.model.event import Evaluated
from penstock.model.status import Outcome, RunStatus
from penstock.services import apply, runs, sweep
from penstock.store import kv
from tests.services.office import Office

CHOICE = {"if i": {"condition": "{{ kv('go') == 'yes' }}", "then": ["a"], "else": ["b"]}}


def remember(office: Office, key: str, value: object) -> None:
    """Put a value into the key-value store."""
    office.store.write(lambda tx: kv.set_value(tx, "tests", key, value, now=office.clock.now()))


def test_a_condition_on_a_stored_value_is_decided_by_what_a_worker_found(office: Office) -> None:
    remember(office, "go", "yes")
    run_id = office.start(office.push([CHOICE]))

    worked = office.work()

    assert worked == ["i", "a"]
    recorded = [told.event for told in office.story(run_id) if isinstance(told.event, Evaluated)]
    assert [event.values for event in recorded] == [{"condition": True}]


def test_what_was_found_counts_even_when_it_has_changed_since(office: Office) -> None:
    remember(office, "go", "yes")
    run_id = office.start(office.push([CHOICE]))
    office.work({"a": Outcome.FAILED})
    remember(office, "go", "no")

    runs.restart(office.core, run_id, "ann")

    assert office.work() == ["a"]


def test_a_value_that_is_not_there_fails_the_group_with_its_name(office: Office) -> None:
    run_id = office.start(office.push([CHOICE]))

    office.work()

    failure = office.run(run_id).failure
    assert office.run(run_id).status is RunStatus.FAILED
    assert failure is not None
    assert "'go' does not exist" in failure.message


def test_an_evaluation_is_claimed_and_reported_like_any_work(office: Office) -> None:
    run_id = office.start(office.push([CHOICE]))
    (held,) = office.claim()
    found = Evaluated("i", 1, {"condition": False})

    first, second = (apply.report_evaluated(office.core, held, found) for _ in range(2))

    assert held.work is Work.EVALUATE
    assert first
    assert second
    assert office.statuses(run_id) == {"i": "running", "b": "queued"}


def test_an_evaluation_under_a_fence_that_is_gone_is_refused(office: Office) -> None:
    office.start(office.push([CHOICE]))
    (held,) = office.claim("stalled")
    office.clock.advance(office.core.knobs.lease + 1)
    office.worker()
    sweep.sweep(office.core)

    accepted = apply.report_evaluated(office.core, held, Evaluated("i", 1, {"condition": True}))

    assert not accepted


def test_outputs_of_the_flow_may_be_looked_up(office: Office) -> None:
    remember(office, "total", 7)
    outputs = [{"id": "total", "type": "INT", "value": "{{ kv('total') }}"}]
    run_id = office.start(office.push({"tasks": ["a"], "outputs": outputs}))

    office.work()

    assert office.run(run_id).outputs == {"total": 7}


def test_values_of_a_loop_may_be_looked_up(office: Office) -> None:
    remember(office, "names", ["x", "y"])
    run_id = office.start(office.push([{"foreach each": {"values": "{{ kv('names') }}", "limit": 0, "tasks": ["a"]}}]))

    office.work()

    assert office.statuses(run_id)["each[1]/a"] == "success"
    assert office.steps(run_id)["each[1]"].value == "y"
