"""Which trigger starts a run for each new state of a table?

A look goes from the newest state back to the one that the last look ended with. A run's key is the state, so that a
look that is done again starts nothing twice; and what came while nobody looked is found by the next look.
"""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from penstock.plugins.iceberg.catalog import MAIN, IcebergTask, Snapshot, Table
from penstock.plugins.iceberg.describe import told
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result


class Operation(enum.StrEnum):
    """What has become of a table: rows came; rows came in place of others; rows went; other files, the same rows."""

    APPEND = "APPEND"
    OVERWRITE = "OVERWRITE"
    DELETE = "DELETE"
    REPLACE = "REPLACE"


class Which(enum.StrEnum):
    """What a run is started for: every state, or the newest of those that have come since the last look."""

    EVERY = "EVERY"
    NEWEST = "NEWEST"


class Seen(msgspec.Struct, frozen=True):
    """Until where a table was looked at: which table, its state, and when that was made."""

    table: str
    snapshot: int
    at: int


NOTHING: Final = Seen("", -1, -1)


class Trigger(IcebergTask, frozen=True, kw_only=True):
    """Start a run for new states of tables; what is there at the first look starts none unless it is to."""

    type_name: ClassVar[str] = "iceberg.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("iceberg.snapshot",)
    fires: ClassVar[Fires] = Fires.POLLING
    outputs: ClassVar[dict[str, str]] = {
        "table": "The table.",
        "id": "Id of the state.",
        "at": "When it was made.",
        "operation": "What has become of the table: append, overwrite, delete, replace.",
        "rows": "How many rows the table has now.",
        "added": "How many rows have come, in all states since the last run for this table.",
        "summary": "What Iceberg says of the state.",
        "snapshots": "Ids of the states that have come since, the oldest first; with EVERY it is one.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "tables": ["taxi.silver"],
        "which": "NEWEST",
    }

    tables: Annotated[list[str], Meta(description="The tables: NAMESPACE.TABLE.", min_length=1)]
    branch: Annotated[str, Meta(description="The branch or tag that is looked at.", min_length=1)] = MAIN
    which: Annotated[Which, Meta(description="A run for every state, or for the newest since the last look.")] = (
        Which.NEWEST
    )
    operations: Annotated[
        list[Operation], Meta(description="What counts. REPLACE is what compaction does, and changes no row.")
    ] = msgspec.field(default_factory=lambda: [Operation.APPEND, Operation.OVERWRITE, Operation.DELETE])
    empty: Annotated[bool, Meta(description="Whether states count that have changed nothing.")] = False
    from_beginning: Annotated[bool, Meta(description="Whether what is there at the first look counts, too.")] = False

    def run(self, context: Context) -> Outputs:
        """Look once."""
        waiting = Waiting(context)
        known = msgspec.convert(context.state.get("seen") or {}, dict[str, Seen])
        now = dict(known)
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            for name in self.tables:
                table = catalog.table(name)
                head = table.snapshot(self.branch) if self.branch in table.refs else None
                if name in known or self.from_beginning:
                    self._fire(context, name, table, since(table, head, known.get(name, NOTHING)))
                # Looked at, and nothing there: what comes next is new.
                now[name] = Seen(table.uuid, head.id, head.at) if head is not None else known.get(name, NOTHING)
        context.save_state({"seen": msgspec.to_builtins(now)})
        return Result(outcome=Outcome.SKIPPED)

    def _fire(self, context: Context, name: str, table: Table, new: list[Snapshot]) -> None:
        new = [each for each in new if self._counts(each)]
        runs = [[each] for each in new] if self.which is Which.EVERY else [new] if new else []
        for each in runs:
            newest = each[-1]
            added = sum(int(one.summary.get("added-records", 0)) for one in each)
            outputs = {**told(newest), "table": name, "added": added, "snapshots": [str(one.id) for one in each]}
            context.fire(outputs, f"{table.uuid}/{self.branch}/{newest.id}")

    def _counts(self, snapshot: Snapshot) -> bool:
        if snapshot.summary.get("operation", "").upper() not in set(self.operations):
            return False
        return self.empty or snapshot.changed


def since(table: Table, head: Snapshot | None, seen: Seen) -> list[Snapshot]:
    """The states that have come since, the oldest first; all of another table of the same name."""
    new: list[Snapshot] = []
    for each in table.line(head.id) if head is not None else ():
        if each.id == seen.snapshot:
            break
        new.append(each)
    else:
        # What was seen is expired, or the branch has gone back behind it: only time can tell.
        new = [each for each in new if each.at > seen.at or table.uuid != seen.table]
    return new[::-1]
