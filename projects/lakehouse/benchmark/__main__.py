"""What is measured, and where does it go? The pipeline by hand against the same under Penstock, ingestion, and dbt.

    python -m projects.lakehouse.services up                 # the servers run already when it begins
    python -m projects.lakehouse.benchmark --write           # all of it, into the project's page and picture
    python -m projects.lakehouse.benchmark --only overhead --rounds 1

Its folder is kept beside the servers' data, so that packages are installed once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from projects.lakehouse.benchmark import answers, figures, ingestion, overhead, picture
from projects.lakehouse.benchmark.figures import Compared
from projects.lakehouse.benchmark.processes import machine
from projects.lakehouse.benchmark.workplace import Workplace, prepared
from projects.lakehouse.services.__main__ import ENV, FOLDER
from projects.lakehouse.services.holder import Holder
from projects.servers import ServerFailed

PARTS: Final = ("dbt", "ingestion", "waiting", "sleeping")
OVERHEAD: Final = ("waiting", "sleeping")
MARK: Final = "FLINK_GATEWAY_URL"


def main() -> None:
    """Measure what is asked for, and show it."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.lakehouse.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=[*PARTS, "overhead"], help="a part; overhead: both ways of waiting"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000, help="of the pipeline (10000)")
    parser.add_argument("--sleep", type=int, default=60, help="seconds, where it is slept (60)")
    parser.add_argument("--many", type=int, default=500_000, help="events to ingest (500000)")
    parser.add_argument("--trips", type=int, default=2_960_000, help="trips for dbt (2960000)")
    parser.add_argument("--folder", type=Path, default=FOLDER / "benchmark", help="where it is done")
    parser.add_argument("--write", action="store_true", help="put the table and the picture into the project's page")
    asked = parser.parse_args()
    if MARK not in os.environ:  # as in a shell that has not asked where the servers are
        try:
            os.environ.update(Holder(FOLDER, ENV).environment())
        except ServerFailed as failed:
            sys.exit(str(failed))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    wanted = [part for each in asked.only or PARTS for part in (OVERHEAD if each == "overhead" else (each,))]
    asked.folder.mkdir(parents=True, exist_ok=True)
    place = prepared(asked.folder, os.environ)
    place.install()
    found = figures.kept() if asked.write else figures.Figures()
    found.machine = machine()
    for part in PARTS:
        if part in wanted:
            say(f"{part} …")
            measure(part, place, asked, found)
            if asked.write:  # as each is done: who is cut off has what came before
                figures.keep(found)
                figures.write(found)
                picture.write(found)
    print(figures.table(found))


def measure(part: str, place: Workplace, asked: argparse.Namespace, found: figures.Figures) -> None:
    """Measure one part."""
    match part:
        case "dbt":
            found.dbt = answers.rounds(place, asked.trips, asked.rounds, say)
        case "ingestion":
            found.ingestion = ingestion.rounds(place, asked.many, asked.rounds, say)
        case "waiting":
            rounds = overhead.rounds(place, asked.events, 0, range(asked.rounds + 1), say)
            found.waiting = Compared(asked.events, 0, rounds)
        case _:
            warm = found.waiting is not None and "sleeping" not in (asked.only or ())
            rounds = overhead.rounds(place, asked.events, asked.sleep, range(int(warm), asked.rounds + 1), say)
            found.sleeping = Compared(asked.events, asked.sleep, rounds)


def say(line: str) -> None:
    """Tell whoever waits how it gets on."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
