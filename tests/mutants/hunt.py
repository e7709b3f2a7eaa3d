"""At which seed is a planted bug found? `python -m tests.mutants.hunt` simulates until the first that breaks."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from tests.mutants.planted import Mutant, World
from tests.simulation.matched import once
from tests.simulation.simulate import simulate

TOP = Path(__file__).parents[2]
SOURCE = TOP / "src"
MOST = 2_000
LONGEST = 120
SHOWN = 90
WORLDS: Final[Mapping[World, Callable[[int], object]]] = {"runs": simulate, "time": once}


class Hunted(msgspec.Struct, frozen=True):
    """Where a mutant was found, by which broken rule, in how many seconds; no seed when it never was."""

    mutant: Mutant
    seed: int | None
    why: str
    seconds: float


def planted_in(text: str, mutant: Mutant) -> str:
    """The text with the bug in it. Raises LookupError when what is to be replaced is not there exactly once."""
    if text.count(mutant.old) != 1:
        raise LookupError(f'"{mutant.name}": {mutant.file} has its text {text.count(mutant.old)} times')
    return text.replace(mutant.old, mutant.new)


def hunt(mutant: Mutant, seeds: int = MOST) -> Hunted:
    """Plant a bug in a copy of the source, and simulate in a process of its own until it is found.

    One without text leaves the copy as it is, and must not be found.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
        file = copy / "penstock" / mutant.file
        if mutant.old:
            file.write_text(planted_in(file.read_text(), mutant))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), str(TOP)]), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "tests.mutants.hunt", "--seeds", str(seeds), "--source", str(copy)]
        command += ["--world", mutant.world]
        done = subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f'"{mutant.name}" could not be simulated: {done.stderr[-2000:]}')
    found = json.loads(done.stdout.splitlines()[-1])
    return Hunted(mutant, found["seed"], found["why"], time.monotonic() - began)


def _search(world: Callable[[int], object], seeds: int) -> tuple[int | None, str]:
    """The first seed that breaks, and by which rule; one that does not come to an end breaks, too."""
    signal.signal(signal.SIGALRM, _too_long)
    for seed in range(seeds):
        signal.alarm(LONGEST)
        try:
            world(seed)
        except Exception as broken:
            told = broken if isinstance(broken, AssertionError) else f"{type(broken).__name__}: {broken}"
            return seed, " ".join(str(told).split())[:SHOWN]
        finally:
            signal.alarm(0)
    return None, ""


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise AssertionError("it does not come to an end")


def main() -> None:
    """Search in the source that this process was given, and tell."""
    asks = argparse.ArgumentParser(prog="python -m tests.mutants.hunt", description=__doc__)
    asks.add_argument("--seeds", type=int, default=MOST)
    asks.add_argument("--source", default=str(SOURCE))
    asks.add_argument("--world", choices=list(WORLDS), default="runs")
    asked = asks.parse_args()
    loaded = Path(str(sys.modules["penstock"].__file__))
    assert loaded.is_relative_to(asked.source), f"{loaded} is simulated in the place of {asked.source}"
    seed, why = _search(WORLDS[asked.world], asked.seeds)
    print(json.dumps({"seed": seed, "why": why}))


if __name__ == "__main__":
    main()
