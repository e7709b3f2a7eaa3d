"""Does every run end, and does every invariant hold, whatever dies when? A seed replays exactly."""

from __future__ import annotations

import os

import pytest

from penstock.model.policy import SECOND
from penstock.model.run import Run
from penstock.store import runs
from tests.simulation.invariants import Watcher
from tests.simulation.world import FARTHEST, World

SEEDS = int(os.environ.get("PENSTOCK_SEEDS", "200"))
BLOCK = 20
TICKS = 400
CALM_TICKS = 6_000


def simulate(seed: int) -> World:
    """Run one world with faults, then calm it and let everything end; raises AssertionError at the tick that broke."""
    world = World(seed)
    watcher = Watcher(world.sound, {plan.flow.id: plan for plan in world.plans})
    for _ in range(TICKS):
        world.tick()
        watcher.look()
    world.faults.on = False
    world.clock.set_wall(FARTHEST)  # as late as any step of the clock has set a timer for
    for tick in range(CALM_TICKS):
        world.tick()
        if tick % 25 == 0:
            watcher.look()
            if tick > 100 and all(run.status.ended and not run.open for run in every_run(world)):
                break
    for _ in range(200):
        world.clock.advance(SECOND)
        world.tick()
    watcher.look()
    watcher.at_rest()
    assert not world.broken, world.broken
    return world


def every_run(world: World) -> list[Run]:
    """All runs, children too."""
    return world.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), limit=1000))


@pytest.mark.parametrize("block", range(0, SEEDS, BLOCK))
def test_every_run_ends_whatever_dies_when(block: int) -> None:
    for seed in range(block, min(block + BLOCK, SEEDS)):
        try:
            simulate(seed)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken


def test_a_seed_replays_exactly() -> None:
    first, second = simulate(7), simulate(7)

    assert [run.id for run in every_run(first)] == [run.id for run in every_run(second)]
    assert [run.history for run in every_run(first)] == [run.history for run in every_run(second)]
    assert first.faults.met == second.faults.met
