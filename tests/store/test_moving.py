"""Do events, timers, limits and workers keep the rules that the rows of a moving run stand under?"""

from __future__ import annotations

import pytest

from penstock.errors.store import NewerEvent
from penstock.model.effect import Want
from penstock.model.event import Begin, Due, Ended, Event, Kill, Timer
from penstock.model.policy import Limit, WhenFull
from penstock.model.status import Outcome
from penstock.store import events, inbox, limits, timers, workers
from penstock.store.port import Store, Tx
from tests.store.makers import NOW, a_worker, know

ENDED = Ended(step="a", attempt=1, outcome=Outcome.DONE)


def test_events_wait_in_the_order_they_came_until_dropped(store: Store) -> None:
    said: list[Event] = [Begin(by="ann"), ENDED, Kill(by="ann")]
    store.write(lambda tx: [inbox.put(tx, "r", event, NOW) for event in said])

    taken = store.read(lambda tx: inbox.take(tx, "r"))
    store.write(lambda tx: inbox.drop(tx, [one.id for one in taken[:2]]))

    assert [one.event for one in taken] == said
    assert [one.event for one in store.read(lambda tx: inbox.take(tx, "r"))] == said[2:]
    assert store.read(lambda tx: inbox.runs_waiting(tx)) == ["r"]
    assert store.read(lambda tx: inbox.any_for(tx, "r"))
    assert not store.read(lambda tx: inbox.any_for(tx, "other"))


def test_an_event_said_twice_is_said_once(store: Store) -> None:
    first = store.write(lambda tx: inbox.put(tx, "r", ENDED, NOW))
    second = store.write(lambda tx: inbox.put(tx, "r", ENDED, NOW + 1))

    assert (first, second) == (True, False)
    assert len(store.read(lambda tx: inbox.take(tx, "r"))) == 1


def test_two_timers_of_one_attempt_and_two_kinds_of_kill_do_not_hide_each_other(store: Store) -> None:
    said: list[Event] = [
        Due("a", 1, Timer.RETRY),
        Due("a", 1, Timer.STEP_TIMEOUT),
        Kill("ann"),
        Kill("ann", force=True),
    ]

    kept = store.write(lambda tx: [inbox.put(tx, "r", event, NOW) for event in said])

    assert kept == [True, True, True, True]


def test_a_fold_takes_a_part_of_a_large_inbox(store: Store) -> None:
    def fill(tx: Tx) -> None:
        for number in range(250):
            inbox.put(tx, "r", Ended(step=f"s{number}", attempt=1, outcome=Outcome.DONE), NOW)

    store.write(fill)

    assert len(store.read(lambda tx: inbox.take(tx, "r"))) == 200


def test_an_event_of_a_newer_penstock_is_left_alone(store: Store) -> None:
    row = {"run_id": "r", "step": "", "attempt": 0, "kind": "teleported", "body": '{"type":"teleported"}', "at": NOW}
    store.write(lambda tx: tx.run("inbox.put", **row))

    with pytest.raises(NewerEvent):
        store.read(lambda tx: inbox.take(tx, "r"))


def test_the_story_keeps_what_was_refused_and_knows_what_was_accepted(store: Store) -> None:
    told = [(ENDED, NOW, False, "w1", 3), (ENDED, NOW + 1, True, "w2", 4)]
    store.write(lambda tx: events.append(tx, "r", told))

    story = store.read(lambda tx: events.every(tx, "r"))

    assert [(one.event, one.at, one.accepted, one.worker, one.fence) for one in story] == told
    assert store.read(lambda tx: events.accepted(tx, "r", "a", 1, 4))
    assert not store.read(lambda tx: events.accepted(tx, "r", "a", 1, 3))


def test_timers_ring_once_in_order_and_not_before_their_instant(store: Store) -> None:
    def wind(tx: Tx) -> None:
        timers.set_timer(tx, "r", "b", 1, Timer.RETRY, NOW + 2)
        timers.set_timer(tx, "r", "a", 1, Timer.RETRY, NOW + 1)
        timers.set_timer(tx, "r", "", 0, Timer.RUN_TIMEOUT, NOW + 9)

    store.write(wind)

    early = store.write(lambda tx: timers.ring(tx, NOW))
    rung = store.write(lambda tx: timers.ring(tx, NOW + 2))
    again = store.write(lambda tx: timers.ring(tx, NOW + 2))

    assert early == again == []
    assert sorted(due.step for _, due in rung) == ["a", "b"]
    assert store.read(timers.next_at) == NOW + 9


def test_a_timer_set_again_rings_at_the_later_word_and_an_ended_run_has_none(store: Store) -> None:
    store.write(lambda tx: timers.set_timer(tx, "r", "a", 1, Timer.SNOOZE, NOW))
    store.write(lambda tx: timers.set_timer(tx, "r", "a", 1, Timer.SNOOZE, NOW + 5))
    at = store.read(timers.next_at)

    store.write(lambda tx: timers.clear(tx, "r"))

    assert at == NOW + 5
    assert store.read(timers.next_at) is None


def test_waiting_runs_are_admitted_by_priority_then_age_and_slots_are_counted_from_rows(store: Store) -> None:
    wants = [Want("shop.load", Limit(1, WhenFull.QUEUE))]

    def wait(tx: Tx) -> None:
        limits.block(tx, limits.Waiter(run="old", since=NOW), wants)
        limits.block(tx, limits.Waiter(run="young", since=NOW + 1), wants)
        limits.block(tx, limits.Waiter(run="urgent", since=NOW + 2, priority=5), wants)

    store.write(wait)
    order = [one.run for one in store.read(lambda tx: limits.waiting(tx, "shop.load"))]

    def admit(tx: Tx) -> None:
        limits.lock_limits(tx, ["shop.load", "other"])
        (urgent, *_) = limits.waiting(tx, "shop.load")
        limits.admit(tx, urgent, [urgent], NOW, NOW)

    store.write(admit)

    assert order == ["urgent", "old", "young"]
    assert store.read(lambda tx: limits.live(tx, "shop.load")) == 1
    assert [one.run for one in store.read(lambda tx: limits.waiting(tx, "shop.load"))] == ["old", "young"]
    assert store.read(limits.waiting_names) == ["shop.load"]
    assert store.write(lambda tx: limits.release(tx, "urgent")) == ["shop.load"]
    assert store.write(lambda tx: limits.release(tx, "urgent")) == []
    assert store.read(lambda tx: limits.live(tx, "shop.load")) == 0


def test_a_worker_beats_until_it_is_given_up(store: Store) -> None:
    store.write(lambda tx: workers.register(tx, a_worker("w1")))
    beat = store.write(lambda tx: workers.beat(tx, "w1", NOW + 5, workers.WorkerStatus.DRAINING))
    known = store.read(workers.list_workers)

    store.write(lambda tx: workers.leave(tx, "w1"))

    assert beat
    assert known == [a_worker("w1", beat_at=NOW + 5, status=workers.WorkerStatus.DRAINING)]
    assert not store.write(lambda tx: workers.beat(tx, "w1", NOW + 6))


def test_the_dead_are_those_silent_too_long_or_of_another_boot(store: Store) -> None:
    known = [a_worker("a"), a_worker("b", beat_at=NOW - 9), a_worker("c", boot="b0")]
    store.write(lambda tx: know(tx, *known))

    assert [one.id for one in store.read(lambda tx: workers.dead(tx, NOW))] == ["b"]
    assert [one.id for one in store.read(lambda tx: workers.dead(tx, NOW, "b1"))] == ["b", "c"]
