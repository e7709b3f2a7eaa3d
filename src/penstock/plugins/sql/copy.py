"""How does a flow move whole tables in and out of PostgreSQL? By COPY, streamed: memory does not grow with the file."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.sql import lineage
from penstock.plugins.sql.address import Database
from penstock.plugins.sql.names import column, identifier, text
from penstock.plugins.sql.options import EXAMPLE, SqlTask
from penstock.plugins.sql.postgres import PostgresSession, driver
from penstock.plugins.sql.statements import bare
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

if TYPE_CHECKING:
    import psycopg

BLOCK: Final = 256 * 1024
TELL: Final = 16 * 1024 * 1024


class Format(enum.StrEnum):
    """The forms that COPY reads and writes."""

    TEXT = "TEXT"
    CSV = "CSV"
    BINARY = "BINARY"


class Copying(SqlTask, frozen=True, kw_only=True):
    """What both directions declare."""

    needs: ClassVar[Database | None] = Database.POSTGRES

    table: Annotated[str, Meta(description="The table.", examples=["staging.tenant"])] = ""
    columns: Annotated[list[str], Meta(description="Its columns in the order of the file; all unless given.")] = field(
        default_factory=list
    )
    format: Annotated[Format, Meta(description="The form of the file.")] = Format.TEXT
    header: Annotated[bool, Meta(description="Whether the file's first line names the columns.")] = False
    delimiter: Annotated[str, Meta(description="What stands between cells.", examples=[";"])] = ""
    quote: Annotated[str, Meta(description="What stands around a cell (CSV).")] = ""
    escape: Annotated[str, Meta(description="What stands before a quote inside a cell (CSV).")] = ""
    null_string: Annotated[str | None, Meta(description="How the file writes that there is no value.")] = None
    encoding: Annotated[str, Meta(description="The file's encoding, as PostgreSQL names it.", examples=["UTF8"])] = ""

    def options(self) -> list[str]:
        """COPY's options that both directions have."""
        wanted = [f"FORMAT {self.format.value.lower()}"]
        if self.header:
            wanted.append("HEADER true")
        given = {"DELIMITER": self.delimiter, "QUOTE": self.quote, "ESCAPE": self.escape, "ENCODING": self.encoding}
        wanted += [f"{name} {text(value)}" for name, value in given.items() if value]
        if self.null_string is not None:
            wanted.append(f"NULL {text(self.null_string)}")
        return wanted

    def target(self) -> str:
        """The table with its columns."""
        return identifier(self.table) + names(self.columns)


class CopyIn(Copying, frozen=True, kw_only=True):
    """Load a stored file into a table of PostgreSQL."""

    type_name: ClassVar[str] = "sql.copy_in"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.postgresql.CopyIn",)
    outputs: ClassVar[dict[str, str]] = {"rowCount": "How many rows were loaded."}
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "from": "{{ outputs.download.uri }}",
        "table": "staging.tenant",
        "format": "CSV",
        "header": True,
    }

    from_: Annotated[str, Meta(description="Address of the file.", examples=["{{ outputs.download.uri }}"])] = field(
        name="from"
    )
    force_not_null: Annotated[
        list[str], Meta(description="Columns whose cells are never null, even when empty (CSV).")
    ] = field(default_factory=list)
    force_null: Annotated[list[str], Meta(description="Columns whose quoted cells may be null too (CSV).")] = field(
        default_factory=list
    )
    freeze: Annotated[bool, Meta(description="PostgreSQL's FREEZE.")] = False

    def run(self, context: Context) -> dict[str, object]:
        """Load it."""
        if not self.table:
            raise TaskFailed("The property table must be given.")
        options = self.options()
        options += [f"FORCE_NOT_NULL{names(self.force_not_null)}"] if self.force_not_null else []
        options += [f"FORCE_NULL{names(self.force_null)}"] if self.force_null else []
        options += ["FREEZE true"] if self.freeze else []
        statement = f"COPY {self.target()} FROM STDIN WITH ({', '.join(options)})"
        path = context.fetch(self.from_)
        total, done = path.stat().st_size, 0
        with self.session(context) as session, _cursor(session) as cursor:
            try:
                with cursor.copy(statement) as copy, path.open("rb") as source:
                    while block := source.read(BLOCK):
                        copy.write(block)
                        done += len(block)
                        if done % TELL < BLOCK:
                            context.progress(done, total, "bytes")
            except driver().Error as error:
                raise TaskFailed(_told(error)) from error
            rows = max(cursor.rowcount, 0)
            session.commit()
        lineage.tell_table(context, self.address(context), self.table, writes=True, rows=rows)
        context.metric("rows", rows)
        return {"rowCount": rows}


class CopyOut(Copying, frozen=True, kw_only=True):
    """Write a table of PostgreSQL, or what a statement gives, into a stored file."""

    type_name: ClassVar[str] = "sql.copy_out"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.postgresql.CopyOut",)
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file.", "rowCount": "How many rows were written."}
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "sql": "SELECT * FROM dw.dim_tenant",
        "format": "CSV",
        "header": True,
    }

    sql: Annotated[str, Meta(description="Instead of a table: the statement.", examples=["SELECT 1 AS one"])] = ""
    force_quote: Annotated[list[str], Meta(description="Columns whose cells are always quoted (CSV).")] = field(
        default_factory=list
    )

    def run(self, context: Context) -> dict[str, object]:
        """Write it."""
        if bool(self.sql) == bool(self.table):
            raise TaskFailed("Exactly one of sql and table must be given.")
        options = self.options()
        options += [f"FORCE_QUOTE{names(self.force_quote)}"] if self.force_quote else []
        source = f"({bare(self.sql).rstrip(';')})" if self.sql else self.target()
        statement = f"COPY {source} TO STDOUT WITH ({', '.join(options)})"
        path = context.workdir / f"copy.{'bin' if self.format is Format.BINARY else self.format.value.lower()}"
        with self.session(context) as session, _cursor(session) as cursor:
            try:
                with cursor.copy(statement) as copy, path.open("wb") as target:
                    for block in copy:
                        target.write(block)
            except driver().Error as error:
                raise TaskFailed(_told(error)) from error
            rows = max(cursor.rowcount, 0)
            session.commit()
        if self.table:
            lineage.tell_table(context, self.address(context), self.table, writes=False, rows=rows)
        else:
            lineage.tell(context, self.address(context), [self.sql])
        context.metric("rows", rows)
        return {"uri": context.store(path), "rowCount": rows}


def names(columns: list[str]) -> str:
    """A list of columns in brackets, nothing when there is none."""
    return f" ({', '.join(column(each) for each in columns)})" if columns else ""


def _cursor(session: object) -> psycopg.Cursor[Any]:
    assert isinstance(session, PostgresSession), "the address was checked to be PostgreSQL's"
    cursor: psycopg.Cursor[Any] = session.connection.cursor()
    return cursor


def _told(error: Any) -> str:
    where = f" {error.diag.context}" if error.diag.context else ""
    return f"{error.diag.message_primary or error}.{where}"
