"""What do the figures look like? Bars with their spread, one below the other, as an SVG for light and dark pages."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import msgspec

from projects.lakehouse.benchmark.figures import ELSEWHERE, ELSEWHERE_DBT, ELSEWHERE_RATE, Compared, Figures

FILE: Final = Path(__file__).parent / "figures.svg"
WIDTH, LEFT, RIGHT = 760, 200, 130
ROW, BAR, TITLE, GAP, EDGE = 26, 14, 34, 14, 16
STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .note, .value { fill: #59636e }
  .page { fill: #ffffff }
  .own { fill: #0969da } .hand { fill: #848d97 }
  .told { fill: none; stroke: #848d97; stroke-width: 1.5; stroke-dasharray: 4 3 }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note, .value { fill: #9198a1 } .page { fill: #0d1117 }
    .own { fill: #4493f8 } .hand { fill: #656c76 } .told { stroke: #9198a1 } .spread { stroke: #e6edf3 }
  }
"""


class Bar(msgspec.Struct, frozen=True):
    """One bar: what was seen of it, and its kind: `own` of Penstock's, `hand`, or `told` by others."""

    label: str
    kind: str
    seen: Sequence[float]


class Panel(msgspec.Struct, frozen=True):
    """Bars that are compared with each other."""

    title: str
    unit: str
    bars: list[Bar]


def panels(figures: Figures) -> list[Panel]:
    """What is shown, of what was measured."""
    found: list[Panel] = []
    sides = [each for each in (figures.waiting, figures.sleeping) if each is not None]
    if sides:
        took = [bar for each in sides for bar in _took(each)]
        found.append(Panel(f"The pipeline, {sides[0].events:,} events", "s", took))
        more = [Bar(f"Penstock, {_how(each)}", "own", [one.more for one in each.rounds]) for each in sides]
        told = [Bar(name, "told", [seconds]) for name, (seconds, _) in ELSEWHERE.items()]
        found.append(Panel("What it takes more than by hand", "s", more + told))
        memory = [
            Bar(f"Penstock, {_how(each)}", "own", [one.penstock.megabytes for one in each.rounds]) for each in sides
        ]
        told = [Bar(name, "told", [megabytes]) for name, (_, megabytes) in ELSEWHERE.items()]
        found.append(Panel("Memory of what steers", "MB", memory + told))
    if figures.ingestion:
        sent = Bar("generator → Kafka", "own", [each.events / each.sent for each in figures.ingestion])
        drained = Bar("Kafka → bronze", "own", [each.events / each.drained for each in figures.ingestion])
        told = [Bar("published elsewhere", "told", [ELSEWHERE_RATE])]
        found.append(Panel(f"Ingestion, {figures.ingestion[0].events:,} events", "events/s", [sent, drained, *told]))
    if figures.dbt:
        built = [
            Bar("dbt build, from the shell", "own", [each.seconds for each in figures.dbt]),
            Bar("of which work", "own", [each.working for each in figures.dbt]),
            Bar("published elsewhere", "told", [ELSEWHERE_DBT]),
        ]
        found.append(Panel(f"dbt on DuckDB, {figures.dbt[0].trips:,} trips", "s", built))
    return found


def _how(compared: Compared) -> str:
    return f"sleeping {compared.sleep} s" if compared.sleep else "waiting for tables"


def _took(compared: Compared) -> list[Bar]:
    return [
        Bar(f"by hand, {_how(compared)}", "hand", [each.hand.seconds for each in compared.rounds]),
        Bar(f"Penstock, {_how(compared)}", "own", [each.penstock.seconds for each in compared.rounds]),
    ]


def draw(figures: Figures) -> str:
    """The picture."""
    shown = panels(figures)
    height = EDGE * 2 + ROW + sum(TITLE + len(each.bars) * ROW + GAP for each in shown)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="What Penstock costs on the lakehouse, beside what others have published">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
    ]
    top = EDGE
    for panel in shown:
        lines += _panel(panel, top)
        top += TITLE + len(panel.bars) * ROW + GAP
    note = "Medians; a line from the least to the most of all rounds. Dashed: published elsewhere, not measured here."
    lines += [f'<text class="note" x="{EDGE}" y="{top + 14}">{note}</text>', "</svg>"]
    return "\n".join(lines) + "\n"


def _panel(panel: Panel, top: int) -> list[str]:
    most = max(0.0, *(value for bar in panel.bars for value in bar.seen)) or 1.0
    least = min(0.0, *(value for bar in panel.bars for value in bar.seen))
    scale = (WIDTH - LEFT - RIGHT) / (most - least)
    nothing = LEFT - least * scale
    lines = [f'<text class="title" x="{EDGE}" y="{top + 18}">{escape(panel.title)}</text>']
    if least:
        bottom = top + TITLE + len(panel.bars) * ROW - (ROW - BAR)
        lines.append(f'<path class="told" d="M{nothing:.1f} {top + TITLE - 4}V{bottom + 4}"/>')
    for number, bar in enumerate(panel.bars):
        middle = top + TITLE + number * ROW + BAR / 2
        value, low, high = (
            nothing + each * scale for each in (statistics.median(bar.seen), min(bar.seen), max(bar.seen))
        )
        begin, end = min(nothing, value), max(nothing, value)
        lines += [
            f'<text x="{LEFT - 8}" y="{middle + 4:.0f}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{bar.kind}" x="{begin:.1f}" y="{middle - BAR / 2:.1f}" height="{BAR}" '
            f'width="{max(end - begin, 1):.1f}"/>',
            f'<text class="value" x="{max(end, high) + 8:.1f}" y="{middle + 4:.0f}">'
            f"{_said(statistics.median(bar.seen))} {panel.unit}</text>",
        ]
        if high > low:
            lines.append(
                f'<path class="spread" d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} '
                f'{middle - 4}v8"/>'
            )
    return lines


def _said(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write(figures: Figures) -> None:
    """Draw it beside the program."""
    FILE.write_text(draw(figures))
