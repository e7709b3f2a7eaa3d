"""How are old states of a table taken away, with the files that nothing else needs?"""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from penstock.errors.task import Overtaken
from penstock.plugins.iceberg import needed
from penstock.plugins.iceberg.catalog import Catalog, Table
from penstock.plugins.iceberg.needed import Files
from penstock.plugins.iceberg.reaching import FilesTask, Opened
from penstock.plugins.iceberg.refs import still
from penstock.plugins.iceberg.retention import Going, Rule, going
from penstock.plugins.messages.payload import SPAN
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import Outcome, Outputs, Result
from penstock.sdk.values import Duration

NONE = Files({}, {}, {}, {})
PAUSE = 0.2


class Expire(FilesTask, frozen=True, kw_only=True):
    """Take states of a table away that are older than is wanted, names whose time is over, and the files that no other
    state needs. What branches and tags name stays. Whoever reads from state to state (a streaming job of Flink's) must
    have come past what is taken away.
    """

    type_name: ClassVar[str] = "iceberg.expire"
    outputs: ClassVar[dict[str, str]] = {
        "snapshots": "How many states are gone.",
        "kept": "How many are left.",
        "refs": "Names that are gone: branches and tags whose time is over.",
        "dataFiles": "How many files of rows are gone.",
        "deleteFiles": "How many files of deletions are gone.",
        "manifests": "How many manifests are gone.",
        "manifestLists": "How many lists of manifests are gone.",
        "bytes": "How many bytes these files had.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "table": "taxi.bronze",
        "olderThan": "P2D",
        "keep": 20,
    }

    older_than: Annotated[
        Duration | None,
        Meta(
            description="How old a state must be to go; what the table says (5 days) unless given. A branch that has "
            "an age of its own goes by that.",
            extra=SPAN,
        ),
    ] = None
    keep: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="So many states of each branch stay however old; what the table says (1) unless given."),
    ] = None
    delete_files: Annotated[bool, Meta(description="Whether files that nothing needs any more are removed, too.")] = (
        True
    )
    dry_run: Annotated[bool, Meta(description="Only tell what would go.")] = False
    tries: Annotated[int, Meta(description="So often, where others change the table meanwhile.", ge=1)] = 20

    def run(self, context: Context) -> Outputs:
        """Take them away, in two attempts: the first finds out what is to go, and the second takes it. So who dies
        behind the change of the table is followed by one who knows which files are left.
        """
        waiting = Waiting(context)
        with waiting.ends_with(None), self.reached():
            catalog = self.catalog(waiting)
            begun = context.state.get("begun")
            plan = msgspec.convert(begun, Plan) if begun and not self.dry_run else None
            opened = self._gone(waiting, catalog, plan) if plan is not None else None
            if plan is not None and opened is not None:
                told: Outputs = self._ended(context, opened, plan)
            else:
                told = self._planned(context, catalog)
        return told

    def _planned(self, context: Context, catalog: Catalog) -> Outputs:
        """Find out what is to go, and keep it for the next attempt."""
        opened, now = self.opened(catalog), time.time_ns() // 1_000_000
        gone, files = going(opened.table, self._rule, now), NONE
        if gone.snapshots and self.delete_files:
            files = needed.files_of_none(opened.metadata, opened.io, gone.snapshots)
        told: dict[str, object] = {
            "snapshots": len(gone.snapshots),
            "kept": len(opened.table.snapshots) - len(gone.snapshots),
            "refs": list(gone.refs),
            **files.counts(),
            "bytes": files.size,
        }
        if self.dry_run or not (gone.snapshots or gone.refs):
            return told
        where = ""
        if files.every:
            (context.workdir / "files.txt").write_text("\n".join(files.every))
            where = context.store("files.txt")
        names = [str(each) for each in sorted(gone.snapshots)]
        plan = Plan(table=opened.table.uuid, at=now, snapshots=names, refs=list(gone.refs), files=where, told=told)
        context.save_state({"begun": msgspec.to_builtins(plan)})
        return Result(outcome=Outcome.SNOOZED, wait=0)

    def _gone(self, waiting: Waiting, catalog: Catalog, plan: Plan) -> Opened | None:
        """The table once what was to go has gone; None where that may not go any more."""
        wanted = {int(each) for each in plan.snapshots}
        for number in range(self.tries):
            waiting.pause(PAUSE * number)
            opened = self.opened(catalog)
            table = opened.table
            if table.uuid != plan.table:
                return None
            if not wanted & table.snapshots.keys() and not set(plan.refs) & table.refs.keys():
                return opened
            now = going(table, self._rule, plan.at)
            # Newer states need none of these files, as long as no name has been given to what is to go.
            if not wanted <= now.snapshots or not set(plan.refs) <= set(now.refs):
                return None
            try:
                self._commit(catalog, table, Going(frozenset(wanted), tuple(plan.refs)))
            except Overtaken:
                if number + 1 == self.tries:
                    raise
        return self.opened(catalog)

    @property
    def _rule(self) -> Rule:
        return Rule(int(self.older_than) // 1000 if self.older_than is not None else None, self.keep)

    def _commit(self, catalog: Catalog, table: Table, gone: Going) -> None:
        # Names must stand where they were seen: one that was moved onto what goes would go with it.
        requirements: list[object] = [{"type": "assert-table-uuid", "uuid": table.uuid}]
        requirements += [still(table, name) for name in table.refs]
        updates: list[object] = [{"action": "remove-snapshot-ref", "ref-name": name} for name in gone.refs]
        if gone.snapshots:
            updates.append({"action": "remove-snapshots", "snapshot-ids": sorted(gone.snapshots)})
        catalog.commit(self.table, requirements, updates)

    def _ended(self, context: Context, opened: Opened, plan: Plan) -> dict[str, object]:
        paths = context.fetch(plan.files).read_text().splitlines() if plan.files else []
        needed.removed(opened.io, paths, lambda count: context.progress(count, len(paths), "files"))
        tags = {"table": self.table}
        context.metric("snapshots", plan.told["snapshots"], tags=tags)
        context.metric("files", len(paths), tags=tags)
        context.metric("bytes", plan.told["bytes"], tags=tags)
        context.reads(*opened.table.dataset)
        context.writes(*opened.table.dataset)
        context.save_state({})
        return plan.told


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to go: of which table, found out when (milliseconds since 1970), which states, which names, the address
    of the list of their files; and what will be told of it.
    """

    table: str
    at: int
    snapshots: list[str]
    refs: list[str]
    files: str
    told: dict[str, Any]
