"""How does a flow call a stored procedure or function?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, field

from penstock.plugins.sql import cells
from penstock.plugins.sql.address import Database
from penstock.plugins.sql.names import column, identifier
from penstock.plugins.sql.options import EXAMPLE, SqlTask
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed


class Call(SqlTask, frozen=True, kw_only=True):
    """Call a stored procedure, or a function, of PostgreSQL; its notices go to the log."""

    type_name: ClassVar[str] = "sql.call"
    needs: ClassVar[Database | None] = Database.POSTGRES
    outputs: ClassVar[dict[str, str]] = {
        "row": "The procedure's OUT arguments, or the function's first row; nothing when it has none.",
        "rows": "All rows of a function.",
        "size": "How many rows.",
    }
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "procedure": "dw.sp_load_staging_to_dw",
        "arguments": ["{{ inputs.batch_date }}"],
    }

    procedure: Annotated[
        str, Meta(description="The procedure, with its schema.", examples=["dw.sp_load_staging_to_dw"])
    ] = ""
    function: Annotated[str, Meta(description="Instead: the function, with its schema.")] = ""
    arguments: Annotated[
        list[object] | dict[str, object],
        Meta(
            description="The arguments in order, or by name; bound, or escaped, as in `sql.query`.",
            examples=[["2016-01-02"]],
        ),
    ] = field(default_factory=list)
    transaction: Annotated[
        bool, Meta(description="Whether it runs in a transaction; one that commits by itself must not.")
    ] = True

    def run(self, context: Context) -> dict[str, object]:
        """Call it."""
        if bool(self.procedure) == bool(self.function):
            raise TaskFailed("Exactly one of procedure and function must be given.")
        if isinstance(self.arguments, dict):
            values = {f"a{number}": value for number, value in enumerate(self.arguments.values())}
            places = [f"{column(name)} => :a{number}" for number, name in enumerate(self.arguments)]
        else:
            values = {f"a{number}": value for number, value in enumerate(self.arguments)}
            places = [f":{name}" for name in values]
        verb = "CALL " if self.procedure else "SELECT * FROM "
        statement = f"{verb}{identifier(self.procedure or self.function)}({', '.join(places)})"
        with self.session(context, autocommit=not self.transaction) as session:
            answer = session.execute(statement, values, 1)
            zone, names = self.zone, answer.columns
            rows = [cells.row(names, row, zone) for row in answer.rows()] if names else []
            session.commit()
        outputs: dict[str, object] = {"row": rows[0] if rows else None, "size": len(rows)}
        return outputs if self.procedure else {**outputs, "rows": rows}
