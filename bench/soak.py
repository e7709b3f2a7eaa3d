"""Does anything grow that should not? Memory, open files and tables, looked at while runs go through for hours."""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence

import httpx
import msgspec
import psycopg

from bench.served import Served, served

# What holds work that is under way: as many rows when it ends as when it began.
HOT = ("inbox", "ready_attempts", "blocked_attempts", "claimed_attempts", "due", "workers", "triggers")
# What keeps what has been: so many rows for each run.
COLD = ("runs", "steps", "events", "attempts", "outputs", "changes")
A_SECOND = 4.0
SAMPLES = 60
LEAST = 5.0
# What is seen before this share of the time is warming up.
WARM = 0.25
FLOWS = (
    "id: plain\nnamespace: bench\ntasks:\n"
    "  - {id: one, type: return, format: hello}\n  - {id: two, type: return, format: '{{ outputs.one.value }}'}\n",
    "id: shell\nnamespace: bench\ntasks:\n  - {id: say, type: shell.script, script: 'seq 20'}\n",
    "id: wide\nnamespace: bench\ntasks:\n  - id: each\n    type: foreach\n    values: [a, b, c, d]\n    tasks:\n"
    "      - {id: say, type: return, format: '{{ taskrun.value }}'}\n",
    "id: ticking\nnamespace: bench\ntasks:\n  - {id: say, type: log, message: tick}\ntriggers:\n"
    "  - {id: tick, type: io.kestra.plugin.core.trigger.Schedule, cron: '*/2 * * * * *', withSeconds: true}\n",
)
STARTED = ("plain", "plain", "plain", "shell", "wide")


class Sample(msgspec.Struct, frozen=True):
    """What was there at an instant, seconds after the beginning."""

    at: float
    runs: int
    memory: float
    files: int
    rows: dict[str, int]


class Traffic:
    """Runs started at an even pace by a client, until it is over; refusals and losses are counted."""

    def __init__(self, stand: Served) -> None:
        self.over = threading.Event()
        self.started = self.failed = 0
        self._stand = stand
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    def _go(self) -> None:
        while not self.over.wait(1 / A_SECOND):
            try:
                self._stand.start(STARTED[self.started % len(STARTED)])
            except (AssertionError, httpx.HTTPError):
                self.failed += 1
            self.started += 1


def soak(database: str, seconds: float) -> tuple[list[Sample], Traffic]:
    """Let runs go through for so long, and look again and again."""
    found: list[Sample] = []
    with served(database) as stand:
        stand.push(*FLOWS)
        began = time.monotonic()
        with Traffic(stand) as traffic:
            while (spent := time.monotonic() - began) < seconds:
                found.append(Sample(spent, traffic.started, stand.memory, stand.files, rows(stand)))
                told = f"{spent:6.0f} s: {traffic.started} started, {found[-1].memory:.1f} MB, {found[-1].files} files"
                print(told, file=sys.stderr, flush=True)
                time.sleep(max(LEAST, seconds / SAMPLES))
        return found, traffic


def rows(stand: Served) -> dict[str, int]:
    """How many rows each table has."""
    if stand.store:
        with psycopg.connect(stand.store[1]) as server:
            return {name: int(server.execute(counted(name).encode()).fetchall()[0][0]) for name in (*HOT, *COLD)}
    with contextlib.closing(sqlite3.connect(stand.folder / ".penstock" / "penstock.db", timeout=30)) as light:
        return {name: int(light.execute(counted(name)).fetchone()[0]) for name in (*HOT, *COLD)}


def counted(table: str) -> str:
    """The question how many rows a table has; of our own list of names."""
    return "SELECT count(*) FROM " + table


def slope(seen: Sequence[tuple[float, float]]) -> float:
    """How steep the line is that fits best through points."""
    middle_x, middle_y = (sum(each) / len(seen) for each in zip(*seen, strict=True))
    over = sum((x - middle_x) ** 2 for x, _ in seen)
    return sum((x - middle_x) * (y - middle_y) for x, y in seen) / over if over else 0.0


def table(found: Sequence[Sample]) -> str:
    """What grew by how much an hour, and for each run."""
    warm = [each for each in found if each.at >= found[-1].at * WARM]
    lines = ["| what | at first | in the end | an hour | for each run |", "|---|---|---|---|---|"]
    named = [("memory, MB", [each.memory for each in warm]), ("open files", [float(each.files) for each in warm])]
    named += [(f"rows of {name}", [float(each.rows[name]) for each in warm]) for name in (*HOT, *COLD)]
    for name, seen in named:
        an_hour = slope([(each.at / 3600, value) for each, value in zip(warm, seen, strict=True)])
        a_run = slope([(float(each.runs), value) for each, value in zip(warm, seen, strict=True)])
        lines.append(f"| {name} | {seen[0]:g} | {seen[-1]:g} | {an_hour:+.1f} | {a_run:+.4f} |")
    return "\n".join(lines)


def main() -> None:
    """Read what is wanted, and do it."""
    asks = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    asks.add_argument("--hours", type=float, default=1.0)
    asks.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    asked = asks.parse_args()
    found, traffic = soak(asked.database, asked.hours * 3600)
    print(f"{traffic.started} runs started in {found[-1].at / 60:.0f} minutes, {traffic.failed} refused or lost\n")
    print(table(found))


if __name__ == "__main__":
    main()
