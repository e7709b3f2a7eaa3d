"""How does a flow put many rows of a stored file into a table?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, field

from penstock.plugins.sql import lineage
from penstock.plugins.sql.names import USUAL, Naming, column, identifier
from penstock.plugins.sql.options import EXAMPLE, SqlTask
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed


class Batch(SqlTask, frozen=True, kw_only=True):
    """Run one statement for each row of a stored file, many rows at a time, in one transaction."""

    type_name: ClassVar[str] = "sql.batch"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.jdbc.postgresql.Batch",
        "io.kestra.plugin.jdbc.sqlite.Batch",
        "io.kestra.plugin.jdbc.duckdb.Batch",
        "io.kestra.plugin.jdbc.clickhouse.Batch",
        "io.kestra.plugin.jdbc.clickhouse.BulkInsert",
        "io.kestra.plugin.jdbc.mysql.Batch",
        "io.kestra.plugin.jdbc.oracle.Batch",
        "io.kestra.plugin.jdbc.vertica.Batch",
    )
    outputs: ClassVar[dict[str, str]] = {
        "rowCount": "How many rows the file has.",
        "updatedCount": "How many rows of the table were changed.",
        "databaseUri": "Address of the stored database (outputDbFile).",
    }
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "from": "{{ outputs.query.uri }}",
        "table": "staging.tenant",
        "columns": ["id", "name"],
    }

    from_: Annotated[
        str,
        Meta(description="Address of a file of JSON lines: a map or a list each.", examples=["{{ outputs.q.uri }}"]),
    ] = field(name="from")
    sql: Annotated[
        str, Meta(description="The statement, with `?` for each cell.", examples=["INSERT INTO t VALUES (?, ?)"])
    ] = ""
    table: Annotated[str, Meta(description="Instead of a statement: the table to insert into.")] = ""
    columns: Annotated[
        list[str],
        Meta(
            description="Cells of a row to take, in order, and columns to fill; all of the first row unless given. A "
            "row that is a list has one cell for each."
        ),
    ] = field(default_factory=list)
    chunk: Annotated[int, Meta(description="Rows sent at once.")] = 1000

    def run(self, context: Context) -> dict[str, object]:
        """Send the rows."""
        if bool(self.sql) == bool(self.table):
            raise TaskFailed("Exactly one of sql and table must be given.")
        rows = lines(context.fetch(self.from_))
        done = changed = 0
        statement = self.sql
        columns = self.columns
        with self.session(context) as session:
            while chunk := list(islice(rows, max(self.chunk, 1))):
                if not columns and isinstance(chunk[0], dict):
                    columns = list(chunk[0])
                if not statement:
                    statement = insert(self.table, columns, len(chunk[0]), self.naming)
                changed += session.many(statement, [cells_of(row, columns, at) for at, row in enumerate(chunk, done)])
                done += len(chunk)
                context.progress(done, unit="rows")
            session.commit()
        if self.table:
            lineage.tell_table(context, self.address(context), self.table, writes=True, rows=changed)
        else:
            lineage.tell(context, self.address(context), [self.sql], changed)
        context.metric("records", done)
        return {"rowCount": done, "updatedCount": changed, **self.files(context)}


def lines(path: Path) -> Iterator[dict[str, object] | list[object]]:
    """The rows of a file of JSON lines; TaskFailed names the line that is none."""
    decode = msgspec.json.Decoder(dict[str, object] | list[object]).decode
    with path.open("rb") as source:
        for number, line in enumerate(source, 1):
            if line.strip():
                try:
                    yield decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise TaskFailed(f"Line {number} is no row: {error}.") from None


def insert(table: str, columns: list[str], count: int, naming: Naming = USUAL) -> str:
    """An INSERT with a `?` for each cell."""
    names = f" ({', '.join(column(each, naming) for each in columns)})" if columns else ""
    places = ", ".join("?" * (len(columns) or count))
    return " ".join(["INSERT INTO", identifier(table, naming) + names, "VALUES", f"({places})"])


def cells_of(row: dict[str, object] | list[object], columns: list[str], at: int = 0) -> list[object]:
    """The cells of the row with index `at` in the order of the columns; what a map does not have is null. A list has
    one cell for each column, else nobody knows which is which: TaskFailed.
    """
    if isinstance(row, dict):
        return [row.get(each) for each in columns]
    if columns and len(row) != len(columns):
        raise TaskFailed(f"Row {at + 1} has {len(row)} cells, and columns names {len(columns)}.")
    return row
