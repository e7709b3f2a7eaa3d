"""How is the simulation started by hand? `python -m tests.simulation --seeds 100000`, or `--seed 7` for one again."""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from tests.simulation import census, unreachable
from tests.simulation.simulate import simulate

TOGETHER = 10
LONGEST = 300
EVERY = 2.0


class Went(msgspec.Struct, frozen=True):
    """How one seed went: why it broke (empty: it held), what it exercised, and which faults met it."""

    seed: int
    broken: str
    found: census.Found
    faults: Counter[str]
    runs: int


def one(seed: int) -> Went:
    """Simulate a seed and count."""
    try:
        world = simulate(seed)
    except Exception as error:
        why = f"{type(error).__name__}: {error}".partition("\n")[0][:LONGEST]
        return Went(seed, why, Counter(), Counter(), 0)
    runs = len(world.operator.every_run())
    return Went(seed, "", census.count(world), Counter(world.faults.met), runs)


def every(first: int, count: int, processes: int) -> Iterator[Went]:
    """Simulate many seeds in several processes, each as it is done."""
    seeds = range(first, first + count)
    with multiprocessing.Pool(processes) as pool:
        yield from pool.imap_unordered(one, seeds, chunksize=min(TOGETHER, 1 + count // (4 * processes)))


def many(first: int, count: int, processes: int) -> int:
    """Simulate, show how far it is, and tell what was exercised; gives the number of seeds that broke."""
    began = shown = time.monotonic()
    found, faults, broken, runs = Counter[census.Cell](), Counter[str](), 0, 0
    for done, went in enumerate(every(first, count, processes), start=1):
        found.update(went.found)
        faults.update(went.faults)
        runs += went.runs
        if went.broken:
            broken += 1
            print(f"\nseed {went.seed}: {went.broken}\n  once more: {again(went.seed)}", flush=True)
        now = time.monotonic()
        if now - shown > EVERY or done == count:
            shown, left = now, (now - began) / done * (count - done)
            told = f"\r{done} of {count} seeds, {broken} broken, {left / 60:.1f} minutes left  "
            print(told, end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(census.table(found, set(unreachable.cells())))
    print("\nfaults: " + ", ".join(f"{what} {many:,}" for what, many in sorted(faults.items())))
    print(f"{count:,} seeds, {runs:,} runs, {broken} broken, {(time.monotonic() - began) / 60:.1f} minutes")
    return broken


def again(seed: int) -> str:
    """What runs one seed once more."""
    return f"make simulate SEED={seed}"


def main() -> int:
    """Read what is wanted, and do it."""
    asks = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    asks.add_argument("--seeds", type=int, default=1000, help="how many")
    asks.add_argument("--first", type=int, default=0, help="from which one on")
    asks.add_argument("--seed", type=int, default=None, help="this one alone, with its traceback when it breaks")
    asks.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = asks.parse_args()
    if asked.seed is None:
        return 1 if many(asked.first, asked.seeds, asked.processes) else 0
    world = simulate(asked.seed)
    print(f"seed {asked.seed} holds: {hashlib.blake2b(world.print().encode(), digest_size=8).hexdigest()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
