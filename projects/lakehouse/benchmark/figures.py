"""What was measured, how is it summed up, and how does it come into the project's page?

All rounds are kept in `figures.json`; table and picture are made of them, so each can be made again without measuring.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from projects.lakehouse.benchmark.answers import Built
from projects.lakehouse.benchmark.ingestion import Ingested
from projects.lakehouse.benchmark.overhead import Round

HERE: Final = Path(__file__).parent
KEPT: Final = HERE / "figures.json"
PAGE: Final = HERE.parent / "README.md"
BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"
# Of the same pipeline, as others have published it: seconds and megabytes more than by hand, where that took 24 s.
ELSEWHERE: Final = {"Kestra": (2.0, 485.0), "Dagster": (2.0, 502.0), "Airflow": (3.0, 1500.0)}
ELSEWHERE_RATE: Final = 22_500
ELSEWHERE_DBT: Final = 9.19


class Compared(msgspec.Struct, frozen=True):
    """Rounds by hand and under Penstock; `sleep` seconds were slept, 0 where it was waited for the tables."""

    events: int
    sleep: int
    rounds: list[Round]


class Figures(msgspec.Struct, kw_only=True):
    """All that was measured, each part when it was measured last."""

    machine: str = ""
    waiting: Compared | None = None
    sleeping: Compared | None = None
    ingestion: list[Ingested] = []
    dbt: list[Built] = []


class Seen(msgspec.Struct, frozen=True):
    """One figure: what it is of, its unit, what was seen, what is asked, and what others have published."""

    name: str
    unit: str
    values: Sequence[float]
    asked: str = ""
    elsewhere: str = ""

    @property
    def median(self) -> float:
        """The middle of what was seen."""
        return statistics.median(self.values)

    def said(self, value: float) -> str:
        """A value with its unit's digits."""
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if self.unit == "MB" else f"{value:.2f}"


def kept() -> Figures:
    """What was measured so far."""
    return msgspec.json.decode(KEPT.read_bytes(), type=Figures) if KEPT.exists() else Figures()


def keep(figures: Figures) -> None:
    """Keep it."""
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")


def seen(figures: Figures) -> list[Seen]:
    """All figures, as the table has them."""
    found: list[Seen] = []
    for compared in (figures.waiting, figures.sleeping):
        if compared is not None:
            found += _compared(compared)
    if figures.ingestion:
        sent = [each.events / each.sent for each in figures.ingestion]
        drained = [each.events / each.drained for each in figures.ingestion]
        events = f"{figures.ingestion[0].events:,} events"
        found.append(Seen(f"generator: {events}, drawn, written down and sent", "events/s", sent, "≥ 20,000"))
        name = f"Kafka → bronze: {events} that are there, from the statement until the table holds them"
        found.append(Seen(name, "events/s", drained, elsewhere=f"{ELSEWHERE_RATE:,} events/s"))
    if figures.dbt:
        trips = f"{figures.dbt[0].trips:,} trips"
        whole, working = ([getattr(each, name) for each in figures.dbt] for name in ("seconds", "working"))
        found.append(Seen(f"`dbt build` on DuckDB over {trips}, models and tests, from the shell", "s", whole))
        found.append(Seen("of which dbt counts as its work", "s", working, elsewhere=f"{ELSEWHERE_DBT} s"))
    return found


def _compared(compared: Compared) -> list[Seen]:
    how = f"sleeping {compared.sleep} s" if compared.sleep else "waiting for the tables"
    rounds = compared.rounds
    more = ", ".join(f"{name} {seconds:g} s" for name, (seconds, _) in ELSEWHERE.items())
    memory = ", ".join(f"{name} {megabytes:,.0f} MB" for name, (_, megabytes) in ELSEWHERE.items())
    return [
        Seen(f"by hand, {how}", "s", [each.hand.seconds for each in rounds]),
        Seen(f"under Penstock, {how}", "s", [each.penstock.seconds for each in rounds]),
        Seen("more under Penstock, round by round", "s", [each.more for each in rounds], "≤ 0.5 s", more),
        Seen("of that, all but `dbt_build`", "s", [each.more_but_dbt for each in rounds]),
        Seen(
            "memory of Penstock's processes, at most",
            "MB",
            [each.penstock.megabytes for each in rounds],
            "≤ 100 MB",
            memory,
        ),
    ]


def table(figures: Figures) -> str:
    """The figures as a Markdown table."""
    rows = ["| | median | least to most | rounds | asked | published elsewhere |", "|---" * 6 + "|"]
    for each in seen(figures):
        spread = f"{each.said(min(each.values))} to {each.said(max(each.values))}"
        rows.append(
            f"| {each.name} | {each.said(each.median)} {each.unit} | {spread} | {len(each.values)} | {each.asked} "
            f"| {each.elsewhere} |"
        )
    return "\n".join(rows)


def write(figures: Figures) -> None:
    """Put the table into the project's page, between its marks."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE.name} has no place for the table: {BEGIN} … {END}")
    told = f"Measured on {figures.machine}; by hand and under Penstock in turn, on servers that ran already."
    picture = "![Bars of what is in the table, beside what others have published](benchmark/figures.svg)"
    PAGE.write_text(f"{before}{BEGIN}\n\n{told}\n\n{table(figures)}\n\n{picture}\n\n{END}{after}")
