"""How does a flow ask a database, or tell it something? One statement, or several in one transaction."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, NamedTuple

import msgspec
from msgspec import Meta, field

from penstock.plugins.sql import cells, lineage
from penstock.plugins.sql.options import EXAMPLE, SqlTask
from penstock.plugins.sql.session import Answer, Session
from penstock.plugins.sql.splitting import split
from penstock.plugins.sql.statements import READS, first_word, used
from penstock.sdk.context import Context
from penstock.sdk.launch import HERE
from penstock.sdk.task import Outputs, TaskFailed

# Databases whose tasks have no property of their own.
ALIKE: Final = ("clickhouse", "oracle", "redshift", "trino", "vertica")
OUTPUTS: Final = {
    "row": "The first row (FETCH_ONE).",
    "rows": "All rows (FETCH).",
    "uri": "Address of a file of JSON lines, one row each (STORE).",
    "size": "How many rows were fetched or stored.",
    "updatedCount": "How many rows the statement changed.",
    "outputFiles": "Address of each stored file, by name.",
    "databaseUri": "Address of the stored database (outputDbFile).",
}


class FetchType(enum.StrEnum):
    """What becomes of the rows that a statement gives."""

    NONE = "NONE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    STORE = "STORE"


class Asking(SqlTask, frozen=True, kw_only=True):
    """What tasks that fetch rows declare."""

    fetch_type: Annotated[FetchType, Meta(description="What becomes of the rows.")] = FetchType.NONE
    fetch_size: Annotated[int, Meta(description="Rows taken from the database at once.")] = 10_000
    parameters: Annotated[
        dict[str, object],
        Meta(
            description="Values for `:name` in the statements: bound by the driver; those that know no binding "
            "escape them.",
            examples=[{"day": "2016-01-02"}],
        ),
    ] = field(default_factory=dict)
    fetch: Annotated[bool, Meta(description="As FETCH.", extra={"deprecated": "fetchType says it"})] = False
    fetch_one: Annotated[bool, Meta(description="As FETCH_ONE.", extra={"deprecated": "fetchType says it"})] = False
    store: Annotated[bool, Meta(description="As STORE.", extra={"deprecated": "fetchType says it"})] = False

    @property
    def wanted(self) -> FetchType:
        """What becomes of the rows, in whichever way it was said."""
        old = {FetchType.STORE: self.store, FetchType.FETCH_ONE: self.fetch_one, FetchType.FETCH: self.fetch}
        return next((kind for kind, said in old.items() if said), self.fetch_type)

    @property
    def block(self) -> int:
        """How many rows are taken at once, at least one."""
        return max(self.fetch_size, 1)

    def ask(self, session: Session, statement: str, context: Context, number: int = 1) -> Fetched:
        """Run one statement and deal with its rows."""
        statement = statement.replace(HERE, str(context.workdir))
        parameters = used(statement, self.parameters, self.lexis)
        reads = first_word(statement, self.lexis) in READS
        run = session.stream if self.wanted is FetchType.STORE and reads else session.execute
        answer = run(statement, parameters, self.block)
        return Fetched(bool(answer.columns), self._deal(answer, context, number))

    def _deal(self, answer: Answer, context: Context, number: int) -> dict[str, object]:
        if not answer.columns:
            return {"updatedCount": answer.changed}
        zone, names = self.zone, answer.columns
        match self.wanted:
            case FetchType.NONE:
                return {}
            case FetchType.FETCH:
                rows = [cells.row(names, each, zone) for each in answer.rows()]
                return {"rows": rows, "size": len(rows)}
            case FetchType.FETCH_ONE:
                first = next(iter(answer.rows()), None)
                found = None if first is None else cells.row(names, first, zone)
                return {"row": found, "size": int(first is not None)}
            case FetchType.STORE:
                return self._stored(answer, context, number)

    def _stored(self, answer: Answer, context: Context, number: int) -> dict[str, object]:
        path = context.workdir / f"rows-{number}.jsonl"
        encode = msgspec.json.Encoder().encode
        zone, names, count, block = self.zone, answer.columns, 0, self.block
        with path.open("wb") as target:
            for each in answer.rows():
                target.write(encode(cells.row(names, each, zone)) + b"\n")
                count += 1
                if count % block == 0:
                    context.progress(count, unit="rows")
        return {"uri": context.store(path), "size": count}


class Fetched(NamedTuple):
    """What one statement came to; `gave_rows` whether it is one that gives rows at all."""

    gave_rows: bool
    outputs: dict[str, object]


class Query(Asking, frozen=True, kw_only=True):
    """Run one SQL statement."""

    type_name: ClassVar[str] = "sql.query"
    aliases: ClassVar[tuple[str, ...]] = tuple(
        f"io.kestra.plugin.jdbc.{database}.Query" for database in ("postgresql", *ALIKE)
    )
    outputs: ClassVar[dict[str, str]] = OUTPUTS
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "sql": "SELECT count(*) AS n FROM staging.tenant WHERE day = :day",
        "parameters": {"day": "{{ inputs.day }}"},
        "fetchType": "FETCH_ONE",
    }

    sql: Annotated[str, Meta(description="The statement.", examples=["SELECT 1 AS one"])]
    after_sql: Annotated[
        str, Meta(description="Statements to run afterwards, in the same transaction.", examples=["DELETE FROM inbox"])
    ] = msgspec.field(name="afterSQL", default="")
    autocommit: Annotated[
        bool, Meta(description="Whether to run outside of a transaction, as VACUUM and some procedures must.")
    ] = False

    def run(self, context: Context) -> Outputs:
        """Run it."""
        return self.asked(context)

    def asked(
        self, context: Context, before_commit: Callable[[dict[str, object]], None] = lambda outputs: None
    ) -> dict[str, object]:
        """Run it, and have somebody act on what it gave before it becomes lasting."""
        statements = split(self.sql, self.lexis)
        if len(statements) != 1:
            raise TaskFailed(f"`{self.type_name}` takes one statement; here are {len(statements)}. Use `sql.queries`.")
        with self.session(context, autocommit=self.autocommit) as session:
            _, outputs = self.ask(session, statements[0], context)
            for statement in split(self.after_sql, self.lexis):
                session.execute(statement, used(statement, self.parameters, self.lexis), 1)
            before_commit(outputs)
            session.commit()
        lineage.tell(context, self.address(context), [*statements, self.after_sql], _changed(outputs))
        if "size" in outputs:
            context.metric("fetch.size", float(str(outputs["size"])))
        return {**outputs, **self.files(context)}


def _changed(outputs: dict[str, object]) -> int | None:
    changed = outputs.get("updatedCount")
    return changed if isinstance(changed, int) else None


class Queries(Asking, frozen=True, kw_only=True):
    """Run several SQL statements, in one transaction unless told otherwise."""

    type_name: ClassVar[str] = "sql.queries"
    aliases: ClassVar[tuple[str, ...]] = tuple(
        f"io.kestra.plugin.jdbc.{database}.Queries" for database in ("postgresql", *ALIKE)
    )
    outputs: ClassVar[dict[str, str]] = {
        "outputs": "One entry for each statement that gives rows: row, rows, uri, size.",
        "updatedCount": "How many rows all statements changed.",
        "outputFiles": OUTPUTS["outputFiles"],
        "databaseUri": OUTPUTS["databaseUri"],
    }
    example: ClassVar[dict[str, object]] = {
        "url": EXAMPLE,
        "sql": "TRUNCATE staging.tenant;\nINSERT INTO staging.tenant SELECT * FROM inbox.tenant;",
    }

    sql: Annotated[str, Meta(description="The statements, each ended by `;`.", examples=["SELECT 1; SELECT 2"])]
    transaction: Annotated[bool, Meta(description="Whether all become lasting together, or each by itself.")] = True

    def run(self, context: Context) -> dict[str, object]:
        """Run them."""
        statements = split(self.sql, self.lexis)
        if not statements:
            raise TaskFailed("There is no statement to run.")
        answers: list[dict[str, object]] = []
        changed = 0
        with self.session(context, autocommit=not self.transaction) as session:
            for number, statement in enumerate(statements, 1):
                gave_rows, outputs = self.ask(session, statement, context, number)
                if gave_rows and outputs:
                    answers.append(outputs)
                changed += int(str(outputs.get("updatedCount", 0)))
                context.progress(number, len(statements), "statements")
            session.commit()
        lineage.tell(context, self.address(context), statements)
        return {"outputs": answers, "updatedCount": changed, **self.files(context)}
