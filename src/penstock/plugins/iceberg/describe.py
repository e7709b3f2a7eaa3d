"""What does a table hold, and when does it hold what is waited for?"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.model.asset import Details
from penstock.plugins.iceberg.catalog import MAIN, IcebergTask, Snapshot, Table
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context, MetricKind
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration


class Describe(IcebergTask, frozen=True, kw_only=True):
    """Tell of a table: its rows, columns, snapshots, branches and tags."""

    type_name: ClassVar[str] = "iceberg.describe"
    outputs: ClassVar[dict[str, str]] = {
        "rows": "How many rows it has.",
        "location": "Where its files lie.",
        "columns": "Of each column: name, type, required.",
        "snapshots": "Of each snapshot, the oldest first: id, at, operation, rows, summary.",
        "refs": "Branches and tags by name: snapshot, type.",
        "snapshot": "Id of the current snapshot; nothing where there is none.",
    }
    example: ClassVar[dict[str, object]] = {"uri": "http://localhost:8181", "table": "taxi.bronze"}

    table: Annotated[str, Meta(description="The table: NAMESPACE.TABLE.", min_length=3)]
    ref: Annotated[str, Meta(description="The branch, tag or snapshot whose rows are told.")] = MAIN

    def run(self, context: Context) -> dict[str, object]:
        """Look."""
        waiting = Waiting(context)
        with waiting.ends_with(None):
            table = self.catalog(waiting).table(self.table)
        current = table.snapshot(self.ref)
        rows = current.rows if current is not None else 0
        context.metric("rows", rows, MetricKind.GAUGE, {"table": self.table})
        context.reads(*table.dataset, rows=rows, more=known(table, current))
        return {
            "rows": rows,
            "location": table.location,
            "columns": table.columns,
            "snapshots": [told(each) for each in sorted(table.snapshots.values(), key=lambda each: each.at)],
            "refs": {name: {"snapshot": str(ref.snapshot), "type": ref.kind} for name, ref in table.refs.items()},
            "snapshot": str(current.id) if current is not None else None,
        }


class WaitForRows(IcebergTask, frozen=True, kw_only=True):
    """Wait until tables hold so many rows together, with their progress shown."""

    type_name: ClassVar[str] = "iceberg.wait_for_rows"
    outputs: ClassVar[dict[str, str]] = {
        "rows": "Rows of each table by its name.",
        "reached": "Whether they are that many.",
        "seconds": "How long it took.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "tables": ["taxi.silver", "taxi.rejects"],
        "rows": "{{ outputs.bronze.rows }}",
    }

    tables: Annotated[list[str], Meta(description="The tables: NAMESPACE.TABLE.", min_length=1)]
    rows: Annotated[int, Meta(description="So many rows together.", ge=0)]
    max_duration: Annotated[Duration | None, Meta(description="Fail when it takes longer than this.", extra=SPAN)] = (
        None
    )
    fail_on_max_duration: Annotated[
        bool, Meta(description="Whether that is a failure; else `reached` says that it was too long.")
    ] = True
    interval: Annotated[
        Duration, Meta(description="How often it is looked; oftener at the beginning.", extra=SPAN)
    ] = Duration(500_000)  # fmt: skip

    def run(self, context: Context) -> dict[str, object]:
        """Wait."""
        waiting = Waiting(context)
        began = time.monotonic()
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            while True:
                found = {name: catalog.table(name) for name in self.tables}
                held = {name: _rows(table.snapshot(MAIN)) for name, table in found.items()}
                there, took = sum(held.values()), time.monotonic() - began
                context.progress(min(there, self.rows), self.rows, "rows")
                late = self.max_duration is not None and took > self.max_duration.seconds
                if there >= self.rows or (late and not self.fail_on_max_duration):
                    for name, table in found.items():
                        more = known(table, table.snapshot(MAIN))
                        context.reads(*table.dataset, rows=held[name], more=more)
                    return {"rows": held, "reached": there >= self.rows, "seconds": round(took, 3)}
                if late:
                    said = ", ".join(f"{name} has {count}" for name, count in held.items())
                    raise TaskFailed(f"After {took:.0f} s there are {there} of {self.rows} rows: {said}.")
                waiting.pace(began, self.interval.seconds)


def told(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as outputs have it; ids are text, since they are larger than numbers of JSON may be."""
    at = datetime.fromtimestamp(snapshot.at / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "id": str(snapshot.id),
        "at": at.replace("+00:00", "Z"),
        "operation": snapshot.summary.get("operation", ""),
        "rows": snapshot.rows,
        "summary": dict(snapshot.summary),
    }


def known(table: Table, snapshot: Snapshot | None) -> Details:
    """What lineage is told of a table besides its rows: the types of its columns, and which snapshot it was."""
    return Details(
        columns={str(each["name"]): _type(each["type"]) for each in table.columns},
        version=str(snapshot.id) if snapshot is not None else "",
    )


def _type(said: object) -> str:
    return str(said.get("type")) if isinstance(said, dict) else str(said)


def _rows(snapshot: Snapshot | None) -> int:
    return snapshot.rows if snapshot is not None else 0
