"""What does a sweep find? Timers, what dead workers held, what was left lying; a second one finds nothing."""

from __future__ import annotations

from penstock.model.status import Outcome, RunStatus
from penstock.services import sweep
from penstock.store import timers, workers
from tests.services.office import Office


def test_a_retry_begins_when_its_time_has_come(office: Office) -> None:
    run_id = office.start(office.push([{"a": {"retry": {"interval": "5s", "max_attempts": 2}}}]))
    office.work({"a": Outcome.FAILED})
    assert office.run(run_id).status is RunStatus.RETRYING

    office.wait(4)
    assert not office.claim()
    office.wait(1)

    assert office.work() == ["a"]
    assert office.run(run_id).status is RunStatus.SUCCESS


def test_a_sweep_tells_when_the_next_timer_rings(office: Office) -> None:
    office.start(office.push([{"a": {"deadline": "9s"}}]))

    due = sweep.sweep(office.core)

    assert due == office.clock.now() + 9_000_000


def test_a_run_that_takes_too_long_is_ended_and_its_timers_are_gone(office: Office) -> None:
    run_id = office.start(office.push({"timeout": "60s", "tasks": [{"a": {"deadline": "300s"}}]}))
    (held,) = office.claim()

    office.wait(60)

    assert office.run(run_id).status is RunStatus.FAILED
    assert office.end(held, Outcome.KILLED)
    assert office.statuses(run_id) == {"a": "cancelled"}
    assert office.store.read(timers.next_at) is None


def test_what_a_silent_worker_held_is_given_to_another(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b"]}]))
    office.claim("silent", room=2)
    office.clock.advance(office.core.knobs.lease // 2)
    office.worker("alive")
    office.clock.advance(office.core.knobs.lease // 2 + 1)

    sweep.sweep(office.core)

    assert {(held.step, held.attempt) for held in office.claim("alive", room=9)} == {("a", 2), ("b", 2)}
    assert [known.id for known in office.store.read(workers.list_workers)] == ["alive"]
    lost = [attempt for attempt in office.attempts(run_id) if attempt.outcome is Outcome.LOST]
    assert {(attempt.step, attempt.worker) for attempt in lost} == {("a", "silent"), ("b", "silent")}


def test_a_worker_that_beats_keeps_what_it_holds(office: Office) -> None:
    office.start(office.push(["a"]))
    (held,) = office.claim()

    for _ in range(9):
        office.wait(5)

    assert office.end(held)


def test_a_step_of_the_wall_clock_takes_nothing_from_anybody(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    (held,) = office.claim()

    office.clock.set_wall(24 * 3600 * 1_000_000)
    sweep.sweep(office.core)

    assert office.end(held)
    assert office.run(run_id).status is RunStatus.SUCCESS


def test_a_second_sweep_finds_nothing_to_do(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    office.claim("silent")
    office.clock.advance(office.core.knobs.lease + 1)
    sweep.sweep(office.core)
    version = office.run(run_id).version

    sweep.sweep(office.core)

    assert office.run(run_id).version == version


def test_what_belonged_to_a_dead_process_alone_is_open_to_everybody(office: Office) -> None:
    office.worker("owner")
    office.start(office.push(["a"]), owner="owner")
    assert not office.claim("other")
    office.clock.advance(office.core.knobs.lease + 1)
    office.beat("other")

    sweep.sweep(office.core)

    assert [held.step for held in office.claim("other")] == ["a"]


def test_a_step_that_kills_three_workers_in_a_row_fails(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    for number in range(3):
        assert office.claim(f"w{number}")
        office.clock.advance(office.core.knobs.lease + 1)
        sweep.sweep(office.core)

    failure = office.run(run_id).failure
    assert office.run(run_id).status is RunStatus.FAILED
    assert failure is not None
    assert str(failure.kind) == "lost"
