"""Does every run end, and does every invariant hold, whatever dies when? A seed replays exactly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.simulate import simulate

SEEDS = int(os.environ.get("PENSTOCK_SEEDS", "500"))
BLOCK = 20
TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("block", range(0, SEEDS, BLOCK))
def test_every_run_ends_whatever_dies_when(block: int) -> None:
    for seed in range(block, min(block + BLOCK, SEEDS)):
        try:
            simulate(seed)
        except AssertionError as broken:
            again = f"once more: python -m tests.simulation --seed {seed}"
            raise AssertionError(f"seed {seed}: {broken} ({again})") from broken


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
