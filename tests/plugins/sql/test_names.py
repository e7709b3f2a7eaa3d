"""Is a name written exactly as it is given, and can it never leave its place?"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.model.status import Outcome
from penstock.plugins.sql.address import Database
from penstock.plugins.sql.batch import insert
from penstock.plugins.sql.dialects import DIALECTS
from penstock.plugins.sql.names import USUAL, Naming, column, identifier
from penstock.sdk.local import LocalContext, Told
from penstock.sdk.task import TaskFailed

MYSQL = DIALECTS[Database.MYSQL].naming
SQLSERVER = DIALECTS[Database.SQLSERVER].naming
ORACLE = DIALECTS[Database.ORACLE].naming
SNOWFLAKE = DIALECTS[Database.SNOWFLAKE].naming


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("dw.dim_user", "dw.dim_user"),
        ('"My Table"', '"My Table"'),
        ("my table", '"my table"'),
        ("dw.DimUser", 'dw."DimUser"'),
        ("dw.user", 'dw."user"'),
        ("ORDER", '"ORDER"'),
        ("été", '"été"'),
        ("2016", '"2016"'),
        ('x"; DROP TABLE y; --', None),
        ("s.t; DROP", 's."t; DROP"'),
        ("", None),
        ("a..b", None),
    ],
)
def test_a_name_cannot_leave_its_place(name: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(TaskFailed):
            identifier(name)
    else:
        assert identifier(name) == wanted


@pytest.mark.parametrize(
    ("naming", "wanted"),
    [
        (USUAL, 'INSERT INTO shop."Order" (id, "group", "unitPrice", "a.b") VALUES (?, ?, ?, ?)'),
        (MYSQL, "INSERT INTO shop.`Order` (id, `group`, `unitPrice`, `a.b`) VALUES (?, ?, ?, ?)"),
        (SQLSERVER, "INSERT INTO shop.[Order] (id, [group], [unitPrice], [a.b]) VALUES (?, ?, ?, ?)"),
    ],
)
def test_each_database_has_marks_of_its_own(naming: Naming, wanted: str) -> None:
    assert insert("shop.Order", ["id", "group", "unitPrice", "a.b"], 4, naming) == wanted
    assert insert('shop."Order"', ["id", '"group"', "unitPrice", "a.b"], 4, naming) == wanted


def test_where_plain_names_become_capitals_only_its_own_words_are_quoted() -> None:
    assert [column(name, ORACLE) for name in ("id", "key", "date", "Id")] == ["id", "key", '"date"', '"Id"']
    assert [column(name, SNOWFLAKE) for name in ("id", "key", "date", "order")] == ["id", "key", "date", '"order"']


@pytest.mark.parametrize("naming", [USUAL, MYSQL, SQLSERVER, ORACLE])
@given(name=some.text(min_size=1, max_size=8, alphabet="ab\"`[]'.; "))
def test_no_column_ends_before_its_end(naming: Naming, name: str) -> None:
    written = column(name, naming)

    opens, closes = naming.marks[0], naming.marks[-1]
    inside = written[1:-1].replace(closes * 2, "")
    assert written.replace("a", "").replace("b", "") == "" or (written[0], written[-1]) == (opens, closes)
    assert closes not in inside if written[0] == opens else written == name


def test_every_reserved_word_of_postgresql_can_name_a_table_and_a_column(database: str) -> None:
    with psycopg.connect(database) as session:
        words = [str(row[0]) for row in session.execute("SELECT word FROM pg_get_keywords()")]
        columns = ", ".join(f"{column(word)} int" for word in words)
        session.execute(f"CREATE TABLE words({columns})".encode())
        for word in words:
            session.execute(f"CREATE TEMPORARY TABLE {identifier(word)}(a int)".encode())


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_names_reach_embedded_databases_as_they_are(local: LocalContext, tmp_path: Path, kind: str) -> None:
    url = f"jdbc:{kind}:{tmp_path / 'shop.db'}"
    ok(local.run("sql.query", {"url": url, "sql": 'CREATE TABLE "Order"("group" integer, "unitPrice" integer)'}))

    ok(local.run("sql.batch", {"url": url, "from": local.put('{"group": 1, "unitPrice": 2}'), "table": "Order"}))

    asked = {"url": url, "sql": 'SELECT * FROM "Order"', "fetchType": "FETCH_ONE"}
    assert ok(local.run("sql.query", asked))["row"] == {"group": 1, "unitPrice": 2}


def test_names_reach_postgresql_as_they_are(local: LocalContext, database: str) -> None:
    with psycopg.connect(database) as session:
        session.execute('CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."order"("group" int, "unitPrice" int)')
    asked = {"url": database, "table": "Shop.order", "columns": ["group", "unitPrice"]}

    ok(local.run("sql.batch", {**asked, "from": local.put('{"group": 1, "unitPrice": 2}\n[3, 4]\n')}))
    ok(local.run("sql.copy_in", {**asked, "from": local.put("5\t6\n")}))

    out = ok(local.run("sql.copy_out", {**asked, "format": "CSV", "forceQuote": ["unitPrice"]}))
    assert local.text(str(out["uri"])) == '1,"2"\n3,"4"\n5,"6"\n'


def test_every_word_of_duckdb_can_name_a_table_and_a_column() -> None:
    with duckdb.connect() as session:
        words = [str(row[0]) for row in session.execute("SELECT keyword_name FROM duckdb_keywords()").fetchall()]
        session.execute(f"CREATE TABLE words({', '.join(f'{column(word)} integer' for word in dict.fromkeys(words))})")
        for word in words:
            session.execute(f"CREATE OR REPLACE TABLE {identifier(word)}(a integer)")


def test_words_of_sqlite_can_name_a_table_and_a_column() -> None:
    session = sqlite3.connect(":memory:")
    for word in ("abort", "default", "escape", "group", "index", "isnull", "limit", "order", "references", "values"):
        session.execute(f"CREATE TABLE {identifier(word)}({column(word)} integer)")
    session.close()
