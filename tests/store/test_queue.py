"""Does every attempt stand in one place, and does only its holder end it?"""

from __future__ import annotations

from penstock.model.effect import Work
from penstock.store import queue, workers
from penstock.store.port import Store, Tx
from tests.store.makers import NOW, a_worker, claimed, know, ready


def test_a_claim_moves_a_row_from_ready_to_claimed(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))

    taken = claimed(store)

    assert [(one.run, one.step, one.attempt, one.work, one.worker) for one in taken] == [("r", "a", 1, Work.TASK, "w1")]
    assert store.read(lambda tx: queue.ready_of(tx, "r")) == []
    assert store.read(lambda tx: queue.held(tx, "w1")) == store.read(lambda tx: queue.claims_of(tx, "r")) == taken


def test_the_order_is_priority_then_age(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "old", "middle"))
    store.write(lambda tx: ready(tx, "r", "urgent", priority=5))
    store.write(lambda tx: ready(tx, "r", "young"))

    first, rest = claimed(store, room=2), claimed(store, room=9)

    assert [one.step for one in first + rest] == ["urgent", "old", "middle", "young"]


def test_what_a_process_owns_is_claimed_by_it_alone_until_it_is_dead(store: Store) -> None:
    store.write(lambda tx: workers.register(tx, a_worker("cli")))
    store.write(lambda tx: ready(tx, "r", "a", owner="cli"))
    by_other = claimed(store, "w1")

    store.write(lambda tx: queue.adopt(tx, ["cli"]))
    after = claimed(store, "w1")

    assert by_other == []
    assert [(one.step, one.owner) for one in after] == [("a", "")]


def test_an_owner_claims_its_own(store: Store) -> None:
    store.write(lambda tx: workers.register(tx, a_worker("cli")))
    store.write(lambda tx: ready(tx, "r", "a", owner="cli"))

    taken = claimed(store, "cli")

    assert [one.owner for one in taken] == ["cli"]


def test_what_belonged_to_a_process_that_is_gone_is_for_everybody(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a", owner="cli"))

    taken = claimed(store, "w1")

    assert [one.owner for one in taken] == [""]


def test_ready_said_twice_is_ready_once(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a", "b"))
    store.write(lambda tx: ready(tx, "r", "a"))

    assert len(claimed(store, room=9)) == 2
    assert store.read(queue.depth) == (0, None)


def test_an_attempt_made_ready_while_it_is_held_does_not_stop_the_queue(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))
    (held,) = claimed(store, "w1")
    store.write(lambda tx: ready(tx, "r", "a", "b"))

    taken = claimed(store, "w2", room=9)

    assert "b" in [one.step for one in taken]
    assert store.read(lambda tx: queue.held(tx, "w1")) == [held]
    assert store.read(lambda tx: queue.ready_of(tx, "r")) == []


def test_a_restart_may_be_claimed_while_the_attempt_before_it_still_runs(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))
    (old,) = claimed(store, "w1")
    store.write(lambda tx: queue.make_ready(tx, "r", [("a", 2, Work.TASK)], 0, "", NOW))
    (new,) = claimed(store, "w2")

    ended = store.write(lambda tx: queue.give_back(tx, "r", "a", 1, old.fence))

    assert ended
    assert store.read(lambda tx: queue.claims_of(tx, "r")) == [new]


def test_a_cursor_passes_by_nothing_that_comes_later_or_matters_more(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a", "b", "low"))
    first = claimed(store, room=2)
    cursor = queue.advance(None, first, 2, NOW)
    store.write(lambda tx: ready(tx, "r", "urgent", priority=5))
    store.write(lambda tx: ready(tx, "r", "least", priority=-5))

    def claim_one_by_one(tx: Tx) -> list[str]:
        place, steps = cursor, []
        for _ in range(3):
            (one,) = queue.claim(tx, "w1", 1, NOW + queue.CURSOR_LAG, place)
            place = queue.advance(place, [one], 1, NOW + queue.CURSOR_LAG)
            steps.append(one.step)
        return steps

    assert store.write(claim_one_by_one) == ["urgent", "low", "least"]


def test_a_cursor_stays_behind_what_was_claimed_and_looks_at_all_now_and_then(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a", "b"))
    some = claimed(store, room=2)
    lag, life = queue.CURSOR_LAG, queue.CURSOR_LIFE

    first = queue.advance(None, some, 2, NOW)
    second = queue.advance(first, some, 2, NOW + lag)
    old = queue.advance(second, some, 2, NOW + life)
    anew = queue.advance(old, some, 2, NOW + life + 1)

    assert first and second and old and anew
    mark = queue.Mark(NOW, 0, some[1].place, some[1].fence)
    assert (first.behind(NOW + lag - 1), first.behind(NOW + lag)) == (None, mark)
    assert second.behind(NOW + lag) == mark
    assert old.behind(NOW + life) is None, "once in a while all is looked at"
    assert anew.behind(NOW + life + 1) == queue.Mark(NOW + lag, 0, some[1].place, some[1].fence)
    assert queue.advance(second, some, 2, NOW - 1) == queue.advance(None, some, 2, NOW - 1), "the clock was set back"
    assert queue.advance(second, some, 3, NOW + lag) is None, "a short queue is looked at from its beginning"


def test_a_late_report_finds_its_claim_gone(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))
    (old,) = claimed(store, "w1")
    store.write(lambda tx: queue.hand_back(tx, old))
    (new,) = claimed(store, "w2")

    late = store.write(lambda tx: queue.give_back(tx, "r", "a", 1, old.fence))
    good = store.write(lambda tx: queue.give_back(tx, "r", "a", 1, new.fence))
    twice = store.write(lambda tx: queue.give_back(tx, "r", "a", 1, new.fence))

    assert new.fence > old.fence
    assert (late, good, twice) == (False, True, False)


def test_a_hand_back_of_a_claim_that_is_gone_changes_nothing(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))
    (taken,) = claimed(store)
    store.write(lambda tx: queue.give_back(tx, "r", "a", 1, taken.fence))

    assert not store.write(lambda tx: queue.hand_back(tx, taken))
    assert store.read(lambda tx: queue.ready_of(tx, "r")) == []


def test_a_kill_takes_what_is_ready_and_flags_what_is_held(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a", "b", "c"))
    claimed(store, "w1", room=1)

    withdrawn = store.write(lambda tx: queue.withdraw(tx, "r", ["a", "b"]))
    flagged = store.write(lambda tx: queue.flag(tx, "r", ["a", "b"], force=False))

    assert withdrawn == [("b", 1)]
    assert flagged == [("a", 1, "w1")]
    assert [one.killing for one in store.read(lambda tx: queue.flagged(tx, "w1"))] == ["graceful"]
    assert store.read(lambda tx: queue.ready_of(tx, "r")) == [("c", 1, Work.TASK)]


def test_force_stays_force(store: Store) -> None:
    store.write(lambda tx: ready(tx, "r", "a"))
    claimed(store)

    store.write(lambda tx: queue.flag(tx, "r", ["a"], force=True))
    store.write(lambda tx: queue.flag(tx, "r", ["a"], force=False))

    assert [one.killing for one in store.read(lambda tx: queue.flagged(tx, "w1"))] == ["force"]


def test_claims_of_silent_gone_or_rebooted_workers_are_lost(store: Store) -> None:
    names = ["living", "silent", "gone", "rebooted"]
    store.write(lambda tx: ready(tx, "r", *names))
    for name in names:
        claimed(store, name)
    known = [a_worker("living"), a_worker("silent", beat_at=NOW - 9), a_worker("rebooted", beat_at=NOW + 9, boot="b0")]
    store.write(lambda tx: know(tx, *known))

    found = store.read(lambda tx: queue.lost(tx, NOW - 5, "b1"))
    without_boots = store.read(lambda tx: queue.lost(tx, NOW - 5))

    assert [one.worker for one in found] == ["silent", "gone", "rebooted"]
    assert [one.worker for one in without_boots] == ["silent", "gone"]
