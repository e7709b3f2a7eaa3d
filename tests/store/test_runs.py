"""Is a run kept as it was given, found again, and written by one at a time?"""

from __future__ import annotations

import msgspec
import pytest

from penstock.model import ids
from penstock.model.run import Parent
from penstock.model.status import RunStatus
from penstock.store import runs
from penstock.store.port import Store
from tests.store.makers import NOW, a_run


def test_a_run_comes_back_as_it_was_given(store: Store) -> None:
    run = a_run(labels={"team": "a"}, inputs={"day": "2016-01-02", "n": 2**53}, parent=Parent("p", "s", 1), owner="cli")

    kept = store.write(lambda tx: runs.insert(tx, run))

    assert kept
    assert store.read(lambda tx: runs.load(tx, run.id)) == run
    assert store.read(lambda tx: runs.load(tx, "nobody")) is None


def test_the_same_id_or_the_same_key_is_one_run(store: Store) -> None:
    first, second = a_run(), a_run()
    store.write(lambda tx: runs.insert(tx, first, "order-7"))

    again = store.write(lambda tx: runs.insert(tx, first))
    same_key = store.write(lambda tx: runs.insert(tx, second, "order-7"))

    assert not again and not same_key
    assert store.read(lambda tx: runs.by_key(tx, "order-7")) == first.id
    assert store.read(lambda tx: runs.load(tx, second.id)) is None


def test_a_stale_save_is_refused(store: Store) -> None:
    run = a_run()
    store.write(lambda tx: runs.insert(tx, run))
    won = store.write(lambda tx: runs.save(tx, msgspec.structs.replace(run, priority=1), 0))

    lost = store.write(lambda tx: runs.save(tx, msgspec.structs.replace(run, priority=2), 0))

    assert won and not lost
    kept = store.read(lambda tx: runs.load(tx, run.id))
    assert kept is not None and (kept.priority, kept.version) == (1, 1)


def test_a_lock_tells_the_version(store: Store) -> None:
    run = a_run()
    store.write(lambda tx: runs.insert(tx, run))
    store.write(lambda tx: runs.save(tx, run, 0))

    assert store.write(lambda tx: runs.lock(tx, run.id)) == 1
    assert store.write(lambda tx: runs.lock(tx, "nobody")) is None


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (runs.Filter(), ["third", "second", "first"]),
        (runs.Filter(namespace="shop"), ["second", "first"]),
        (runs.Filter(namespace="shop.eu"), ["first"]),
        (runs.Filter(namespace="sho_"), []),
        (runs.Filter(flow="third"), ["third"]),
        (runs.Filter(statuses=(RunStatus.FAILED, RunStatus.QUEUED)), ["second"]),
        (runs.Filter(labels={"team": "a"}), ["second", "first"]),
        (runs.Filter(labels={"team": "a", "tier": "1"}), ["first"]),
        (runs.Filter(labels={"team": "b"}), []),
        (runs.Filter(parent="above"), ["third"]),
        (runs.Filter(since=NOW + 1), ["third", "second"]),
        (runs.Filter(since=NOW + 1, until=NOW + 2), ["second"]),
        (runs.Filter(text="SECO"), ["second"]),
        (runs.Filter(text="100%"), ["first"]),
        (runs.Filter(text="%"), ["first"]),
    ],
)
def test_a_list_shows_what_was_asked_for_newest_first(store: Store, wanted: runs.Filter, names: list[str]) -> None:
    first = a_run(flow="first", labels={"team": "a", "tier": "1", "done": "100%"})
    second = a_run(flow="second", namespace="shop", status=RunStatus.FAILED, labels={"team": "a"}, created_at=NOW + 1)
    third = a_run(flow="third", namespace="shopping", parent=Parent("above", "s", 1), created_at=NOW + 2)
    store.write(lambda tx: [runs.insert(tx, run) for run in (first, second, third)])

    found = store.read(lambda tx: runs.list_runs(tx, wanted))

    assert [run.flow for run in found] == names


def test_a_list_goes_on_from_a_cursor(store: Store) -> None:
    made = [a_run() for _ in range(5)]
    store.write(lambda tx: [runs.insert(tx, run) for run in made])

    page = store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 2, made[3].id))

    assert [run.id for run in page] == [made[2].id, made[1].id]


def test_a_list_up_to_an_instant_has_runs_of_parents_that_were_created_before_it(store: Store) -> None:
    above = a_run(created_at=NOW)
    child = a_run(id=ids.child_run_id(above.id, "sub", 1), created_at=NOW + 5_000_000)
    store.write(lambda tx: [runs.insert(tx, run) for run in (above, child)])

    def until(at: int) -> list[str]:
        return [run.id for run in store.read(lambda tx: runs.list_runs(tx, runs.Filter(until=at)))]

    assert until(NOW + 5_000_001) == sorted([above.id, child.id], reverse=True)
    assert until(NOW + 5_000_000) == [above.id]
    assert until(NOW) == []


def test_children_owned_runs_and_counts_are_found(store: Store) -> None:
    above = a_run(owner="cli-1")
    child = a_run(parent=Parent(above.id, "sub", 1), status=RunStatus.QUEUED)
    ended = a_run(owner="cli-1", status=RunStatus.SUCCESS, ended_at=NOW)

    store.write(lambda tx: [runs.insert(tx, run) for run in (above, child, ended)])

    assert store.read(lambda tx: runs.children(tx, above.id)) == [child]
    assert store.read(lambda tx: runs.owned(tx, ["cli-1", "cli-2"])) == [above.id]
    assert store.read(runs.counts) == {RunStatus.RUNNING: 1, RunStatus.QUEUED: 1, RunStatus.SUCCESS: 1}
