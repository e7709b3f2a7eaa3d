"""Which bench is asked for, and how are its figures shown? A line of JSON for programs, a table for people."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

import msgspec

from bench import (
    calls,
    chains,
    expressions,
    fairness,
    lists,
    packages,
    rates,
    reading,
    recovery,
    schedules,
    shell,
    sizes,
    texts,
    warehouse,
    warm,
)
from bench.figure import Bench, Figure

BENCHES: dict[str, Bench] = {
    "chain_fresh": chains.chain_fresh,
    "chain_inline": chains.chain_inline,
    "fan_out": chains.fan_out,
    "foreach_10k": sizes.foreach_10k,
    "loop_100k": sizes.loop_100k,
    "event_cost": sizes.event_cost,
    "run_one": shell.run_one,
    "help": shell.help_,
    "import": shell.import_,
    "log_lines": texts.log_lines,
    "recovery": recovery.recovery,
    "render": texts.render,
    "expressions": expressions.expressions,
    "read_flow": texts.read_flow,
    "read_flow_5000": sizes.read_flow_5000,
    "read_1000": reading.read_1000,
    "throughput": rates.throughput,
    "latency": rates.latency,
    "claims_beside_transaction": rates.claims_beside_transaction,
    "fairness": fairness.fairness,
    "schedules_10k": schedules.schedules_10k,
    "server_up": calls.server_up,
    "idle_memory": calls.idle_memory,
    "trigger_latency": calls.trigger_latency,
    "api_throughput": calls.api_throughput,
    "list_runs": lists.list_runs,
    "log_tail": calls.log_tail,
    "warehouse": warehouse.warehouse,
    "warm_task": warm.warm_task,
    "with_packages": packages.with_packages,
}
PAGE = Path(__file__).parent / "README.md"
MARK = "<!-- figures -->"


def main() -> None:
    """Run benches, and put their rows into the page where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=[*BENCHES, "all"], metavar="name", help=", ".join([*BENCHES, "all"])
    )
    parser.add_argument("--json", action="store_true", help="print one line: a list with one object per database")
    parser.add_argument("--write", action="store_true", help="put the rows into bench/README.md, as each is done")
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found: list[Figure] = []
    for name in BENCHES if "all" in asked.names else asked.names:
        print(f"{name} …", file=sys.stderr, flush=True)
        found += (new := BENCHES[name]())
        if asked.write:
            write(new)
    print(msgspec.json.encode(found).decode() if asked.json else table(found))


def table(found: list[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = ["| bench | database | median | p95 | least to most | n | floor | ratio | must reach |", "|---" * 9 + "|"]
    for f in found:
        bars = [] if f.bar is None else [f"≥ {f.bar:g}" if f.unit.endswith("/s") else f"≤ {f.bar:g}"]
        if f.p95_bar is not None:
            bars.append(f"p95 ≤ {f.p95_bar:g}")
        if f.ratio_bar is not None:
            bars.append(f"ratio ≤ {f.ratio_bar:g}")
        name = f"{f.name} ({f.note})" if f.note else f.name
        twice = f"; ran twice: {f.twice}" if f.twice is not None else ""
        twice += f"; {f.peak_mb:g} MB" if f.peak_mb is not None else ""
        floor, ratio = ("" if part is None else f"{part:g}" for part in (f.floor, f.ratio))
        rows.append(
            f"| {name} | {f.database} | {f.median:g} {f.unit}{twice} | {f.p95:g} | {f.least:g} to {f.most:g} | {f.n} "
            f"| {floor} | {ratio} | {', '.join(bars)} |"
        )
    return "\n".join(rows)


def write(found: list[Figure]) -> None:
    """Put the figures into the page, after its mark, in place of those that the same benches had."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    before, _, after = PAGE.read_text().partition(MARK)
    head, line, *rows = table(found).splitlines()
    names = {bench_of(row) for row in rows}
    kept = [row for row in after.splitlines() if row.startswith("|") and bench_of(row) in BENCHES]
    rows += [row for row in kept if bench_of(row) not in names]
    rows.sort(key=lambda row: [*BENCHES].index(bench_of(row)))
    PAGE.write_text(f"{before}{MARK}\n\nMeasured on {machine}.\n\n" + "\n".join([head, line, *rows]) + "\n")


def bench_of(row: str) -> str:
    """Which bench a row of the table is of; one may tell of several things, whose names begin with its own."""
    word = row.removeprefix("| ").split(" ", 1)[0]
    return max((name for name in BENCHES if f"{word}_".startswith(f"{name}_")), key=len, default="")


if __name__ == "__main__":
    main()
