"""Do attempts wait for pools, rates and keys, and does nothing keep a slot that is over? And why does each wait?"""

from __future__ import annotations

import pytest

from penstock.model import ids
from penstock.model.event import Event, Hold, Kill, Mark, Restart
from penstock.model.status import Outcome, StepStatus
from penstock.services import fold, pools, runs, sweep
from penstock.services.commit import After
from penstock.services.why import Reason, why
from penstock.store import inbox, limits
from tests.services.office import Office

POOL = {"limits": [{"name": "db"}]}
ONE = {"limits": [{"count": 1}]}
EVER = 1 << 62


def reasons(office: Office, run_id: str, step: str = "") -> list[Reason]:
    """Why a run waits."""
    return why(office.core, office.run(run_id), step)


def live(office: Office, name: str) -> int:
    """Slots in use."""
    return office.store.read(lambda tx: limits.live(tx, name))


def test_a_pool_that_nobody_has_set_is_waited_for_until_it_is(office: Office) -> None:
    run_id = office.start(office.push([{"a": POOL}]))

    (before,) = reasons(office, run_id)
    assert office.claim() == []
    pools.set_slots(office.core, "db", 1)

    assert "penstock pools set db" in before.sentence
    assert office.work() == ["a"]
    assert office.run(run_id).status == "success"
    assert live(office, ids.POOL + "db") == 0


def test_a_pool_lets_in_by_weight_and_fails_who_wants_more_than_it_has(office: Office) -> None:
    pools.set_slots(office.core, "db", 3)
    heavy = {"limits": [{"name": "db", "weight": 2}]}
    run_id = office.start(office.push([{"parallel p": {"tasks": [{"a": heavy}, {"b": heavy}, {"c": POOL}]}}]))
    never = office.start(office.push([{"x": {"limits": [{"name": "db", "weight": 4}]}}], "never"))

    held = office.claim(room=9)
    (why_b, *_) = reasons(office, run_id, "b")

    assert [one.step for one in held] == ["a"]
    assert (why_b.kind, why_b.used, why_b.count, why_b.weight) == ("limit", 2, 3, 2)
    assert [one.step for one in why_b.holders] == ["a"]
    assert office.run(never).status == "failed"
    assert office.steps(never)["x"].failure is not None
    office.end(held[0])
    assert sorted(office.work()) == ["b", "c"]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_slot_is_free_however_its_attempt_ends(office: Office, outcome: Outcome) -> None:
    plan = office.push([{"a": ONE}])
    first, second = office.start(plan), office.start(plan)

    (held,) = office.claim(room=9)
    (reason,) = reasons(office, second)
    office.end(held, outcome)

    assert held.run == first
    assert reason.kind == "limit" and [one.run for one in reason.holders] == [first]
    assert second in {claim.run for claim in office.claim(room=9)} or outcome is Outcome.LOST


def test_an_attempt_waits_for_all_it_wants_and_holds_nothing_meanwhile(office: Office) -> None:
    pools.set_slots(office.core, "db", 1)
    pools.set_slots(office.core, "gpu", 1)
    gpu = {"limits": [{"name": "gpu"}]}
    both = {"limits": [{"name": "db"}, {"name": "gpu"}]}
    office.start(office.push([{"g": gpu}], "holds"))
    run_id = office.start(office.push([{"both": both}], "both"))
    office.start(office.push([{"d": POOL}], "other"))

    taken = office.claim(room=9)

    assert sorted(one.step for one in taken) == ["d", "g"]
    assert {one.limit for one in reasons(office, run_id)} == {"pool:db", "pool:gpu"}
    for one in taken:
        office.end(one)
    assert office.work() == ["both"]


def test_a_rate_counts_starts_and_lets_in_again_when_its_window_frees(office: Office) -> None:
    plan = office.push([{"a": {"limits": [{"count": 2, "window": "10s"}]}}])
    for _ in range(5):
        office.start(plan)

    first = office.work()
    due = sweep.sweep(office.core)
    office.wait(10)

    assert (len(first), len(office.work())) == (2, 2)
    assert due is not None and due <= office.clock.now()


def test_each_value_of_a_key_has_a_limit_of_its_own(office: Office) -> None:
    written = {
        "inputs": [{"id": "who", "type": "STRING"}],
        "tasks": [{"a": {"limits": [{"count": 1, "key": "{{ inputs.who }}"}]}}],
    }
    plan = office.push(written)
    for who in ("ann", "ann", "bob"):
        office.start(plan, inputs={"who": who})

    assert len(office.claim(room=9)) == 2


def test_a_key_that_reaches_out_fails_its_step(office: Office) -> None:
    run_id = office.start(office.push([{"a": {"limits": [{"count": 1, "key": "{{ uuid() }}"}]}}]))

    assert office.run(run_id).status == "failed"


def test_a_kill_lets_go_of_what_waits_and_what_was_let_in(office: Office) -> None:
    plan = office.push([{"a": ONE}])
    first, second, third = (office.start(plan) for _ in range(3))

    runs.kill(office.core, second, "ann")
    runs.kill(office.core, first, "ann")

    assert [office.run(each).status for each in (first, second)] == ["killed", "killed"]
    assert [one.run for one in office.claim(room=9)] == [third]


def said_together(office: Office, run_id: str, *words: Event) -> None:
    """Let a run hear several words before anybody folds."""
    office.store.write(lambda tx: [inbox.put(tx, run_id, word, office.clock.now()) for word in words])
    fold.follow_up(office.core, After(fold={run_id}))


def test_a_run_that_ends_with_the_word_that_lined_it_up_is_never_let_in(office: Office) -> None:
    plan = office.push({"limit": {"count": 1}, "tasks": ["a"]})
    over = office.start(plan)
    office.work({"a": Outcome.FAILED})
    first = office.start(plan)

    said_together(office, over, Restart("ann"), Kill("ann"))

    assert office.run(over).status == "killed"
    assert office.store.read(limits.waiting_names) == []
    assert office.work() == ["a"]
    assert office.run(first).status == "success"


def test_what_was_taken_back_frees_its_slots_though_its_step_is_over(office: Office) -> None:
    both = {"on_child_failure": "cancel", "tasks": [{"a": ONE}, "b"]}
    run_id = office.start(office.push([{"parallel p": both}]))

    said_together(office, run_id, Hold("ann"), Mark("ann", StepStatus.FAILED, "b"))

    assert office.statuses(run_id) == {"p": "failed", "a": "cancelled", "b": "failed"}
    assert office.store.read(lambda tx: limits.left_behind(tx, EVER)) == []


def test_who_is_quiet_comes_next_whatever_others_have_queued(office: Office) -> None:
    filled, click = office.push(["a"], "filled"), office.push(["b"], "click")
    for _ in range(50):
        office.start(filled, lane="backfill 1")
    one = office.start(click)

    (reason,) = reasons(office, one)
    taken = office.claim(room=2)

    assert (reason.kind, reason.ahead) == ("queue", 1)
    assert one in {claim.run for claim in taken}


def test_a_lane_at_a_limit_gives_way_to_others(office: Office) -> None:
    pools.set_slots(office.core, "db", 2)
    filled, click = office.push([{"a": POOL}], "filled"), office.push([{"b": POOL}], "click")
    for _ in range(5):
        office.start(filled)
    one = office.start(click)

    first, _ = office.claim(room=9)
    office.end(first)

    assert [claim.run for claim in office.claim(room=9)] == [one]


def test_a_queue_that_nobody_serves_is_told(office: Office) -> None:
    office.worker()
    run_id = office.start(office.push([{"a": {"queue": "gpu"}}]))

    (reason,) = reasons(office, run_id)

    assert office.claim() == []
    assert (reason.queue, reason.workers) == ("gpu", 0)
    assert "--queue gpu" in reason.sentence
