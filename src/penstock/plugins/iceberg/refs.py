"""How are states of a table named, and how does what was written beside become what everybody reads?

Write, audit, publish: rows are written into a branch, looked at there, and only then become the main branch's.
"""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.iceberg.catalog import MAIN, NOBODY, IcebergTask, Ref, Table
from penstock.plugins.iceberg.describe import known
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration


class Kind(enum.StrEnum):
    """A tag stays where it is; a branch moves with what is written into it."""

    TAG = "TAG"
    BRANCH = "BRANCH"


class OfRef(IcebergTask, frozen=True, kw_only=True):
    """What is declared by all that name states of a table."""

    table: Annotated[str, Meta(description="The table: NAMESPACE.TABLE.", min_length=3)]


class SetRef(OfRef, frozen=True, kw_only=True):
    """Give a state of a table a name: a tag, or a branch that can be written into."""

    type_name: ClassVar[str] = "iceberg.set_ref"
    outputs: ClassVar[dict[str, str]] = {"snapshot": "Id of the snapshot.", "changed": "Whether it was not so before."}
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "table": "taxi.silver",
        "name": "month-{{ now(format='yyyy-MM') }}",
        "kind": "TAG",
    }

    name: Annotated[str, Meta(description="The name.", min_length=1)]
    kind: Annotated[Kind, Meta(description="What it is.")] = Kind.TAG
    at: Annotated[str, Meta(description="The branch, tag or snapshot that it is to name.")] = MAIN
    keep: Annotated[
        Duration | None,
        Meta(
            description="How long it is kept, and with it its snapshot; unless given as before, for ever if it is new.",
            extra=SPAN,
        ),
    ] = None

    def run(self, context: Context) -> dict[str, object]:
        """Name it."""
        waiting = Waiting(context)
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            table = catalog.table(self.table)
            snapshot = table.snapshot(self.at)
            if snapshot is None:
                raise TaskFailed(f'The table "{self.table}" has no snapshot yet, so there is nothing to name.')
            known = table.refs.get(self.name)
            if known is not None and known.kind != self.kind.lower():
                raise TaskFailed(f'"{self.name}" is a {known.kind} of "{self.table}" already.')
            limits = dict(known.limits) if known is not None else {}
            if self.keep is not None:
                limits["max-ref-age-ms"] = int(self.keep) // 1000
            wanted = Ref(snapshot=snapshot.id, kind=self.kind.lower(), limits=limits)
            if wanted == known:
                return {"snapshot": str(snapshot.id), "changed": False}
            ref = {"ref-name": self.name, "type": wanted.kind, "snapshot-id": wanted.snapshot}
            update = {"action": "set-snapshot-ref", **ref, **limits}
            catalog.commit(self.table, [still(table, self.name)], [update])
        return {"snapshot": str(snapshot.id), "changed": True}


class DeleteRef(OfRef, frozen=True, kw_only=True):
    """Take a tag or a branch away; its snapshot stays until it is expired."""

    type_name: ClassVar[str] = "iceberg.delete_ref"
    outputs: ClassVar[dict[str, str]] = {"deleted": "Whether it was there."}
    example: ClassVar[dict[str, object]] = {"uri": "http://localhost:8181", "table": "taxi.silver", "name": "audit"}

    name: Annotated[str, Meta(description="The name.", min_length=1)]

    def run(self, context: Context) -> dict[str, object]:
        """Take it away."""
        if self.name == MAIN:
            raise TaskFailed("The main branch of a table cannot be taken away.")
        waiting = Waiting(context)
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            table = catalog.table(self.table)
            if self.name in table.refs:
                update = {"action": "remove-snapshot-ref", "ref-name": self.name}
                catalog.commit(self.table, [still(table, self.name)], [update])
        return {"deleted": self.name in table.refs}


class Publish(OfRef, frozen=True, kw_only=True):
    """Make the state of a branch (or of a tag, or a snapshot) the one that everybody reads. What the main branch has
    got besides must be in it, but for other files with the same rows; going back to an older state, which loses what
    came since, must be allowed.
    """

    type_name: ClassVar[str] = "iceberg.publish"
    outputs: ClassVar[dict[str, str]] = {
        "snapshot": "Id of the snapshot that is current now.",
        "before": "Id of the one that was; nothing where there was none.",
        "changed": "Whether these are two.",
    }
    example: ClassVar[dict[str, object]] = {"uri": "http://localhost:8181", "table": "taxi.silver", "from": "audit"}

    from_: Annotated[str, Meta(description="The branch, tag or snapshot.", min_length=1)] = field(name="from")
    back: Annotated[bool, Meta(description="Whether the main branch may lose what it has and this has not.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Publish it."""
        waiting = Waiting(context)
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            table = catalog.table(self.table)
            wanted, current = table.snapshot(self.from_), table.snapshot(MAIN)
            if wanted is None:
                raise TaskFailed(f'The table "{self.table}" has no snapshot yet.')
            before = current.id if current is not None else NOBODY
            if not self.back and current is not None and table.lacks(wanted, current):
                raise TaskFailed(
                    f'"{self.from_}" of "{self.table}" lacks what the main branch has since: publish what was written '
                    "on top of it, or allow `back`."
                )
            if wanted.id != before:
                ref = {"ref-name": MAIN, "type": "branch", "snapshot-id": wanted.id}
                limits = table.refs[MAIN].limits if MAIN in table.refs else {}
                update = {"action": "set-snapshot-ref", **ref, **limits}
                catalog.commit(self.table, [still(table, MAIN)], [update])
        context.reads(*table.dataset)
        context.writes(*table.dataset, rows=wanted.rows, more=known(table, wanted))
        told = str(before) if before != NOBODY else None
        return {"snapshot": str(wanted.id), "before": told, "changed": wanted.id != before}


def still(table: Table, name: str) -> dict[str, object]:
    """What must still be so when a change arrives: that a name stands where it was seen."""
    known = table.refs.get(name)
    snapshot = known.snapshot if known is not None else None
    return {"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": snapshot}
