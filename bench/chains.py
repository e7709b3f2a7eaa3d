"""What does a task cost, in a row and side by side, in a process of its own and without one?"""

from __future__ import annotations

import contextlib
import os
from functools import partial

from bench.figure import Figure, figure, paired
from bench.floor import Floor
from bench.house import DATABASES, Bed, bed
from penstock.model.plan import Plan

HEAD = "id: {id}\nnamespace: bench\ntasks:\n"
FRESH = "{pad}  - id: t{n}\n{pad}    type: python.script\n{pad}    script: print('hello from t{n}')\n"
INLINE = "  - id: t{n}\n    type: return\n    format: value {n}\n"
TIMES = 7


def chain_fresh() -> list[Figure]:
    """100 python tasks one after the other, a new process each: ms per task."""
    text = HEAD.format(id="chain") + "".join(FRESH.format(n=n, pad="") for n in range(100))
    return [_beside_floor("chain_fresh", text, database, 100, bar=8, ratio_bar=2) for database in DATABASES]


def chain_inline() -> list[Figure]:
    """200 tasks that need no process, one after the other: ms per task."""
    text = HEAD.format(id="inline") + "".join(INLINE.format(n=n) for n in range(200))
    found = []
    for database in DATABASES:
        with contextlib.closing(Floor()) as floor, bed(database) as made:
            run, beneath = partial(_per_task, made, made.flow(text)), partial(_floor_per_task, floor)
            seen, low = paired(run, beneath, TIMES)
        found.append(figure("chain_inline", "ms per task", seen, floor=low, database=database, bar=1))
    return found


def fan_out() -> list[Figure]:
    """50 python tasks at once, a new process each: ms per task."""
    text = HEAD.format(id="fan") + "  - id: all\n    type: io.kestra.plugin.core.flow.Parallel\n    tasks:\n"
    text += "".join(FRESH.format(n=n, pad="    ") for n in range(50))
    return [_beside_floor("fan_out", text, database, 50, bar=5, wide=True) for database in DATABASES]


def _per_task(made: Bed, plan: Plan) -> float:
    return made.run(plan) / 200 * 1e3


def _floor_per_task(floor: Floor) -> float:
    return floor.inline(200) / 200 * 1e3


def _beside_floor(name: str, text: str, database: str, tasks: int, *, wide: bool = False, **bars: float) -> Figure:
    with contextlib.closing(Floor()) as floor, bed(database) as made:
        plan = made.flow(text)
        slots = os.cpu_count() or 2

        def beneath() -> float:
            return (floor.fan_out(tasks, slots) if wide else floor.chain(tasks)) / tasks * 1e3

        seen, low = paired(lambda: made.run(plan) / tasks * 1e3, beneath, TIMES)
    return figure(name, "ms per task", seen, floor=low, database=database, **bars)
