"""Which data become which? A picture of what a run of the pipeline told as OpenLineage's events.

    (cd projects/lakehouse && penstock run flows/taxi_pipeline.yml --lineage ../../told.jsonl)
    python -m projects.lakehouse.lineage told.jsonl > projects/lakehouse/lineage.svg

Both begin in the repository's root; `make -C projects/lakehouse lineage` does as much, with servers and environment.

Whatever wrote the events: they are read as the standard has them. With `--dot` it is told in the language of Graphviz.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.model.asset import Access, Change, Touched
from penstock.model.lineage import DataGraph, JobNode
from penstock.services.lineage.graph import Gathering, flowing
from penstock.services.lineage.picture import dot, svg

TITLE: Final = "Where the data of the lakehouse come from, and what becomes of them"
SIDES: Final = (("inputs", Access.READS, "input"), ("outputs", Access.WRITES, "output"))


def graph(events: Iterable[dict[str, Any]]) -> DataGraph:
    """What events tell of data and of the jobs that move them."""
    gathered = Gathering()
    for event in events:
        job = event["job"]
        kind = job["facets"]["jobType"]["jobType"]
        parent = event["run"]["facets"].get("parent", {}).get("job", {}).get("name", "")
        node = JobNode(name=job["name"], part=parent if kind == "PART" else "")
        for side, access, facets in SIDES:
            for data in event.get(side, []):
                gathered.add(node, _touched(data, access, facets))
    return flowing(gathered.graph())


def _touched(data: dict[str, Any], access: Access, side: str) -> Touched:
    statistics = data.get(f"{side}Facets", {}).get(f"{side}Statistics", {})
    facets = data.get("facets", {})
    change = facets.get("lifecycleStateChange", {}).get("lifecycleStateChange")
    return Touched(
        access=access,
        namespace=data["namespace"],
        name=data["name"],
        rows=statistics.get("rowCount"),
        columns={each["name"]: each.get("type", "") for each in facets.get("schema", {}).get("fields", [])},
        change=Change(change) if change else None,
    )


def main(given: Sequence[str] | None = None) -> int:
    """Draw it; 0, or 1 where the events tell of no data."""
    parser = argparse.ArgumentParser(
        prog="python -m projects.lakehouse.lineage",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("events", type=Path, help="a file with an event in each line")
    parser.add_argument("--dot", action="store_true", help="in the language of Graphviz")
    asked = parser.parse_args(given)
    told = graph(json.loads(line) for line in asked.events.read_text().splitlines() if line.strip())
    if not told.links:
        print("These events tell of no data that become others.", file=sys.stderr)
        return 1
    print(dot(told) if asked.dot else svg(told, TITLE), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
