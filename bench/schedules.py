"""How soon have 10,000 schedules fired that are due in the same minute, and what does a server cost when none is?"""

from __future__ import annotations

import contextlib
import datetime
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from bench.figure import Figure, figure
from bench.house import Bed, bed
from penstock.model.trigger import Schedule
from penstock.services.flows import push
from penstock.services.project import Manner, read_file
from penstock.store import runs

FLOWS, TRIGGERS = 200, 50
COUNT = FLOWS * TRIGGERS
AHEAD = datetime.timedelta(seconds=45)
IDLE = 20.0
TICKS = os.sysconf("SC_CLK_TCK")
FLOW = "id: base\nnamespace: bench\ntasks:\n  - id: one\n    type: return\n    format: done\n"


def schedules_10k() -> list[Figure]:
    """10,000 schedules, all due in the same minute, with one server: seconds until all runs exist; CPU when idle."""
    with bed("postgres") as made:
        made.worker.close()
        due = _fill(made)
        with _server(made) as process:
            time.sleep(max(0.0, due - time.time()))
            found = _fired(made)
            took = found[-1] / 1e6 - due
            before, began = _cpu(process.pid), time.monotonic()
            time.sleep(IDLE)
            share = (_cpu(process.pid) - before) / (time.monotonic() - began) * 100
    note = f"{COUNT} schedules; the first run {(found[0] / 1e6 - due) * 1e3:.0f} ms after its time"
    return [
        figure("schedules_10k", "s", [took], database="postgres", alone=True, bar=10, note=note),
        figure(
            "schedules_10k_idle",
            "%",
            [share],
            database="postgres",
            alone=True,
            bar=2,
            note=f"of one core, over {IDLE:.0f} s",
        ),
    ]


def _fill(made: Bed) -> float:
    """Store the flows, and give the instant that all of their schedules are due at."""
    at = (datetime.datetime.now(datetime.UTC) + AHEAD).replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
    path = made.root / "flow.yml"
    path.write_text(FLOW)
    read = read_file(path, Manner(namespace="bench")).flow
    assert read is not None
    cron = f"{at.minute} {at.hour} * * *"
    triggers = tuple(Schedule(id=f"t{number}", type="schedule", cron=cron) for number in range(TRIGGERS))
    for number in range(FLOWS):
        push(made.core, msgspec.structs.replace(read, id=f"flow{number}", triggers=triggers), FLOW, f"digest {number}")
    return at.timestamp()


def _fired(made: Bed) -> list[int]:
    """When each run was made, once all of them are."""
    until = time.monotonic() + 120
    while made.core.store.read(lambda tx: runs.count(tx, runs.Filter())) < COUNT:
        assert time.monotonic() < until, "not all schedules have fired"
        time.sleep(0.1)
    made_at, last = [], ""
    while page := made.core.store.read(partial(runs.list_runs, wanted=runs.Filter(), limit=1_000, before_id=last)):
        last = page[-1].id
        made_at += [run.created_at for run in page]
    assert len(made_at) == COUNT, "some date has two runs"
    return sorted(made_at)


@contextlib.contextmanager
def _server(made: Bed) -> Iterator[subprocess.Popen[bytes]]:
    where = ["--store", made.app.where.store]
    command = [sys.executable, "-m", "penstock", "serve", "--port", "0", "-C", str(Path(made.root)), *where]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
