"""Does size cost more than size? A loop of 10,000 values, events in small and large runs, a flow of 5,000 tasks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

import yaml
from msgspec.structs import replace

from bench.figure import Figure, figure, paired
from bench.floor import Floor
from bench.house import DATABASES, Bed, bed, folder_on
from bench.memory import megabytes
from penstock.model.event import Ended
from penstock.model.run import Run
from penstock.model.status import Outcome
from penstock.services import apply, claims, runs
from penstock.services.project import Manner, read_file
from penstock.services.reading import preload
from penstock.store import runs as table
from penstock.store.queue import Claim

SIZES = (10, 1_000, 10_000)
MOST = 1_000
TIMES = 3
BASKET = 16
HEAD = "id: {id}\nnamespace: bench\ntasks:\n"
TASK = "{pad}  - id: t{n}\n{pad}    type: return\n{pad}    format: '{text}'\n"
EACH = (
    "{pad}  - id: each{n}\n{pad}    type: io.kestra.plugin.core.flow.ForEach\n{pad}    concurrencyLimit: {limit}\n"
    "{pad}    values: '{{{{ range(1, {size}) }}}}'\n{pad}    tasks:\n"
)
BATCHES = """id: each
namespace: bench
tasks:
  - id: rows
    type: python.script
    outputFiles: [rows.csv]
    script: |
      with open("rows.csv", "w") as file:
          for number in range(100_000):
              print(f"{number},name {number},2016-01-02", file=file)
  - id: batches
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{{ outputs.rows.outputFiles['rows.csv'] }}"
    batch: {rows: 1000}
    namespace: bench
    flowId: batch
    wait: true
    transmitFailed: true
    inputs: {rows: "{{ taskrun.items }}"}
"""
BATCH = """id: batch
namespace: bench
inputs:
  - {id: rows, type: FILE}
tasks:
  - {id: size, type: return, format: "{{ fileSize(inputs.rows) }}"}
"""
AT_ONCE = "  - id: all\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"


def foreach_10k() -> list[Figure]:
    """A loop over 10,000 values with a task that needs no process, by the command: seconds, and the most memory."""
    return [_foreach(database, limit, note) for database in DATABASES for limit, note in MANNERS.items()]


def loop_100k() -> list[Figure]:
    """A loop over a file of 100,000 rows in batches of 1,000, by the command: seconds, and the most memory."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        (folder / "each.yml").write_text(BATCHES)
        (folder / "batch.yml").write_text(BATCH)
        peaks: list[float] = []
        seen = [_command(folder, ["-q"], peaks) for _ in range(TIMES + 1)]
    return [figure("loop_100k", "s", seen[1:], peak_mb=max(peaks))]


def event_cost() -> list[Figure]:
    """What the end of a task costs in runs of 10, 1,000 and 10,000 steps: ms; the ratio is the largest to the least."""
    return [one for database in DATABASES for kind in FLOWS for one in _event_costs(database, kind)]


def read_flow_5000() -> list[Figure]:
    """A flow of 5,000 tasks with 7,500 expressions, read and checked: seconds, texts not seen before."""
    turns = iter(range(100))
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        path = Path(folder, "flow.yml")
        seen, low = paired(lambda: _read(path, next(turns)), lambda: _composed(path), TIMES)
    return [figure("read_flow_5000", "s", seen, floor=low, bar=1)]


MANNERS = {1: "one value after the other", 0: "all values at once"}


def loop(size: int) -> str:
    """A loop over all values at once."""
    return EACH.format(pad="", n="", limit=0, size=size) + TASK.format(pad="    ", n="", text="{{ taskrun.value }}")


def parallel(size: int) -> str:
    """All tasks side by side."""
    return AT_ONCE + "".join(TASK.format(pad="    ", n=n, text=f"value {n}") for n in range(size))


def nested(size: int) -> str:
    """A loop in a loop, all values of both at once."""
    inner = max(2, round(size**0.5))
    outer = EACH.format(pad="", n=1, limit=0, size=size // inner)
    return outer + EACH.format(pad="    ", n=2, limit=0, size=inner) + TASK.format(pad=" " * 8, n="", text="x")


def dag(size: int) -> str:
    """A graph in which every tenth task is needed by the nine after it."""
    text = "  - id: all\n    type: io.kestra.plugin.core.flow.Dag\n    tasks:\n"
    for n in range(size):
        task = TASK.format(pad=" " * 6, n=n, text=f"value {n}").replace(" " * 8 + "- id", " " * 8 + "  id", 1)
        text += f"      - task:\n{task}"
        text += f"        dependsOn: [t{n - n % 10}]\n" if n % 10 else ""
    return text


# Another way of arranging tasks is measured by one more line here.
FLOWS = {"loop": loop, "parallel": parallel, "nested": nested, "dag": dag}


def _foreach(database: str, limit: int, note: str) -> Figure:
    text = HEAD.format(id="each") + EACH.format(pad="", n="", limit=limit, size=SIZES[-1])
    text += TASK.format(pad="    ", n="", text="value {{ taskrun.value }}")
    with folder_on(database) as (folder, store):
        (folder / "each.yml").write_text(text)
        floor = Floor()
        peaks: list[float] = []
        seen, low = paired(partial(_command, folder, store, peaks), lambda: floor.inline(SIZES[-1]), TIMES)
        floor.close()
    bar = 10 if database == "sqlite" else None
    return figure("foreach_10k", "s", seen, floor=low, database=database, bar=bar, note=note, peak_mb=max(peaks))


def _command(folder: Path, store: list[str], peaks: list[float]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "penstock", "run", "each.yml", *store]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        over = threading.Event()
        watch = threading.Thread(target=lambda: peaks.append(_peak(process.pid, over)))
        watch.start()
        code = process.wait()
        spent = time.perf_counter() - began
        over.set()
        watch.join()
    assert code == 0, f"{' '.join(command)} ended with {code}"
    return spent


def _peak(pid: int, over: threading.Event) -> float:
    """The most megabytes that a process and all below it had at once, shared pages counted once (Linux)."""
    most = 0.0
    while not over.wait(0.05):
        most = max(most, megabytes(pid))
    return round(most, 1)


def _event_costs(database: str, kind: str) -> list[Figure]:
    text = FLOWS[kind]
    found: list[Figure] = []
    with bed(database) as made:
        _ends(made, HEAD.format(id="warm") + text(SIZES[0]))
        for size in SIZES:
            seen: list[float] = []
            while len(seen) < 200:
                seen += _ends(made, HEAD.format(id=f"{kind}{size}") + text(size), every=max(1, size // MOST))
            found.append(figure("event_cost", "ms per event", seen, database=database, note=f"{kind} of {size:,}"))
    ratio = round(found[-1].median / found[0].median, 2)
    return [*found[:-1], replace(found[-1], ratio=ratio, floor=found[0].median, ratio_bar=1.5)]


def _ends(made: Bed, text: str, every: int = 1) -> list[float]:
    """Start a run and end its tasks, each in a transaction of its own; the milliseconds that each took, its share of
    what a worker does for a basket of claims among them: to claim, and to read at once what their runs will ask for.

    Of a large run every so many baskets of claims are told so, the others each in one transaction and not counted.
    """
    core = made.core
    run_id = runs.start(core, made.flow(text), runs.Start(owner="bench"))
    seen: list[float] = []
    baskets = 0
    while not _run(made, run_id).status.ended:
        began = time.perf_counter()
        taken = claims.claim(core, "bench", BASKET)
        preload(core, taken)
        share = (time.perf_counter() - began) * 1e3 / max(1, len(taken))
        baskets += 1
        if baskets % every and taken:
            apply.report_together(core, [(claim, _ended(claim), {"value": "x"}) for claim in taken])
            continue
        for claim in taken:
            began = time.perf_counter()
            apply.report(core, claim, _ended(claim), {"value": "x"})
            seen.append((time.perf_counter() - began) * 1e3 + share)
    return seen


def _ended(claim: Claim) -> Ended:
    return Ended(step=claim.step, attempt=claim.attempt, outcome=Outcome.DONE, worker="bench", started_at=1, ended_at=2)


def _run(made: Bed, run_id: str) -> Run:
    run = made.core.store.read(lambda tx: table.load(tx, run_id))
    assert run is not None
    return run


def _read(path: Path, turn: int) -> float:
    path.write_text(_wide(turn))
    began = time.perf_counter()
    reading = read_file(path, Manner())
    spent = time.perf_counter() - began
    assert reading.flow is not None, reading.problems[:3]
    return spent


def _composed(path: Path) -> float:
    """The floor of a reading: the same text as nodes with places, by the YAML library in C."""
    text = path.read_text()
    began = time.perf_counter()
    assert yaml.compose(text, Loader=yaml.CSafeLoader) is not None
    return time.perf_counter() - began


def _wide(turn: int) -> str:
    tasks = "".join(
        f"  - id: t{n}\n    type: log\n    message:\n      - '{{{{ flow.id }}}} {turn}-{n}'\n"
        f"      - '{{{{ outputs.v{n}.value ?? {turn} }}}}'\n  - id: v{n}\n    type: return\n    format: '{turn} {n}'\n"
        for n in range(2_500)
    )
    return HEAD.format(id="wide") + tasks
