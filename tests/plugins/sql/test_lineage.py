"""Do statements tell which tables they read and write, under the names that everybody else calls them by?"""

from __future__ import annotations

import pytest

from penstock.model.asset import Access, Touched
from penstock.plugins.sql.address import Database, read_address
from penstock.plugins.sql.lineage import named, place, tables
from penstock.sdk.local import LocalContext

PLACES = [
    ("jdbc:postgresql://h:5433/dw?user=a", "postgres://h:5433", "dw.public.t", "dw.s.t"),
    ("postgresql://me:pw@h/db", "postgres://h:5432", "db.public.t", "db.s.t"),
    ("jdbc:mysql://h/d", "mysql://h:3306", "d.t", "s.t"),
    ("jdbc:clickhouse://h:8123/d", "clickhouse://h:8123", "d.t", "s.t"),
    ("jdbc:trino://h:8080/cat/sch", "trino://h:8080", "cat.sch.t", "cat.s.t"),
    ("jdbc:snowflake://acc.eu.snowflakecomputing.com/?db=D", "snowflake://acc", "D.t", "D.s.t"),
    ("jdbc:sqlserver://h:1433;databaseName=n", "mssql://h:1433", "n.dbo.t", "n.s.t"),
    ("jdbc:duckdb:shop.duckdb", "duckdb://shop.duckdb", "main.t", "s.t"),
    ("jdbc:sqlite:/a/b.db", "sqlite:///a/b.db", "t", "s.t"),
]
STATEMENTS = [
    ("INSERT INTO st.t SELECT a.* FROM inbox.a a JOIN b ON a.x = b.x WHERE d = :day", {"st.t"}, {"inbox.a", "b"}),
    ("WITH x AS (SELECT * FROM r) DELETE FROM w USING x WHERE w.id = x.id", {"w"}, {"r"}),
    ("CREATE TABLE z AS SELECT * FROM q.y", {"z"}, {"q.y"}),
    ("CREATE TEMP TABLE z AS SELECT * FROM q.y", set(), {"q.y"}),
    ("TRUNCATE a, s.b", {"a", "s.b"}, set()),
    ("UPDATE t SET a = u.b FROM u WHERE t.i = u.i", {"t"}, {"u"}),
    ("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a", {"t"}, {"s"}),
    ("SELECT * INTO newer FROM older", {"newer"}, {"older"}),
    ("COPY a.t FROM STDIN", {"a.t"}, set()),
    ("DROP TABLE a", set(), set()),
    ("VACUUM a", set(), set()),
    ("SELECT 1 AS one", set(), set()),
    ("what is (((", set(), set()),
]


@pytest.mark.parametrize(("url", "where", "bare", "within"), PLACES)
def test_a_table_has_the_name_that_the_standard_gives_it(url: str, where: str, bare: str, within: str) -> None:
    address = read_address(url)
    namespace, database = place(address)

    assert namespace == where
    assert named(address.database, database, ["t"]) == bare
    assert named(address.database, database, ["s", "t"]) == within
    assert named(address.database, database, ["x", "s", "t"]) == "x.s.t"


@pytest.mark.parametrize(("statement", "written", "read"), STATEMENTS)
def test_a_statement_tells_its_tables(statement: str, written: set[str], read: set[str]) -> None:
    found = tables(statement, Database.POSTGRES)

    assert {".".join(parts) for writes, parts in found if writes} == written
    assert {".".join(parts) for writes, parts in found if not writes} == read


def test_files_beside_a_database_are_no_tables() -> None:
    assert tables("CREATE TABLE t AS SELECT * FROM 'sales.csv'", Database.DUCKDB) == [(True, ["t"])]
    assert tables("COPY t TO 'x.parquet'", Database.DUCKDB) == [(False, ["t"])]
    assert tables("REPLACE INTO a.b SELECT * FROM c", Database.MYSQL) == [(True, ["a", "b"]), (False, ["c"])]


def test_tasks_tell_what_they_have_done_where_that_is_wanted() -> None:
    with LocalContext() as local:
        url = f"jdbc:sqlite:{local.folder}/shop.db"
        local.run("sqlite.queries", {"url": url, "sql": "CREATE TABLE a (x INT); INSERT INTO a VALUES (1), (2);"})
        quiet = local.run("sqlite.query", {"url": url, "sql": "SELECT * FROM a"})
        local.lineage = True
        asked = local.run("sqlite.query", {"url": url, "sql": "CREATE TABLE b AS SELECT * FROM a"})
        rows = local.put('{"x": 3}\n{"x": 4}\n')
        batch = local.run("sql.batch", {"url": url, "table": "a", "from": rows})
        temporary = local.run(
            "sqlite.queries",
            {"url": url, "sql": "CREATE TEMP TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t"},
        )

    where = f"sqlite://{local.folder}/shop.db"
    assert quiet.touched == ()
    assert [(each.access, each.namespace, each.name) for each in asked.touched] == [
        (Access.WRITES, where, "b"), (Access.READS, where, "a")
    ]  # fmt: skip
    assert [each.sql for each in asked.touched] == ["CREATE TABLE b AS SELECT * FROM a", ""]
    assert batch.touched == (Touched(access=Access.WRITES, namespace=where, name="a", rows=2),)
    assert [(each.access, each.name) for each in temporary.touched] == [(Access.READS, "a"), (Access.WRITES, "b")]
