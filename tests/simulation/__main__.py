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


class Sum:
    """What all seeds so far came to; opens empty, takes one after the other, and is told at the end."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.done = self.broken = self.runs = 0
        self.found: census.Found = Counter()
        self.faults: Counter[str] = Counter()
        self._began = self._shown = time.monotonic()

    def take(self, went: Went) -> None:
        """Add a seed; tell at once of one that broke, and every few seconds how far it is."""
        self.done += 1
        self.found.update(went.found)
        self.faults.update(went.faults)
        self.runs += went.runs
        if went.broken:
            self.broken += 1
            print(f"\nseed {went.seed}: {went.broken}\n  once more: {again(went.seed)}", flush=True)
        now = time.monotonic()
        if now - self._shown > EVERY:
            self._shown, left = now, (now - self._began) / self.done * (self.count - self.done)
            told = f"\r{self.done} of {self.count} seeds, {self.broken} broken, {left / 60:.1f} minutes left  "
            print(told, end="", file=sys.stderr, flush=True)

    def tell(self) -> None:
        """Print the tables."""
        print(file=sys.stderr)
        print(census.table(self.found, set(unreachable.cells())))
        print("\nfaults: " + ", ".join(f"{what} {many:,}" for what, many in sorted(self.faults.items())))
        minutes = (time.monotonic() - self._began) / 60
        print(f"{self.done:,} seeds, {self.runs:,} runs, {self.broken} broken, {minutes:.1f} minutes")


def many(first: int, count: int, processes: int) -> int:
    """Simulate, and tell what was exercised, of a part when it is interrupted; gives the number that broke."""
    so_far = Sum(count)
    try:
        for went in every(first, count, processes):
            so_far.take(went)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    so_far.tell()
    return so_far.broken


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
