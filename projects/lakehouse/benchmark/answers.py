"""How long does dbt take on DuckDB for what people ask of a month of trips, some 2,960,000 of them?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from projects.lakehouse.benchmark.by_hand import begun, do
from projects.lakehouse.benchmark.workplace import Workplace, fresh

FILL: Final = Path(__file__).parent / "fill.py"


class Built(msgspec.Struct, frozen=True):
    """One `dbt build`: trips, and seconds of the whole command, of its work as dbt counts it, and of its models."""

    trips: int
    seconds: float
    working: float
    models: float


def rounds(place: Workplace, trips: int, count: int, say: Callable[[str], None]) -> list[Built]:
    """So many builds over the same tables; each begins without a database. One before them is not counted."""
    name = fresh()
    began = time.perf_counter()
    for layer in ("bronze", "silver"):
        session = begun()
        for statement in place.sql(layer, name=name)[:-1]:  # the tables, by the flow's own words, and no job
            do(session, statement)
    python = str(place.packages / "python")
    place.do([python, str(FILL), name, str(trips)])
    say(f"{trips} trips written in {time.perf_counter() - began:.1f} s")
    found = []
    for number in range(count + 1):
        made = _built(place, name, trips)
        which = f"round {number}" if number else "not counted"
        say(f"{which}: {made.seconds:.2f} s, {made.working:.2f} s of it work")
        found.append(made)
    return found[1:]


def _built(place: Workplace, name: str, trips: int) -> Built:
    database = Path(place.env["GOLD_FOLDER"], f"{name}.duckdb")
    database.unlink(missing_ok=True)
    build = "\n".join(line for line in place.task("dbt_build", name=name).lines("commands") if "dbt build" in line)
    env = {**place.dbt_env(name=name), "PATH": f"{place.packages}:{place.env['PATH']}"}
    began = time.perf_counter()
    place.do(["sh", "-c", build], **env)
    took = time.perf_counter() - began
    told = json.loads((place.folder / "gold" / "target" / "run_results.json").read_text())
    models = sum(each["execution_time"] for each in told["results"] if each["unique_id"].startswith("model."))
    return Built(trips, round(took, 3), round(told["elapsed_time"], 3), round(models, 3))
