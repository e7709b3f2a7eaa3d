"""How soon does a run go on after everything that did it was killed with -9, and does anything run twice?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bench.figure import Figure, figure
from bench.house import DATABASES, folder_on

STEPS = 20
TIMES = 5


def recovery() -> list[Figure]:
    """Kill -9 of everything in a chain of 20 steps, restart: seconds until the run goes on; steps that ran again."""
    return [_on(database) for database in DATABASES]


def _on(database: str) -> Figure:
    seen, twice = [], 0
    for turn in range(TIMES):
        with folder_on(database) as (folder, store):
            spent, again = _one(folder, store, after=3 + 3 * turn)
        seen.append(spent)
        twice += again
    return figure("recovery", "s", seen, database=database, bar=2, twice=twice)


def _one(folder: Path, store: list[str], after: int) -> tuple[float, int]:
    """One kill once `after` steps have reported; gives the wait and how many steps that had reported ran again."""
    trace = folder / "trace"
    (folder / "chain.yml").write_text(_chain(trace))
    cli = _penstock(folder, "run", "chain.yml", *store)
    _until(lambda: len(_lines(trace)) >= after)
    os.kill(cli.pid, signal.SIGKILL)
    cli.wait()
    before = _lines(trace)
    reported = set(before[:-1])  # the last one may not have reported
    began = time.perf_counter()
    worker = _penstock(folder, "worker", *store)
    try:
        _until(lambda: len(_lines(trace)) > len(before))
        spent = time.perf_counter() - began
        _until(lambda: f"s{STEPS - 1}" in _lines(trace))
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
    counted = Counter(_lines(trace))
    return spent, sum(counted[step] - 1 for step in reported)


def _chain(trace: Path) -> str:
    tasks = "".join(
        f"  - id: s{n}\n    type: python.script\n    script: |\n      import time\n"
        f"      with open({str(trace)!r}, 'a') as trace:\n          trace.write('s{n}\\n')\n      time.sleep(0.05)\n"
        for n in range(STEPS)
    )
    return f"id: chain\nnamespace: bench\ntasks:\n{tasks}"


def _penstock(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    silent = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "penstock", *words], cwd=folder, stdout=silent, stderr=silent)


def _lines(trace: Path) -> list[str]:
    return trace.read_text().split() if trace.exists() else []


def _until(so: object, limit: float = 60) -> None:
    assert callable(so)
    end = time.perf_counter() + limit
    while not so():
        if time.perf_counter() > end:
            raise TimeoutError("the run did not go on")
        time.sleep(0.002)
