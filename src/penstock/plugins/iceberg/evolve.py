"""How do the columns of a table become what is wanted, however often that is said?

What is said are not steps but how it is to be; what is so already is not done again. By the table's former schemas it
is known that a column once had another name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from penstock.errors.task import Overtaken
from penstock.model.asset import Change, Details
from penstock.plugins.iceberg.catalog import Catalog, read
from penstock.plugins.iceberg.reaching import FilesTask, Opened
from penstock.plugins.rest.waiting import Waiting
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

PAUSE = 0.2


class Added(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column that is to be there: its type in Iceberg's words, what it is, and behind which other one it stands."""

    type: str
    doc: str = ""
    after: str = ""


class Step(NamedTuple):
    """Something to do: what is told of it, and how the library is asked for it."""

    told: str
    work: Callable[[Any], object]


class Evolve(FilesTask, frozen=True, kw_only=True):
    """Make the columns of a table what is wanted, in one change: columns are renamed, widened, added, dropped, put in
    order. No file is rewritten, and rows written before stay readable. What is so already is not done again. A column
    in a struct is named with its path: `address.zip`.
    """

    type_name: ClassVar[str] = "iceberg.evolve"
    outputs: ClassVar[dict[str, str]] = {
        "changes": "What was done (in a dry run: what would be), a sentence each.",
        "changed": "Whether there was anything to do.",
        "columns": "Of each column now: name, type, required.",
    }
    example: ClassVar[dict[str, object]] = {
        "uri": "http://localhost:8181",
        "table": "taxi.silver",
        "rename": {"tip": "tip_amount"},
        "widen": {"passengers": "long"},
        "add": {"tolls": {"type": "double", "doc": "In dollars.", "after": "fare"}, "source": "string"},
        "drop": ["vendor_id"],
    }

    rename: Annotated[dict[str, str], Meta(description="New names of columns, by the old ones.")] = msgspec.field(
        default_factory=dict
    )
    widen: Annotated[
        dict[str, str],
        Meta(description="Wider types of columns: int to long, float to double, decimals of more digits."),
    ] = msgspec.field(default_factory=dict)
    add: Annotated[
        dict[str, str | Added],
        Meta(description="Columns that are to be there: their type, or type, doc and after (behind which column)."),
    ] = msgspec.field(default_factory=dict)
    drop: Annotated[list[str], Meta(description="Columns that are not to be there.")] = msgspec.field(
        default_factory=list
    )
    optional: Annotated[list[str], Meta(description="Columns that may be without a value.")] = msgspec.field(
        default_factory=list
    )
    docs: Annotated[dict[str, str], Meta(description="What columns are.")] = msgspec.field(default_factory=dict)
    order: Annotated[list[str], Meta(description="Columns that are to stand first, in this order.")] = msgspec.field(
        default_factory=list
    )
    dry_run: Annotated[bool, Meta(description="Only tell what would be done.")] = False
    tries: Annotated[int, Meta(description="So often, where others change the table meanwhile.", ge=1)] = 20

    def run(self, context: Context) -> dict[str, object]:
        """Make them so."""
        waiting = Waiting(context)
        told: dict[str, object] = {}
        self._sensible()
        with waiting.ends_with(None):
            catalog = self.catalog(waiting)
            for number in range(self.tries):
                waiting.pause(PAUSE * number)
                try:
                    told = self._once(context, catalog)
                    break
                except Overtaken:
                    if number + 1 == self.tries:
                        raise
        return told

    def _once(self, context: Context, catalog: Catalog) -> dict[str, object]:
        opened = self.opened(catalog)
        committing = Committing(catalog, self.table, self.dry_run)
        table = _table(self.table, opened, committing)
        changes: list[str] = []
        try:
            with table.transaction() as change:
                # Names of the first part are those of before, and of the second those of after.
                for steps in (self._columns, self._places):
                    found = list(steps(Columns(opened.metadata, change.table_metadata.schema())))
                    changes += [each.told for each in found]
                    if found:
                        with change.update_schema() as schema:
                            for each in found:
                                each.work(schema)
        except _refusals() as error:
            raise TaskFailed(f'The columns of "{self.table}" cannot become so: {error}.') from error
        if changes and not self.dry_run:
            context.log(f"{self.table}: {'; '.join(changes)}")
            context.writes(*opened.table.dataset, more=Details(change=Change.ALTER))
        return {"changes": changes, "changed": bool(changes), "columns": committing.columns(opened)}

    def _sensible(self) -> None:
        """See that nothing is said of a column twice that would be done anew each time."""
        for name in self.drop:
            if name in self.add or name in self.rename or name in self.rename.values():
                raise TaskFailed(f'"{name}" cannot be dropped and be there at once: do it by two tasks.')
        for name in self.add:
            if name in self.rename.values():
                raise TaskFailed(f'"{name}" cannot be added and be the new name of another column at once.')

    def _columns(self, columns: Columns) -> Iterator[Step]:
        for old, new in self.rename.items():
            yield from columns.renamed(old, new)
        for name, kind in self.widen.items():
            yield from columns.widened(name, kind)
        for name in self.optional:
            yield from columns.optional(name)
        for name, doc in self.docs.items():
            yield from columns.told_of(name, doc)
        for name, wanted in self.add.items():
            yield from columns.added(name, wanted if isinstance(wanted, Added) else Added(type=wanted))
        for name in self.drop:
            yield from columns.dropped(name)

    def _places(self, columns: Columns) -> Iterator[Step]:
        for name, wanted in self.add.items():
            if isinstance(wanted, Added) and wanted.after and columns.new(name):
                yield columns.moved(name, wanted.after)
        names = [each.name for each in columns.schema.fields]
        if names[: len(self.order)] != self.order:
            for name, before in zip(self.order, ["", *self.order], strict=False):
                yield columns.moved(name, before)


class Columns:
    """The columns of a table, and what they were called in its former schemas."""

    def __init__(self, metadata: Any, schema: Any) -> None:
        self._metadata, self.schema = metadata, schema

    def known(self, name: str) -> Any:
        """A column; raises TaskFailed where there is none."""
        found = self._find(name)
        if found is None:
            raise TaskFailed(f'There is no column "{name}"; there are {", ".join(self.schema.column_names)}.')
        return found

    def new(self, name: str) -> bool:
        """Whether a column is not yet in the table as it is."""
        return self._metadata.schema().find_column_name(self.known(name).field_id) is None

    def renamed(self, old: str, new: str) -> Iterator[Step]:
        """Give a column another name; nothing to do where it had the old one once."""
        path = f"{old.rpartition('.')[0]}.{new}".lstrip(".") if "." not in new else new
        there, before = self._find(path), self._find(old)
        if there is not None:
            if before is not None and old not in self._once(there.field_id):
                raise TaskFailed(f'"{old}" cannot be called "{new}": another column is called so.')
            return
        self.known(old)
        yield Step(f"{old} is called {path}", lambda schema: schema.rename_column(old, path.rpartition(".")[2]))

    def widened(self, name: str, kind: str) -> Iterator[Step]:
        """Give a column a wider type."""
        wanted, found = _kind(kind), self.known(name)
        if found.field_type != wanted:
            told = f"{name} becomes {wanted} from {found.field_type}"
            yield Step(told, lambda schema: schema.update_column(name, field_type=wanted))

    def optional(self, name: str) -> Iterator[Step]:
        """Let a column be without a value."""
        if self.known(name).required:
            yield Step(f"{name} may be without a value", lambda schema: schema.make_column_optional(name))

    def told_of(self, name: str, doc: str) -> Iterator[Step]:
        """Say what a column is."""
        if self.known(name).doc != doc:
            yield Step(f"{name} is told of", lambda schema: schema.update_column(name, doc=doc))

    def added(self, name: str, column: Added) -> Iterator[Step]:
        """Have a column."""
        wanted, found = _kind(column.type), self._find(name)
        if found is None:
            path = tuple(name.split("."))
            yield Step(
                f"{name} {wanted} is added", lambda schema: schema.add_column(path, wanted, doc=column.doc or None)
            )
        elif found.field_type != wanted:
            raise TaskFailed(f'There is a column "{name}" already; it is {found.field_type} and not {wanted}.')

    def dropped(self, name: str) -> Iterator[Step]:
        """Have a column no more."""
        found = self._find(name)
        if found is None:
            if not any(name in each.column_names for each in self._metadata.schemas):
                self.known(name)
            return
        used = {each.source_id for each in (*self._metadata.spec().fields, *self._metadata.sort_order().fields)}
        if found.field_id in used:
            raise TaskFailed(f'"{name}" cannot be dropped: the table is partitioned or sorted by it.')
        yield Step(f"{name} is dropped", lambda schema: schema.delete_column(name))

    def moved(self, name: str, after: str) -> Step:
        """Put a column behind another one; first where none is named."""
        self.known(name)
        if not after:
            return Step(f"{name} stands first", lambda schema: schema.move_first(name))
        self.known(after)
        return Step(f"{name} stands behind {after}", lambda schema: schema.move_after(name, after))

    def _find(self, name: str) -> Any:
        try:
            return self.schema.find_field(name)
        except ValueError:
            return None

    def _once(self, field: int) -> set[str]:
        """What a column was called in schemas of the table."""
        return {str(each.find_column_name(field)) for each in self._metadata.schemas}


class Committing:
    """The library's way to the catalog: ours, so that a change is asked for as every other one is."""

    def __init__(self, catalog: Catalog, name: str, dry_run: bool) -> None:
        self._catalog, self._name, self._dry = catalog, name, dry_run
        self._now: dict[str, Any] | None = None

    def commit_table(self, table: Any, requirements: Any, updates: Any) -> Any:
        """Ask for it, unless nothing is to be changed."""
        from pyiceberg.table import CommitTableResponse
        from pyiceberg.table.update import update_table_metadata

        if self._dry:
            metadata = update_table_metadata(table.metadata, updates)
            self._now = msgspec.json.decode(metadata.model_dump_json())
            told: dict[str, Any] = {"metadata": metadata, "metadata-location": ""}
            return CommitTableResponse(**told)
        asked = [[msgspec.json.decode(each.model_dump_json()) for each in found] for found in (requirements, updates)]
        answer = self._catalog.commit(self._name, *asked)
        self._now = answer["metadata"]
        return CommitTableResponse(**answer)

    def columns(self, opened: Opened) -> list[dict[str, object]]:
        """What the columns are now."""
        return read(self._now).columns if self._now is not None else opened.table.columns

    def _delete_old_metadata(self, *_: Any) -> None:
        """The catalog does."""


def _table(name: str, opened: Opened, committing: Committing) -> Any:
    from pyiceberg.table import Table

    catalog: Any = committing
    return Table(tuple(name.split(".")), opened.metadata, "", opened.io, catalog)


def _refusals() -> tuple[type[Exception], ...]:
    """What the library says no by."""
    from pyiceberg.exceptions import ResolveError, ValidationError

    return (ValueError, ResolveError, ValidationError)


def _kind(told: str) -> Any:
    """A type in Iceberg's words."""
    from pyiceberg.types import NestedField

    try:
        return NestedField(field_id=1, name="x", field_type=told, required=False).field_type
    except ValueError as error:
        raise TaskFailed(
            f'"{told}" is no type of Iceberg\'s: those are boolean, int, long, float, double, decimal(P, S), date, '
            "time, timestamp, timestamptz, string, uuid, binary, fixed[N]."
        ) from error
