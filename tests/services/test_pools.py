"""Is a pool kept through all that can come between asking and having: another size, a death, a kill, a restart?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.model import ids
from penstock.model.status import Outcome
from penstock.services import admission, pools, runs
from penstock.services.why import Reason, why
from penstock.store import limits, prune
from penstock.store.postgres.store import open_postgres
from tests.servers import database, postgres, server_folder
from tests.services.office import Office

__all__ = ["database", "postgres", "server_folder"]

DB = ids.POOL + "db"
POOLED = {"limits": [{"name": "db"}]}
HEAVY = {"limits": [{"name": "db", "weight": 3}]}


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services, on each database."""
    store = open_postgres(request.getfixturevalue("database")) if request.param == "postgres" else None
    made = Office(store=store)
    yield made
    made.close()


def reason(office: Office, run_id: str, step: str = "") -> Reason:
    """The one thing that a run waits for."""
    (one,) = why(office.core, office.run(run_id), step)
    return one


def in_use(office: Office) -> int:
    """Slots of the pool that are given away."""
    return office.store.read(lambda tx: limits.live(tx, DB))


def waiting(office: Office) -> list[str]:
    """The runs that stand in line for the pool, in turn."""
    return [one.run for one in office.store.read(lambda tx: limits.waiting(tx, DB))]


def test_a_pool_that_shrinks_while_it_is_full_lets_nobody_go_and_nobody_in_until_it_has_room(office: Office) -> None:
    pools.set_slots(office.core, "db", 3)
    plan = office.push([{"a": POOLED}])
    waits = [office.start(plan) for _ in range(4)][3]
    first, second, third = office.claim(room=9)

    pools.set_slots(office.core, "db", 1)
    told = reason(office, waits)
    office.end(first)
    office.end(second)
    full = (in_use(office), office.claim(room=9))
    office.end(third)

    assert (told.used, told.count, len(told.holders)) == (3, 1, 3)
    assert full == (1, [])
    assert [one.run for one in office.claim(room=9)] == [waits]


def test_a_pool_that_grows_while_it_is_full_lets_in_at_once_whoever_has_room(office: Office) -> None:
    pools.set_slots(office.core, "db", 1)
    plan = office.push([{"a": POOLED}])
    started = [office.start(plan) for _ in range(4)]

    pools.set_slots(office.core, "db", 3)

    assert {one.run for one in office.claim(room=9)} == set(started[:3])
    assert reason(office, started[3]).ahead == 0


def test_a_pool_without_slots_is_shut_and_fails_nobody(office: Office) -> None:
    pools.set_slots(office.core, "db", 0)
    run_id = office.start(office.push([{"a": HEAVY}]))

    shut = (office.claim(), reason(office, run_id).count, str(office.run(run_id).status))
    pools.set_slots(office.core, "db", 3)

    assert shut == ([], 0, "running")
    assert office.work() == ["a"]


def test_who_wants_more_than_a_pool_has_after_it_shrank_fails_and_says_so(office: Office) -> None:
    pools.set_slots(office.core, "db", 3)
    plan = office.push([{"a": HEAVY}])
    office.start(plan)
    waits = office.start(plan)
    (held,) = office.claim()

    pools.set_slots(office.core, "db", 2)
    office.end(held)
    failure = office.steps(waits)["a"].failure

    assert office.run(waits).status == "failed"
    assert failure is not None and "wants 3 slots of the pool db, which has fewer" in failure.message


def test_who_waits_for_a_pool_that_is_deleted_waits_until_it_is_set_again(office: Office) -> None:
    pools.set_slots(office.core, "db", 1)
    plan = office.push([{"a": POOLED}])
    office.start(plan)
    waits = office.start(plan)
    (held,) = office.claim()

    assert pools.delete(office.core, "db") and not pools.delete(office.core, "db")
    office.end(held)
    told = (office.claim(), reason(office, waits).count, pools.every(office.core))
    pools.set_slots(office.core, "db", 1)

    assert told == ([], None, ([], ["db"]))
    assert [one.run for one in office.claim()] == [waits]


def test_a_heavy_one_is_not_starved_by_light_ones_that_come_later(office: Office) -> None:
    pools.set_slots(office.core, "db", 3)
    light = office.push([{"a": POOLED}], "light")
    for _ in range(2):
        office.start(light)
    heavy = office.start(office.push([{"h": HEAVY}], "heavy"))
    for _ in range(3):
        office.start(light)

    first, second, *more = office.claim(room=9)
    office.end(first)
    between = office.claim(room=9)
    office.end(second)

    assert (more, between) == ([], [])
    assert [one.run for one in office.claim(room=9)] == [heavy]


def test_a_place_in_the_line_moves_up_and_gives_way_to_priority(office: Office) -> None:
    pools.set_slots(office.core, "db", 1)
    plan = office.push([{"a": POOLED}])
    first, second, third = (office.start(plan) for _ in range(3))

    before = reason(office, third)
    urgent = office.start(plan, priority=5)
    behind = reason(office, third).ahead
    office.work(most=1)
    after = reason(office, third)

    assert (before.ahead, behind, waiting(office)) == (1, 2, [second, third])
    assert [one.run for one in before.holders] == [first] and "1 stands before it" in before.sentence
    assert [one.run for one in after.holders] == [urgent] and after.ahead == 1


def test_who_was_let_in_by_a_process_that_died_before_it_said_so_goes_on_at_the_next_sweep(office: Office) -> None:
    plan = office.push([{"a": POOLED}])
    run_id = office.start(plan)
    office.store.write(lambda tx: tx.run("pools.set_slots", name="db", slots=1, now=office.clock.now()))

    # The transaction that lets it in is all that was done.
    assert admission.admit(office.core, {DB}) == {run_id}
    lost = (in_use(office), office.claim())
    assert admission.admit(office.core, {DB}) == set(), "it is let in once"
    office.sweep()

    assert lost == (1, [])
    assert office.work() == ["a"]
    assert in_use(office) == 0


def test_a_run_that_was_killed_while_it_waited_lines_up_anew_when_it_is_restarted(office: Office) -> None:
    pools.set_slots(office.core, "db", 1)
    plan = office.push([{"a": POOLED}])
    office.start(plan)
    killed, behind = office.start(plan), office.start(plan)

    runs.kill(office.core, killed, "ann")
    without = waiting(office)
    runs.restart(office.core, killed, "ann")

    assert without == [behind]
    assert waiting(office) == [behind, killed]
    assert office.work() == ["a", "a", "a"]
    assert office.run(killed).status == "success"
    assert (in_use(office), waiting(office)) == (0, [])


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.FAILED])
def test_removing_ended_runs_leaves_no_slot_and_lets_who_waits_be(office: Office, outcome: Outcome) -> None:
    pools.set_slots(office.core, "db", 1)
    plan = office.push([{"a": POOLED}])
    office.start(plan)
    holds, waits = office.start(plan), office.start(plan)
    office.work({"a": outcome}, most=1)

    office.store.write(lambda tx: prune.prune_runs(tx, office.clock.now() + 1))

    assert [one.run for one in office.store.read(lambda tx: limits.in_use(tx, DB))] == [holds]
    assert waiting(office) == [waits]
    assert office.work() == ["a", "a"]
    assert in_use(office) == 0


def test_a_key_that_cannot_be_rendered_fails_its_step_and_keeps_nothing(office: Office) -> None:
    key = {"limits": [{"name": "db"}, {"count": 1, "key": "{{ outputs.nobody.value }}"}]}
    pools.set_slots(office.core, "db", 1)
    run_id = office.start(office.push([{"a": key}]))

    failure = office.steps(run_id)["a"].failure

    assert office.run(run_id).status == "failed"
    assert failure is not None and failure.message
    assert (in_use(office), waiting(office)) == (0, [])
