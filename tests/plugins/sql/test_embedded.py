"""Do the SQL task types do their work on SQLite and DuckDB?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told

BOTH = pytest.mark.parametrize("kind", ["sqlite", "duckdb"])


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


def url_of(kind: str, folder: Path) -> str:
    return f"jdbc:{kind}:{folder / 'shop.db'}"


@BOTH
def test_what_one_task_writes_the_next_one_reads(local: LocalContext, tmp_path: Path, kind: str) -> None:
    url = url_of(kind, tmp_path)
    sql = "CREATE TABLE t(id integer, name text); INSERT INTO t VALUES (1, 'a;b'), (2, 'c');"

    made = ok(local.run("sql.queries", {"url": url, "sql": sql}))
    found = ok(
        local.run(
            "sql.query",
            {
                "url": url,
                "sql": "SELECT * FROM t WHERE id = :id",
                "parameters": {"id": 1, "unused": 2},
                "fetchOne": True,
            },
        )
    )

    assert made["updatedCount"] == 2
    assert found == {"row": {"id": 1, "name": "a;b"}, "size": 1}


@BOTH
def test_a_failing_statement_undoes_those_before_it(local: LocalContext, tmp_path: Path, kind: str) -> None:
    url = url_of(kind, tmp_path)
    ok(local.run("sql.query", {"url": url, "sql": "CREATE TABLE t(id integer PRIMARY KEY)"}))

    told = local.run("sql.queries", {"url": url, "sql": "INSERT INTO t VALUES (1); INSERT INTO t VALUES (1);"})

    assert "onstraint" in message(told)
    count = ok(local.run("sql.query", {"url": url, "sql": "SELECT count(*) AS n FROM t", "fetchType": "FETCH_ONE"}))
    assert count["row"] == {"n": 0}


@BOTH
def test_a_batch_inserts_rows_of_maps_and_of_lists(local: LocalContext, tmp_path: Path, kind: str) -> None:
    url = url_of(kind, tmp_path)
    ok(local.run("sql.query", {"url": url, "sql": "CREATE TABLE t(id integer, name text)"}))
    maps = local.put("".join(json.dumps({"name": f"n{n}", "id": n}) + "\n" for n in range(25)))
    lists = local.put('[100, "x"]\n')

    first = ok(local.run("sql.batch", {"url": url, "from": maps, "table": "t", "chunk": 10}))
    ok(local.run("sql.batch", {"url": url, "from": lists, "sql": "INSERT INTO t VALUES (?, ?)"}))

    assert first["rowCount"] == 25
    rows = ok(
        local.run("sql.query", {"url": url, "sql": "SELECT max(id) AS m, count(*) AS n FROM t", "fetchOne": True})
    )
    assert rows["row"] == {"m": 100, "n": 26}


@BOTH
def test_cells_of_a_list_go_to_the_columns_that_are_named(local: LocalContext, tmp_path: Path, kind: str) -> None:
    url = url_of(kind, tmp_path)
    ok(local.run("sql.query", {"url": url, "sql": "CREATE TABLE t(id integer, name text)"}))
    asked = {"url": url, "table": "t", "columns": ["name", "id"]}

    ok(local.run("sql.batch", {**asked, "from": local.put('["x", 1]\n{"id": 2, "name": "y", "more": 3}\n')}))
    longer = local.run("sql.batch", {**asked, "from": local.put('["x", 3]\n["x", 4, 5]\n'), "chunk": 1})

    assert "Row 2 has 3 cells, and columns names 2." in message(longer)
    rows = ok(local.run("sql.query", {"url": url, "sql": "SELECT * FROM t ORDER BY id", "fetchType": "FETCH"}))["rows"]
    assert rows == [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]


def test_a_broken_line_of_a_batch_is_named(local: LocalContext) -> None:
    uri = local.put('{"a": 1}\nnonsense\n')

    told = local.run("sql.batch", {"url": "jdbc:sqlite:", "from": uri, "sql": "SELECT ?"})

    assert "Line 2" in message(told)


def test_duckdb_reads_a_stored_file_and_writes_another(local: LocalContext) -> None:
    files = {"sales.csv": local.put("day,amount\n1,10\n1,5\n2,7\n")}
    sql = "COPY (SELECT day, sum(amount) AS total FROM 'sales.csv' GROUP BY day ORDER BY day) TO 'out.csv'"

    told = local.run("io.kestra.plugin.jdbc.duckdb.Query", {"sql": sql, "inputFiles": files, "outputFiles": ["*.csv"]})

    stored = ok(told)["outputFiles"]
    assert isinstance(stored, dict)
    assert local.text(stored["out.csv"]) == "day,total\n1,15\n2,7\n"


def test_globs_of_files_mean_what_they_mean_everywhere(local: LocalContext) -> None:
    files = dict.fromkeys(("a.csv", "b.txt", "out/c.csv", "out/deep/d.txt", "[e].csv"), "x")

    def stored(*globs: str) -> list[str]:
        outputs = ok(local.run("duckdb.query", {"sql": "SELECT 1", "inputFiles": files, "outputFiles": list(globs)}))
        assert isinstance(outputs["outputFiles"], dict)
        return sorted(outputs["outputFiles"])

    assert stored("*.{csv,txt}") == ["[e].csv", "a.csv", "b.txt"]
    assert stored("out/**") == ["out/c.csv", "out/deep/d.txt"]
    assert stored("**.txt", "./a.csv") == ["a.csv", "b.txt", "out/deep/d.txt"]


def test_duckdb_gives_large_and_nested_cells(local: LocalContext) -> None:
    huge = "170141183460469231731687303715884105727"
    sql = f"SELECT {huge}::hugeint AS huge, [1, 2] AS list, {{'a': 1}} AS map, 1.5::decimal(4, 2) AS d"

    row = ok(local.run("duckdb.query", {"sql": sql, "fetchType": "FETCH_ONE"}))["row"]

    assert row == {"huge": huge, "list": [1, 2], "map": {"a": 1}, "d": 1.5}


def test_duckdb_changes_and_what_it_returns_are_told_apart(local: LocalContext) -> None:
    sql = """
      CREATE TABLE t(a integer);
      INSERT INTO t VALUES (1), (2) RETURNING a;
      SELECT count(*) AS "Count" FROM t;
      SET threads = 1
    """

    outputs = ok(local.run("duckdb.queries", {"sql": sql, "fetchType": "FETCH"}))

    assert outputs["outputs"] == [{"rows": [{"a": 1}, {"a": 2}], "size": 2}, {"rows": [{"Count": 2}], "size": 1}]


@BOTH
def test_a_database_travels_as_a_stored_file(local: LocalContext, kind: str) -> None:
    made = ok(local.run(f"{kind}.queries", {"sql": "CREATE TABLE t AS SELECT 7 AS n", "outputDbFile": True}))

    outputs = ok(
        local.run(
            f"{kind}.query", {"databaseFile": made["databaseUri"], "sql": "SELECT n FROM t", "fetchType": "FETCH"}
        )
    )

    assert outputs["rows"] == [{"n": 7}]


def test_sqlite_vacuums_outside_of_a_transaction(local: LocalContext, tmp_path: Path) -> None:
    url = url_of("sqlite", tmp_path)

    inside = local.run("sqlite.query", {"url": url, "sql": "VACUUM"})
    outside = local.run("sqlite.query", {"url": url, "sql": "VACUUM", "autocommit": True})

    assert "transaction" in message(inside)
    ok(outside)


def test_one_statement_means_one(local: LocalContext) -> None:
    told = local.run("sql.query", {"url": "jdbc:sqlite:", "sql": "SELECT 1; SELECT 2"})

    assert "takes one statement; here are 2" in message(told)


def test_copy_and_call_say_that_they_are_postgresqls(local: LocalContext) -> None:
    told = local.run("sql.call", {"url": "jdbc:sqlite:", "procedure": "p"})

    assert message(told) == '"sql.call" works on postgresql, not on sqlite.'


def test_an_input_file_stays_inside_the_working_directory(local: LocalContext) -> None:
    told = local.run("duckdb.query", {"sql": "SELECT 1", "inputFiles": {"../x": "y"}})

    assert "outside the working directory" in message(told)


@BOTH
@pytest.mark.parametrize("absolute", [True, False])
def test_a_stored_database_never_replaces_a_file_outside(
    local: LocalContext, tmp_path: Path, kind: str, absolute: bool
) -> None:
    outside = tmp_path / "shop.db"
    outside.write_text("precious")
    path = str(outside) if absolute else "../shop.db"

    told = local.run(
        "sql.query", {"url": f"jdbc:{kind}:{path}", "databaseFile": local.put("another"), "sql": "SELECT 1"}
    )

    assert message(told) == f'The file "{path}" would lie outside the working directory.'
    assert outside.read_text() == "precious"


@BOTH
def test_files_outside_are_not_stored_and_nothing_is_done_before(
    local: LocalContext, tmp_path: Path, kind: str
) -> None:
    url = url_of(kind, tmp_path)

    told = local.run("sql.query", {"url": url, "sql": "CREATE TABLE t(id integer)", "outputFiles": ["../*"]})

    assert message(told) == 'The file "../*" would lie outside the working directory.'
    assert not (tmp_path / "shop.db").exists()


def test_a_fetch_size_of_nothing_is_one_row_at_once(local: LocalContext) -> None:
    stored = local.run("sql.query", {"url": "jdbc:sqlite:", "sql": "SELECT 1", "fetchType": "STORE", "fetchSize": 0})

    assert ok(stored)["size"] == 1
