"""Which tables does a statement read and write? Found in its text, and named as lineage names them; only where it is
wanted and sqlglot is installed: what cannot be read is not told, and is no failure.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from penstock.model.asset import Details
from penstock.plugins.sql.address import Address, Database
from penstock.sdk.context import Context, Level

if TYPE_CHECKING:
    from sqlglot import exp

# What sqlglot calls a database, where that is not its own name.
READ_AS: Final = {
    Database.POSTGRES: "postgres",
    Database.MARIADB: "mysql",
    Database.SQLSERVER: "tsql",
    Database.VERTICA: "postgres",
}
# What the standard calls one, where that is not its own name.
SCHEMES: Final = {Database.POSTGRES: "postgres", Database.SQLSERVER: "mssql"}
PORTS: Final = {
    Database.POSTGRES: 5432,
    Database.REDSHIFT: 5439,
    Database.MYSQL: 3306,
    Database.MARIADB: 3306,
    Database.CLICKHOUSE: 8123,
    Database.TRINO: 8080,
    Database.SQLSERVER: 1433,
    Database.ORACLE: 1521,
    Database.VERTICA: 5433,
}
# The schema that a name without one is in.
SCHEMA: Final = {
    Database.POSTGRES: "public",
    Database.REDSHIFT: "public",
    Database.SQLSERVER: "dbo",
    Database.VERTICA: "public",
    Database.DUCKDB: "main",
}
REPLACE: Final = re.compile(r"^\s*REPLACE\s+INTO\b", re.IGNORECASE)
# Those whose tables stand in a database, without a schema between.
FLAT: Final = frozenset({Database.MYSQL, Database.MARIADB, Database.CLICKHOUSE, Database.SQLITE})


def tell(context: Context, address: Address, statements: Iterable[str], rows: int | None = None) -> None:
    """Tell what statements have read and written; `rows` is how many a single one has changed."""
    if not context.about.lineage or importlib.util.find_spec("sqlglot") is None:
        return
    # What it says of a statement that it does not know is nobody's matter.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        _tell(context, address, statements, rows)
    except Exception as error:  # the work is done, whatever a reader of statements makes of them
        context.log(f"What it reads and writes is not known: {type(error).__name__}: {error}.", Level.DEBUG)


def _tell(context: Context, address: Address, statements: Iterable[str], rows: int | None) -> None:
    namespace, database = place(address)
    passing: set[str] = set()
    for statement in statements:
        found = tables(statement, address.database, passing)
        made = any(writes for writes, _ in found)
        for writes, table in found:
            name = named(address.database, database, table)
            more = Details(sql=statement.strip() if writes is made else "")
            if writes:
                context.writes(namespace, name, rows=rows, more=more)
            else:
                context.reads(namespace, name, more=more)


def tell_table(context: Context, address: Address, table: str, *, writes: bool, rows: int) -> None:
    """Tell of a table by its name."""
    if context.about.lineage:
        namespace, database = place(address)
        name = named(address.database, database, [part.strip('"`[]') for part in table.split(".")])
        (context.writes if writes else context.reads)(namespace, name, rows=rows)


def place(address: Address) -> tuple[str, str]:
    """Where a database is, as lineage says it, and its name."""
    kind = address.database
    scheme = SCHEMES.get(kind, kind.value)
    if kind in (Database.SQLITE, Database.DUCKDB):
        return f"{scheme}://{address.path or 'memory'}", ""
    if kind in (Database.POSTGRES, Database.REDSHIFT):
        given = _libpq(address)
        host = given.get("host") or "localhost"
        port = given.get("port") or str(PORTS[kind])
        name = given.get("dbname") or given.get("user") or ""
        return f"{scheme}://{host.partition(',')[0]}:{port.partition(',')[0]}", name
    at = address.place
    if kind is Database.SNOWFLAKE:
        return f"{scheme}://{at.host.partition('.')[0]}", at.option("db", "database") or at.name
    return f"{scheme}://{at.host}:{at.port or PORTS[kind]}", at.name


def named(kind: Database, database: str, parts: list[str]) -> str:
    """A table's whole name: with the database and the schema that it is in unless it says others."""
    if kind in FLAT:
        whole = [database, *parts] if database and len(parts) == 1 else parts
    else:
        inner = [SCHEMA[kind], *parts] if kind in SCHEMA and len(parts) == 1 else parts
        catalog = database.split("/") if database else []
        whole = [*catalog[: 3 - len(inner)], *inner] if len(inner) < 3 else inner
    return ".".join(each for each in whole if each)


def tables(statement: str, kind: Database, passing: set[str] | None = None) -> list[tuple[bool, list[str]]]:
    """The tables of a statement, each once: whether it is written, and the parts of its name. Those that are gone with
    the session are left out; `passing` gathers their names.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        text = REPLACE.sub("INSERT INTO", statement)
        trees = [each for each in sqlglot.parse(text, read=READ_AS.get(kind, kind.value)) if each is not None]
    except (SqlglotError, RecursionError):
        return []
    gone = set() if passing is None else passing
    found: dict[tuple[bool, tuple[str, ...]], None] = {}
    for tree in trees:
        if isinstance(tree, exp.Command | exp.Drop | exp.Alter):
            continue
        written = {id(each) for each in _targets(tree)}
        if tree.find(exp.TemporaryProperty):
            gone |= {each.name for each in _targets(tree) if isinstance(each, exp.Table)}
        inside = {each.alias_or_name for each in tree.find_all(exp.CTE)} | gone
        for table in tree.find_all(exp.Table):
            parts = tuple(part.name for part in table.parts)
            if not all(parts) or not isinstance(table.this, exp.Identifier) or (len(parts) == 1 and parts[0] in inside):
                continue
            if "/" in parts[-1] or table.name.endswith((".csv", ".parquet", ".json", ".jsonl")):
                continue  # a file beside the database
            found[id(table) in written, parts] = None
    return [(writes, list(parts)) for writes, parts in found]


def _targets(tree: exp.Expr) -> list[exp.Expr]:
    """The tables that a statement writes, wherever in it that is said."""
    from sqlglot import exp

    found: list[exp.Expr] = []
    for each in tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Into, exp.Copy):
        into = each.this
        if isinstance(each, exp.Copy) and not each.args.get("kind"):
            continue  # COPY … TO reads
        if isinstance(into, exp.Schema):
            into = into.this
        if isinstance(into, exp.Table):
            found.append(into)
    for each in tree.find_all(exp.TruncateTable):
        found += each.expressions
    return found


def _libpq(address: Address) -> dict[str, str]:
    given = {name: str(value) for name, value in address.options.items()}
    if address.conninfo:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        with contextlib.suppress(ProgrammingError):
            given = {name: str(value) for name, value in conninfo_to_dict(address.conninfo).items()} | given
    return given
