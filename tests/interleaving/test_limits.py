"""Is a limit kept, and is nobody forgotten behind it, whichever statement comes first?"""

from __future__ import annotations

from penstock.services import runs
from penstock.services.core import Core
from penstock.store import feed
from penstock.store.feed import Position
from tests.interleaving.stage import Stage, answer, follow, take

ONE = {"tasks": ["one"], "limit": {"count": 1}}


def test_start_and_start_behind_a_limit(stage: Stage) -> None:
    plan = stage.push(ONE)

    def start(core: Core) -> object:
        return runs.start(core, plan, runs.Start())

    orders = stage.explore(start, start, switches=1, switches_with_cut=0)

    assert orders >= 20


def test_start_and_start_with_one_key(stage: Stage) -> None:
    plan = stage.push(["one"])

    def start(core: Core) -> object:
        return runs.start(core, plan, runs.Start(key="once"))

    def check(a: object, b: object) -> None:
        assert a == b, "one key, two runs"
        assert [run.id for run in stage.every_run()] == [a]

    orders = stage.explore(start, start, check)

    assert orders >= 20


def test_admit_and_admit(stage: Stage) -> None:
    plan = stage.push(ONE)
    for _ in range(2):
        stage.start_alone(plan)
    (name,) = stage.waiting()

    orders = stage.explore(
        lambda core: follow(core, names=(name,)), lambda core: follow(core, names=(name,)), switches_with_cut=0
    )

    assert orders >= 20


def test_admit_and_release(stage: Stage) -> None:
    plan = stage.push(ONE)
    for _ in range(2):
        stage.start(plan)
    (claim,) = stage.claim(stage.worker("a"))
    (name,) = stage.waiting()

    orders = stage.explore(
        lambda core: answer(core, claim), lambda core: follow(core, names=(name,)), switches_with_cut=0
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

    assert orders >= 20


def read(core: Core, position: Position, told: dict[str, int]) -> Position:
    """Follow the feed one look further, and keep the newer version of each run."""
    items, after = core.store.read(lambda tx: feed.read(tx, position, core.clock.now()))
    for item in items:
        if item.what == "run":
            told[item.key] = max(told.get(item.key, 0), item.version)
    return after
