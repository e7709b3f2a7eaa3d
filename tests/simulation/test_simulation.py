"""Does every run end, and does every invariant hold, whatever dies when? A seed replays exactly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation import census, unreachable
from tests.simulation.simulate import simulate

SEEDS = int(os.environ.get("PENSTOCK_SEEDS", "500"))
ENOUGH = 500
BLOCK = 20
TOP = Path(__file__).parents[2]
COUNTED: dict[int, census.Found] = {}


def counted(seed: int) -> census.Found:
    """What a seed exercises, from when it was simulated in this process; its failure says how to see it again."""
    if seed not in COUNTED:
        try:
            COUNTED[seed] = census.count(simulate(seed))
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken} (once more: make simulate SEED={seed})") from broken
    return COUNTED[seed]


@pytest.mark.parametrize("block", range(0, SEEDS, BLOCK))
def test_every_run_ends_whatever_dies_when(block: int) -> None:
    for seed in range(block, min(block + BLOCK, SEEDS)):
        counted(seed)


@pytest.mark.timeout(900)
def test_all_that_can_be_met_is_met_and_nothing_that_cannot() -> None:
    found: census.Found = Counter()
    for seed in range(SEEDS):
        found.update(counted(seed))

    impossible = unreachable.cells()
    met = {cell: impossible[cell] for cell in found if found[cell] and cell in impossible}
    missed = census.cells() - impossible.keys() - unreachable.seldom() - {cell for cell in found if found[cell]}

    assert not found.keys() - census.cells(), "the census counts what it does not know"
    assert not met, f"what cannot be was met: {met}"
    assert SEEDS < ENOUGH or not missed, f"never met: {sorted(missed)}"


def test_what_is_seldom_is_neither_impossible_nor_unknown() -> None:
    assert unreachable.seldom() <= census.cells()
    assert not unreachable.seldom() & unreachable.cells().keys()
    assert unreachable.cells().keys() <= census.cells()


def test_a_seed_replays_exactly() -> None:
    first, second = simulate(7), simulate(7)

    assert first.print() == second.print()
    assert first.faults.met == second.faults.met


def test_a_seed_replays_exactly_in_another_process_whatever_the_order_of_its_sets() -> None:
    printed = [
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7"],
            cwd=TOP,
            env={**os.environ, "PYTHONHASHSEED": order, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for order in ("1", "2")
    ]

    assert printed[0] == printed[1]
    assert hashlib.blake2b(simulate(7).print().encode(), digest_size=8).hexdigest() in printed[0].decode()
