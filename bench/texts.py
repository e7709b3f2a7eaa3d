"""How fast are texts read: expressions rendered, flows checked, log lines stored?"""

from __future__ import annotations

import functools
import os
import tempfile
import time
from pathlib import Path

from bench.figure import Figure, figure, paired
from bench.house import DATABASES, Bed, bed
from penstock import expr
from penstock.model.plan import Plan
from penstock.services.project import Manner, read_file

LINES = 1_000_000
PRINTER = f"""id: lines
namespace: bench
tasks:
  - id: print
    type: python.script
    script: |
      import sys
      line = "2016-01-02 10:00:00 INFO loaded part-000.csv, 1000 rows in, 998 rows out\\n"
      for _ in range({LINES // 1000}):
          sys.stdout.write(line * 1000)
"""


def log_lines() -> list[Figure]:
    """One task printing 1,000,000 lines: lines per second stored, beside the same lines read from a pipe."""
    found = []
    for database in DATABASES:
        with bed(database) as made:
            plan = made.flow(PRINTER)
            seen, low = paired(functools.partial(_stored, made, plan), _piped, 5)
        found.append(figure("log_lines", "lines/s", seen, floor=low, database=database, bar=200_000))
    return found


def render() -> list[Figure]:
    """A compiled `{{ inputs.x }}`, microseconds."""
    template = expr.compile("{{ inputs.x }}")
    scope = {"inputs": {"x": "value"}}
    seen = []
    for _ in range(30):
        began = time.perf_counter()
        for _ in range(10_000):
            template.render(scope)
        seen.append((time.perf_counter() - began) / 10_000 * 1e6)
    return [figure("render", "µs", seen, bar=5)]


def read_flow() -> list[Figure]:
    """A flow of 200 tasks with 600 expressions, read and checked: ms, texts not seen before."""
    seen = []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        for turn in range(21):
            path = Path(folder, f"flow{turn}.yml")
            path.write_text(_large(turn))
            began = time.perf_counter()
            reading = read_file(path, Manner())
            spent = (time.perf_counter() - began) * 1e3
            assert reading.flow is not None, reading.problems[:3]
            seen.append(spent)
    return [figure("read_flow", "ms", seen[1:], bar=60)]


def _stored(made: Bed, plan: Plan) -> float:
    return LINES / made.run(plan)


def _large(turn: int) -> str:
    tasks = "".join(
        f"  - id: t{n}\n    type: log\n    message:\n      - '{{{{ inputs.day }}}} {turn}-{n}'\n"
        f"      - '{{{{ vars.x{n % 7} ?? {n} }}}} {turn}'\n      - '{{{{ flow.id | upper }}}} {turn} {n}'\n"
        for n in range(200)
    )
    variables = "".join(f"  x{n}: {n}\n" for n in range(7))
    head = f"id: large\nnamespace: bench\ninputs:\n  - id: day\n    type: DATE\nvariables:\n{variables}tasks:\n"
    return head + tasks


def _piped() -> float:
    """The floor of log lines: as many bytes through a pipe into a file, lines counted."""
    line = b"2016-01-02 10:00:00 INFO loaded part-000.csv, 1000 rows in, 998 rows out\n" * 1000
    began = time.perf_counter()
    out, into = os.pipe()
    if os.fork() == 0:
        os.close(out)
        with os.fdopen(into, "wb") as pipe:
            for _ in range(LINES // 1000):
                pipe.write(line)
        os._exit(0)
    os.close(into)
    counted = 0
    with tempfile.TemporaryFile() as kept:
        while data := os.read(out, 65536):
            counted += data.count(b"\n")
            kept.write(data)
    os.close(out)
    os.wait()
    assert counted == LINES
    return LINES / (time.perf_counter() - began)
