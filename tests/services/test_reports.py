"""What becomes of what workers say? Accepted once, under its fence alone, whole with what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec
import pytest
from msgspec.structs import replace

from penstock.engine import Loaded
from penstock.model.effect import Ready
from penstock.model.event import Ended
from penstock.model.plan import Plan
from penstock.model.status import Outcome, RunStatus
from penstock.services import apply, claims, pools, reading, render, runs, sweep
from penstock.services.core import Knobs
from penstock.store import inbox, queue
from penstock.store.port import Store, Tx
from tests.services.office import LosesAnswers, Office


@pytest.fixture
def losing() -> Iterator[tuple[Office, LosesAnswers]]:
    """An office whose database loses answers to COMMIT, as often as told."""
    office = Office(around=lambda store: cast(Store, LosesAnswers(store)))
    yield office, cast(LosesAnswers, office.core.store)
    office.close()


def test_a_report_said_twice_is_said_once(office: Office) -> None:
    run_id = office.start(office.push(["a", "b"]))
    (held,) = office.claim()

    first, second = office.end(held), office.end(held)

    assert first and second
    assert [attempt.step for attempt in office.attempts(run_id)] == ["a"]
    assert [told.accepted for told in office.story(run_id) if isinstance(told.event, Ended)] == [True]


def test_a_report_is_refused_after_its_lease_has_passed_on(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    (stalled,) = office.claim("stalled")
    office.clock.advance(office.core.knobs.lease + 1)
    office.worker("other")
    sweep.sweep(office.core)
    (held,) = office.claim("other")

    accepted = office.end(stalled, Outcome.FAILED)

    assert not accepted
    assert held.attempt == 2
    assert office.statuses(run_id) == {"a": "queued"}
    refused = [told for told in office.story(run_id) if not told.accepted]
    assert [(told.worker, told.fence) for told in refused] == [("stalled", stalled.fence)]
    assert office.end(held)
    assert office.run(run_id).status is RunStatus.SUCCESS


def test_the_claim_of_a_killed_attempt_is_flagged_and_its_report_still_counts(office: Office) -> None:
    run_id = office.start(office.push(["a", "b"]))
    (held,) = office.claim()

    runs.kill(office.core, run_id, "ann", force=True)

    (now_held,) = claims.still_held(office.core, "w")
    assert (now_held.fence, now_held.killing) == (held.fence, "force")
    assert office.end(held, Outcome.KILLED)
    assert office.run(run_id).status is RunStatus.KILLED


@pytest.mark.parametrize("took_effect", [True, False])
def test_an_unknown_commit_is_settled_by_looking(losing: tuple[Office, LosesAnswers], took_effect: bool) -> None:
    office, database = losing
    run_id = office.start(office.push(["a", "b"]))
    (held,) = office.claim()

    database.to_lose = [took_effect]
    accepted = office.end(held, {"rows": 1})

    assert accepted
    assert office.statuses(run_id) == {"a": "success", "b": "queued"}
    assert [told.accepted for told in office.story(run_id) if isinstance(told.event, Ended)] == [True]
    assert len(office.attempts(run_id)) == 1


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_start_whose_answer_was_lost_made_one_run(losing: tuple[Office, LosesAnswers], took_effect: bool) -> None:
    office, database = losing
    plan = office.push(["a"])

    database.to_lose = [took_effect]
    run_id = office.start(plan, key="k")

    assert office.start(plan, key="k") == run_id
    assert office.work() == ["a"]


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_start_without_a_key_whose_answer_was_lost_made_one_run_too(
    losing: tuple[Office, LosesAnswers], took_effect: bool
) -> None:
    office, database = losing
    plan = office.push(["a"])

    database.to_lose = [took_effect]
    run_id = office.start(plan)

    assert office.run(run_id).status is RunStatus.RUNNING
    assert office.work() == ["a"]


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_flow_and_a_pool_whose_answers_were_lost_are_there_once(
    losing: tuple[Office, LosesAnswers], took_effect: bool
) -> None:
    office, database = losing

    database.to_lose = [took_effect]
    plan = office.push(["a"])
    database.to_lose = [took_effect]
    pools.set_slots(office.core, "press", 3)

    assert plan.flow.revision == office.push(["a"]).flow.revision == 1
    assert [(pool.name, pool.slots) for pool in pools.every(office.core)[0]] == [("press", 3)]


def test_outputs_too_large_for_a_row_go_to_a_blob_and_come_back(office: Office) -> None:
    flow = ["a", {"if i": {"condition": "{{ outputs.a.text | length > 9 }}", "then": ["b"]}}]
    run_id = office.start(office.push(flow))
    large = {"text": "x" * (office.core.knobs.row_limit + 1)}

    office.work({"a": large})

    assert office.outputs(run_id, "a") == large
    assert office.blobs.get(f"runs/{run_id}/a/1/outputs.json") == msgspec.json.encode(large)
    assert office.statuses(run_id)["b"] == "success"


def test_what_follows_sees_outputs_however_they_were_read(office: Office) -> None:
    flow = ["a", {"if i": {"condition": "{{ outputs.a.n == 3 }}", "then": ["b"], "else": ["c"]}}]
    run_id = office.start(office.push(flow))
    (held,) = office.claim()
    office.core.cache.forget()

    office.end(held, {"n": 3})

    assert office.statuses(run_id) == {"a": "success", "i": "running", "b": "queued"}


def test_steps_that_are_done_inline_commit_with_the_report_before_them(office: Office) -> None:
    run_id = office.start(office.push(["a", "b", "c"]))
    (held,) = office.claim()
    version = office.run(run_id).version

    def inline(plan: Plan, loaded: Loaded, ready: Ready) -> tuple[Ended, dict[str, object] | None] | None:
        done = Ended(step=ready.step, attempt=ready.attempt, outcome=Outcome.DONE, worker="w")
        return (done, {"by": "inline"}) if ready.step != "c" else None

    ended = Ended(step="a", attempt=1, outcome=Outcome.DONE, worker="w")
    apply.report(office.core, held, ended, {}, inline=inline)

    assert office.run(run_id).version == version + 1
    assert office.statuses(run_id) == {"a": "success", "b": "success", "c": "queued"}
    assert office.outputs(run_id, "b") == {"by": "inline"}
    assert [found.step for found in office.claim(room=9)] == ["c"]


def test_several_reports_of_one_run_commit_together(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b", "c"]}, "d"]))
    held = office.claim(room=3)
    version = office.run(run_id).version

    apply.report_together(office.core, [(claim, ended_by(claim), {"by": claim.step}) for claim in held])

    assert office.run(run_id).version == version + 1
    assert office.statuses(run_id) == {"p": "success", "a": "success", "b": "success", "c": "success", "d": "queued"}
    assert [office.outputs(run_id, step) for step in "abc"] == [{"by": step} for step in "abc"]
    assert not claims.still_held(office.core, "w")


def test_one_refused_report_does_not_hold_up_those_beside_it(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b", "c"]}]))
    held = office.claim(room=3)
    lost = replace(held[1], fence=held[1].fence + 100)
    version = office.run(run_id).version

    apply.report_together(office.core, [(claim, ended_by(claim), None) for claim in (held[0], lost, held[2])])

    assert office.run(run_id).version == version + 2
    assert office.statuses(run_id) == {"p": "running", "a": "success", "b": "queued", "c": "success"}
    assert [told.fence for told in office.story(run_id) if not told.accepted] == [lost.fence]
    assert [claim.step for claim in claims.still_held(office.core, "w")] == ["b"]


def test_several_reports_of_a_run_that_moved_meanwhile_are_folded_all_the_same(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b", "c"]}]))
    held = office.claim(room=3)
    stale = reading.load(office.core, run_id)
    office.end(held[0])
    office.core.cache.take(run_id)
    office.core.cache.keep(Loaded(stale.plan, stale.run))

    apply.report_together(office.core, [(claim, ended_by(claim), {}) for claim in held[1:]])

    assert office.run(run_id).status is RunStatus.SUCCESS


def test_what_claims_will_ask_for_is_read_at_once(office: Office) -> None:
    first, second = (office.start(office.push([{"parallel p": ["a", "b"]}])) for _ in range(2))
    held = office.claim(room=4)
    office.core.cache.forget()

    reading.preload(office.core, held)

    for run_id in (first, second):
        loaded = office.core.cache.take(run_id)
        assert loaded is not None
        assert loaded.run == office.run(run_id)
        assert {key for key, step in loaded.steps.items() if step} == {"p", "a", "b"}


def test_of_a_large_run_no_more_than_a_part_is_remembered(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": [f"t{number}" for number in range(2_100)]}]))
    office.claim()

    loaded = office.core.cache.take(run_id)

    assert loaded is not None
    assert "p" in loaded.steps
    assert len(loaded.steps) < 2_000


def test_reports_for_a_run_that_moved_meanwhile_are_folded_all_the_same(office: Office) -> None:
    run_id = office.start(office.push([{"parallel p": ["a", "b", "c"]}]))
    held = office.claim(room=3)
    stale = reading.load(office.core, run_id)

    for each in held:
        office.core.cache.keep(Loaded(stale.plan, stale.run))
        assert office.end(each)

    assert office.run(run_id).status is RunStatus.SUCCESS


def ended_by(claim: queue.Claim) -> Ended:
    """The end of an attempt that went well."""
    return Ended(step=claim.step, attempt=claim.attempt, outcome=Outcome.DONE, worker=claim.worker)


def test_events_left_unfolded_are_folded_by_the_next_sweep(office: Office) -> None:
    run_id = office.start(office.push(["a"]))
    (held,) = office.claim()
    event = Ended(step="a", attempt=1, outcome=Outcome.DONE, fence=held.fence)

    def leave(tx: Tx) -> None:
        queue.give_back(tx, run_id, "a", 1, held.fence)
        inbox.put(tx, run_id, event, office.clock.now())

    office.store.write(leave)
    sweep.sweep(office.core)

    assert office.run(run_id).status is RunStatus.SUCCESS


def test_more_events_than_one_fold_takes_are_folded_in_several() -> None:
    office = Office(Knobs(fold_events=2))
    run_id = office.start(office.push([{"parallel p": [f"t{n}" for n in range(7)]}]))
    held = office.claim(room=9)

    def leave(tx: Tx) -> None:
        for each in held:
            queue.give_back(tx, run_id, each.step, 1, each.fence)
            inbox.put(tx, run_id, Ended(step=each.step, attempt=1, outcome=Outcome.DONE), office.clock.now())

    office.store.write(leave)
    sweep.sweep(office.core)

    assert office.run(run_id).status is RunStatus.SUCCESS
    office.close()


def test_the_idempotency_key_of_a_task_stays_through_losses_sleeps_and_retries(office: Office) -> None:
    flow = [{"a": {"retry": {"max_attempts": 3}}}]
    run_id = office.start(office.push(flow))
    keys = []

    for outcome in (Outcome.LOST, Outcome.FAILED, Outcome.SNOOZED, Outcome.FAILED, Outcome.DONE):
        office.wait(0)
        (held,) = office.claim()
        keys.append(render.prepare(office.core, held).idempotency_key)
        office.end(held, outcome)

    assert len(set(keys)) == 1
    assert keys[0].startswith(run_id)
