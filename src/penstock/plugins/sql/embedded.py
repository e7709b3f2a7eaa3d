"""How are SQLite and DuckDB asked under names of their own? As `sql.query`, with an address that may be left out."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.sql.query import Queries, Query


class DuckQuery(Query, frozen=True, kw_only=True):
    """Run one SQL statement on DuckDB."""

    type_name: ClassVar[str] = "duckdb.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.duckdb.Query",)
    example: ClassVar[dict[str, object]] = {
        "sql": "SELECT day, sum(amount) AS amount FROM 'sales.csv' GROUP BY day",
        "inputFiles": {"sales.csv": "{{ outputs.download.uri }}"},
        "fetchType": "STORE",
    }

    url: Annotated[str, Meta(description="Address of the database; in memory unless given.")] = "jdbc:duckdb:"


class DuckQueries(Queries, frozen=True, kw_only=True):
    """Run several SQL statements on DuckDB."""

    type_name: ClassVar[str] = "duckdb.queries"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.duckdb.Queries",)
    example: ClassVar[dict[str, object]] = {
        "sql": "CREATE TABLE t AS SELECT * FROM 'sales.csv'; COPY t TO 'sales.parquet';",
        "inputFiles": {"sales.csv": "{{ outputs.download.uri }}"},
        "outputFiles": ["*.parquet"],
    }

    url: Annotated[str, Meta(description="Address of the database; in memory unless given.")] = "jdbc:duckdb:"


class LiteQuery(Query, frozen=True, kw_only=True):
    """Run one SQL statement on SQLite."""

    type_name: ClassVar[str] = "sqlite.query"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlite.Query",)
    example: ClassVar[dict[str, object]] = {
        "url": "jdbc:sqlite:/data/shop.db",
        "sql": "SELECT * FROM orders WHERE day = :day",
        "parameters": {"day": "{{ inputs.day }}"},
        "fetchType": "FETCH",
    }

    url: Annotated[str, Meta(description="Address of the database; in memory unless given.")] = "jdbc:sqlite:"


class LiteQueries(Queries, frozen=True, kw_only=True):
    """Run several SQL statements on SQLite."""

    type_name: ClassVar[str] = "sqlite.queries"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.jdbc.sqlite.Queries",)
    example: ClassVar[dict[str, object]] = {
        "url": "jdbc:sqlite:/data/shop.db",
        "sql": "DELETE FROM orders WHERE day < '2016-01-01'; VACUUM;",
        "transaction": False,
    }

    url: Annotated[str, Meta(description="Address of the database; in memory unless given.")] = "jdbc:sqlite:"
