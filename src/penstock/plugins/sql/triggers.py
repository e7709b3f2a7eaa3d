"""Which triggers ask a database, and start a run when there are rows?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from penstock.plugins.sql.embedded import DuckQuery, LiteQuery
from penstock.plugins.sql.named import MysqlQuery, SnowflakeQuery, SqlserverQuery
from penstock.plugins.sql.query import ALIKE, FetchType, Query
from penstock.sdk.context import Context
from penstock.sdk.task import Fires, Outcome, Outputs, Result, TaskFailed


class SqlTrigger(Query, frozen=True, kw_only=True):
    """Start a run when a statement gives rows."""

    type_name: ClassVar[str] = "sql.trigger"
    aliases: ClassVar[tuple[str, ...]] = tuple(
        f"io.kestra.plugin.jdbc.{database}.Trigger" for database in ("postgresql", *ALIKE)
    )
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


class MysqlTrigger(MysqlQuery, frozen=True, kw_only=True):
    """Start a run when a statement gives rows of MySQL or MariaDB."""

    type_name: ClassVar[str] = "mysql.trigger"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.jdbc.mysql.Trigger",
        "io.kestra.plugin.jdbc.mariadb.Trigger",
    )
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


class SqlserverTrigger(SqlserverQuery, frozen=True, kw_only=True):
    """Start a run when a statement gives rows of SQL Server."""

    type_name: ClassVar[str] = "sqlserver.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlserver.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


class SnowflakeTrigger(SnowflakeQuery, frozen=True, kw_only=True):
    """Start a run when a statement gives rows of Snowflake."""

    type_name: ClassVar[str] = "snowflake.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.snowflake.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


class DuckTrigger(DuckQuery, frozen=True, kw_only=True):
    """Start a run when a statement gives rows of DuckDB."""

    type_name: ClassVar[str] = "duckdb.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.duckdb.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


class LiteTrigger(LiteQuery, frozen=True, kw_only=True):
    """Start a run when a statement gives rows of SQLite."""

    type_name: ClassVar[str] = "sqlite.trigger"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlite.Trigger",)
    fires: ClassVar[Fires] = Fires.POLLING

    def run(self, context: Context) -> Outputs:
        """Look once."""
        return looked(self, context)


def looked(query: Query, context: Context) -> Outputs:
    """Ask once. Where statements follow, their COMMIT comes after the start of the run, so that nothing is lost."""
    if query.wanted is FetchType.NONE:
        raise TaskFailed("A trigger sees rows only where its fetchType is FETCH, FETCH_ONE or STORE.")
    fired = False

    def before_commit(outputs: Mapping[str, object]) -> None:
        nonlocal fired
        if _is_there(outputs) and query.after_sql:
            # The same rows are the same run, when all this is done again by another attempt.
            content = msgspec.json.encode(outputs, order="sorted")
            if uri := outputs.get("uri"):
                content = context.fetch(str(uri)).read_bytes()
            context.fire(outputs, f"{context.run}/{hashlib.sha256(content).hexdigest()}")
            fired = True

    outputs = query.asked(context, before_commit)
    return outputs if _is_there(outputs) and not fired else Result(outcome=Outcome.SKIPPED)


def _is_there(outputs: Mapping[str, object]) -> bool:
    return bool(outputs.get("size"))
