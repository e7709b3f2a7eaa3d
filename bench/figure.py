"""What is one measured figure? Median and spread over repetitions, beside the floor measured in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One bench on one database. `ratio` is median ÷ floor, of a rate floor ÷ median: small is good.

    `bar` is what the median must reach, `ratio_bar` what the ratio must, `p95_bar` what the p95; `peak_mb` is the most
    memory that all processes had at once; `note` says what else was seen.
    """

    name: str
    unit: str
    median: float
    p95: float
    n: int
    database: str = "sqlite"
    floor: float | None = None
    ratio: float | None = None
    bar: float | None = None
    ratio_bar: float | None = None
    p95_bar: float | None = None
    least: float | None = None
    most: float | None = None
    twice: int | None = None
    peak_mb: float | None = None
    note: str = ""


def figure(name: str, unit: str, seen: Sequence[float], *, floor: Sequence[float] = (), **more: object) -> Figure:
    """Sum up what was seen; a unit per second is a rate, of which the low end is the bad one.

    `alone` says that the bench knows no other database, so its limits hold on PostgreSQL.
    """
    rate = unit.endswith("/s")
    ordered = sorted(seen, reverse=rate)
    middle = statistics.median(seen)
    beneath = statistics.median(floor) if floor else None
    ratio = None
    if beneath:
        ratio = round(beneath / middle if rate else middle / beneath, 2)
    made = {
        "name": name,
        "unit": unit,
        "median": round(middle, 3),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 3),
        "n": len(seen),
        "floor": round(beneath, 3) if beneath else None,
        "ratio": ratio,
        "least": round(min(seen), 3),
        "most": round(max(seen), 3),
    }
    if more.get("database") == "postgres" and not more.pop("alone", False):
        more.pop("bar", None)  # limits in absolute figures hold on SQLite, where a bench knows both
    return msgspec.convert(made | more, Figure)


Bench = Callable[[], list[Figure]]


def paired(measure: Callable[[], float], floor: Callable[[], float], times: int) -> tuple[list[float], list[float]]:
    """Measure the thing and its floor in turn, so that both meet the same noise; one warm-up of each is not counted."""
    measure()
    floor()
    seen, beneath = [], []
    for _ in range(times):
        seen.append(measure())
        beneath.append(floor())
    return seen, beneath
