"""Are iterations forgotten whole, ready attempts recalled, and results found again until their time is over?"""

from __future__ import annotations

import msgspec

from penstock.model.effect import Work
from penstock.model.status import RunStatus, StepStatus
from penstock.store import cached, prune, queue, runs, steps
from penstock.store.cached import Cached
from penstock.store.port import Store
from tests.store.makers import NOW, a_run, a_step, claimed, ready

MADE = Cached("task/1", "", "a", {"n": 1}, "", NOW)


def test_an_iteration_goes_with_all_that_lies_in_it_and_its_neighbours_stay(store: Store) -> None:
    run = a_run()
    keys = ["u[1]", "u[1]/a", "u[1]/each[0]", "u[1]/each[0]/b", "u[10]", "u[10]/a", "u[2]", "u", "v[1]/u[1]"]
    store.write(lambda tx: runs.insert(tx, run))
    store.write(lambda tx: steps.save(tx, run.id, [a_step(key, StepStatus.SUCCESS) for key in keys]))

    store.write(lambda tx: steps.forget(tx, run.id, "u[1]"))

    left = {step.key for step in store.read(lambda tx: steps.every(tx, run.id))}
    assert left == {"u[10]", "u[10]/a", "u[2]", "u", "v[1]/u[1]"}


def test_what_is_ready_is_recalled_and_what_is_held_or_of_the_run_itself_is_not(store: Store) -> None:
    run, other = a_run(), a_run()
    store.write(lambda tx: ready(tx, run.id, "a", "b"))
    (held,) = claimed(store)
    store.write(lambda tx: ready(tx, run.id, ""))
    store.write(lambda tx: ready(tx, other.id, "c"))

    back = store.write(lambda tx: queue.recall(tx, run.id))

    assert back == [("b", 1)] and held.step == "a"
    assert store.read(lambda tx: queue.ready_of(tx, run.id)) == [("", 1, Work.TASK)]
    assert store.read(lambda tx: queue.ready_of(tx, other.id)) == [("c", 1, Work.TASK)]


def test_a_claim_is_held_under_its_own_fence_alone(store: Store) -> None:
    store.write(lambda tx: ready(tx, a_run().id, "a"))
    (held,) = claimed(store)

    assert store.read(lambda tx: queue.holds(tx, held))
    assert not store.read(lambda tx: queue.holds(tx, msgspec.structs.replace(held, fence=held.fence + 1)))


def test_a_result_is_found_until_its_time_is_over_and_the_newest_one_stands(store: Store) -> None:
    store.write(lambda tx: cached.keep(tx, MADE, NOW + 10))
    newer = msgspec.structs.replace(MADE, outputs={"n": 2})

    assert store.read(lambda tx: cached.find(tx, "task/1", NOW)) == MADE
    store.write(lambda tx: cached.keep(tx, newer, NOW + 10))
    assert store.read(lambda tx: cached.find(tx, "task/1", NOW + 9)) == newer
    assert store.read(lambda tx: cached.find(tx, "task/1", NOW + 10)) is None
    assert store.read(lambda tx: cached.find(tx, "task/2", NOW)) is None


def test_results_go_with_the_run_that_made_them(store: Store) -> None:
    run = a_run(status=RunStatus.SUCCESS, ended_at=NOW)
    store.write(lambda tx: runs.insert(tx, run))
    store.write(lambda tx: cached.keep(tx, msgspec.structs.replace(MADE, run=run.id), None))

    prune.prune(store, NOW + 1, NOW + 2)

    assert store.read(lambda tx: cached.find(tx, "task/1", NOW)) is None
