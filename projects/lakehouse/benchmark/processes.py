"""How long does a command take, and how much memory do those have who only steer? Looked at while it runs (Linux)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from bench.memory import MEGA

LOOKS_EVERY: Final = 0.2
# What Penstock's own processes are called; what they start is the pipeline's, and not theirs.
OWN: Final = (b"-m\0penstock\0", b"/zygote.py\0")
# What steers by hand: the shell with its script, and the client of the servers.
HAND: Final = (b"by_hand.sh\0", b"by_hand.py\0")
Mine = Callable[[bytes], bool]


class Spent(msgspec.Struct, frozen=True):
    """What a command took: seconds, the most memory its steering processes had at once (MB), and what it said."""

    seconds: float
    megabytes: float
    said: str


def spent(command: list[str], folder: Path, env: Mapping[str, str], steering: tuple[bytes, ...]) -> Spent:
    """Run a command to its end, and look every now and then; ends the program where it fails."""
    out, err = folder / "benchmark.out", folder / "benchmark.err"
    with out.open("wb") as said, err.open("wb") as told:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=dict(env), stdout=said, stderr=told)
        ended = threading.Event()
        seen = [0.0]
        looker = threading.Thread(target=_look, args=(process.pid, steering, seen, ended))
        looker.start()
        code = process.wait()
        took = time.perf_counter() - began
        ended.set()
        looker.join()
    if code:
        sys.exit(f"{' '.join(command)} ended with {code}.\n{out.read_text()[-3000:]}{err.read_text()[-3000:]}")
    return Spent(took, seen[0], out.read_text())


def _look(pid: int, steering: tuple[bytes, ...], seen: list[float], ended: threading.Event) -> None:
    while not ended.wait(LOOKS_EVERY):
        seen[0] = max(seen[0], sum(_megabytes(one) for one in _steering(pid, steering)))


def _steering(pid: int, names: tuple[bytes, ...]) -> Iterator[int]:
    """A process and those below it, as far down as they are called so."""
    try:
        called = Path(f"/proc/{pid}/cmdline").read_bytes()
        if not any(name in called for name in names):
            return
        yield pid
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _steering(int(child), names)
    except OSError:
        return


def _megabytes(pid: int) -> float:
    """What a process has, its share of what it has together with others (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")) / MEGA


def machine() -> str:
    """The machine in words."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    version = ".".join(str(part) for part in sys.version_info[:3])
    number = os.cpu_count() or 1
    cores = {1: "one core", 2: "two cores", 4: "four cores", 8: "eight cores"}.get(number, f"{number} cores")
    return f"{cores}, {pages / 2**30:.0f} GiB of memory, Linux, Python {version}"
