"""How is one seed simulated? Some hundred ticks with faults, then calm until all has ended; every look is checked."""

from __future__ import annotations

from penstock.model.policy import SECOND
from penstock.services.reading import plan_of
from tests.simulation.invariants import Watcher
from tests.simulation.world import FARTHEST, World

TICKS = 400
CALM_TICKS = 6_000


def simulate(seed: int) -> World:
    """Run one world with faults, then calm it and let everything end; raises AssertionError at the tick that broke."""
    world = World(seed)
    watcher = Watcher(world.sound, lambda run: plan_of(world.sound, run), world.plans)
    for _ in range(TICKS):
        _tick(world, watcher)
        if world.wrote:
            watcher.look()
    world.faults.on = False
    world.clock.set_wall(FARTHEST)  # as late as any step of the clock has set a timer for
    for tick in range(CALM_TICKS):
        _tick(world, watcher)
        if tick % 25 == 0:
            watcher.look()
            if tick > 100 and all(run.status.ended and not run.open for run in world.operator.every_run()):
                break
    for _ in range(200):
        world.clock.advance(SECOND)
        _tick(world, watcher)
    watcher.look()
    watcher.at_rest()
    return world


def _tick(world: World, watcher: Watcher) -> None:
    world.tick()
    assert not world.broken, world.broken
    if world.wrote:
        watcher.after_tick(unhurt=world.unhurt, woken=world.faults.woken)
