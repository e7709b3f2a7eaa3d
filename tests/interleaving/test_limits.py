"""Is a limit kept, and is nobody forgotten behind it, whichever statement comes first?"""

from __future__ import annotations

import pytest

from penstock.services import pools, runs
from penstock.services.core import Core
from penstock.store import feed, limits
from penstock.store import pools as sizes
from penstock.store.feed import Position
from tests.interleaving.stage import Stage, again, answer, follow, take

ONE = {"tasks": ["one"], "limit": {"count": 1}}
POOLED = [{"one": {"limits": [{"name": "db"}]}}]


def test_start_and_start_behind_a_limit(stage: Stage) -> None:
    plan = stage.push(ONE)

    def start(core: Core) -> object:
        return runs.start(core, plan, runs.Start())

    orders = stage.explore(start, start, switches=1, switches_with_cut=0)

    assert orders >= 37


def test_start_and_start_with_one_key(stage: Stage) -> None:
    plan = stage.push(["one"])

    def start(core: Core) -> object:
        return runs.start(core, plan, runs.Start(key="once"))

    def check(a: object, b: object) -> None:
        assert a == b, "one key, two runs"
        assert [run.id for run in stage.every_run()] == [a]

    orders = stage.explore(start, start, check)

    assert orders >= 27


@pytest.mark.parametrize(("known", "least"), [(False, 18), (True, 27)])
def test_admit_and_admit(stage: Stage, known: bool, least: int) -> None:
    plan = stage.push(ONE)
    for _ in range(2):
        stage.start_alone(plan)
    (name,) = stage.waiting()
    if known:  # else its row is made by who comes first, and that alone lets the other wait
        stage.store.write(lambda tx: limits.lock_limits(tx, [name]))

    orders = stage.explore(
        lambda core: follow(core, names=(name,)), lambda core: follow(core, names=(name,)), switches_with_cut=0
    )

    assert orders >= least


def test_admit_and_release(stage: Stage) -> None:
    plan = stage.push(ONE)
    for _ in range(2):
        stage.start(plan)
    (claim,) = stage.claim(stage.worker("a"))
    (name,) = stage.waiting()

    orders = stage.explore(
        lambda core: answer(core, claim), lambda core: follow(core, names=(name,)), switches_with_cut=0
    )

    assert orders >= 24


def test_admit_and_kill_of_who_waits(stage: Stage) -> None:
    stage.push(POOLED)
    pools.set_slots(stage.core, "db", 0)
    run, other = (stage.start(stage.made["story"]) for _ in range(2))
    stage.store.write(lambda tx: sizes.set_slots(tx, "db", 1, stage.clock.now()))

    def check(a: object, b: object) -> None:
        held = stage.store.read(lambda tx: limits.in_use(tx, "pool:db"))
        assert sum(one.weight for one in held) <= 1

    orders = stage.explore(
        lambda core: follow(core, names=("pool:db",)),
        lambda core: runs.kill(core, run, "operator"),
        check,
        switches=1,
        switches_with_cut=0,
    )

    assert stage.run(other).status == "success", "who stood behind it had its turn"
    assert orders >= 27


def test_a_pool_is_resized_while_somebody_asks_for_it(stage: Stage) -> None:
    plan = stage.push(POOLED)
    pools.set_slots(stage.core, "db", 1)
    stage.start(plan)
    stage.start(plan)

    def check(a: object, b: object) -> None:
        held = stage.store.read(lambda tx: limits.in_use(tx, "pool:db"))
        assert len(held) == 2, "there is room for one more, and nobody was told"

    orders = stage.explore(
        lambda core: again(lambda: pools.set_slots(core, "db", 2)),
        lambda core: runs.start(core, plan, runs.Start()),
        check,
        switches=1,
        switches_with_cut=0,
    )

    assert orders >= 20


def test_writer_and_reader_of_the_feed(stage: Stage) -> None:
    plan = stage.push(["one"])
    run = stage.start(plan)
    stage.worker("a")
    beginning = stage.store.read(feed.start)

    def write_and_read(core: Core) -> tuple[dict[str, int], Position]:
        told: dict[str, int] = {}
        position = beginning
        take(core, "a")
        for _ in range(3):
            position = read(core, position, told)
        return told, position

    def check(a: object, b: object) -> None:
        assert isinstance(b, tuple)
        told, position = b
        read(stage.core, position, told)
        assert told[run] == stage.run(run).version

    orders = stage.explore(lambda core: runs.kill(core, run, "operator"), write_and_read, check, feed=True)

    assert orders >= 77


def read(core: Core, position: Position, told: dict[str, int]) -> Position:
    """Follow the feed one look further, and keep the newer version of each run."""
    items, after = core.store.read(lambda tx: feed.read(tx, position, core.clock.now()))
    for item in items:
        if item.what == "run":
            told[item.key] = max(told.get(item.key, 0), item.version)
    return after
