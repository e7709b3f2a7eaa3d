"""Do the SQL task types do their work on a real PostgreSQL?"""

from __future__ import annotations

import json
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told

SCHEMA = """
CREATE TABLE tenant(id integer PRIMARY KEY, name text, seen timestamptz, tags text[], extra jsonb);
CREATE PROCEDURE fill(n integer, INOUT made integer DEFAULT 0) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tenant(id, name) SELECT i, 'tenant ' || i FROM generate_series(1, n) i;
  RAISE NOTICE 'filled % rows', n;
  made := n;
END $$;
CREATE PROCEDURE piecewise() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tenant(id) VALUES (1); COMMIT;
  INSERT INTO tenant(id) VALUES (2); COMMIT;
END $$;
CREATE FUNCTION twice(n integer) RETURNS TABLE(a integer, b integer) LANGUAGE sql AS 'SELECT n, n * 2';
"""


@pytest.fixture
def url(database: str) -> str:
    with psycopg.connect(database) as session:
        session.execute(SCHEMA)
    return database


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def test_a_query_gives_its_rows_with_parameters_bound(local: LocalContext, url: str) -> None:
    properties = {"url": url, "sql": "SELECT :n::int AS n, ':n' AS said, '100 %' AS part", "parameters": {"n": "7"}}

    outputs = ok(local.run("sql.query", {**properties, "fetchType": "FETCH"}))

    assert outputs == {"rows": [{"n": 7, "said": ":n", "part": "100 %"}], "size": 1}


def test_hostile_text_in_a_parameter_stays_text(local: LocalContext, url: str) -> None:
    hostile = "x'); DROP TABLE tenant; --"

    told = local.run(
        "sql.query",
        {"url": url, "sql": "INSERT INTO tenant(id, name) VALUES (1, :name)", "parameters": {"name": hostile}},
    )

    assert ok(told) == {"updatedCount": 1}
    kept = local.run("sql.query", {"url": url, "sql": "SELECT name FROM tenant", "fetchType": "FETCH_ONE"})
    assert ok(kept)["row"] == {"name": hostile}


def test_cells_become_what_json_can_say(local: LocalContext, url: str) -> None:
    sql = """
      SELECT 1.50::numeric AS dec, 9007199254740993::bigint AS big, 10::numeric ^ 30 AS huge, ARRAY[1, 2] AS list,
             '{"a": [1]}'::jsonb AS doc, '2016-01-02 03:04:05+00'::timestamptz AS seen, date '2016-01-02' AS day,
             interval '1 day 2 hours' AS span, 'ab'::bytea AS raw, NULL AS none, true AS yes,
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id
    """

    told = local.run("sql.query", {"url": url, "sql": sql, "fetchType": "FETCH_ONE", "timeZoneId": "Europe/Paris"})

    row = ok(told)["row"]
    assert isinstance(row, dict)
    assert float(row.pop("huge")) == 1e30
    assert row == {
        "dec": 1.5,
        "big": 9007199254740993,
        "list": [1, 2],
        "doc": {"a": [1]},
        "seen": "2016-01-02T04:04:05+01:00",
        "day": "2016-01-02",
        "span": "P1DT7200S",
        "raw": "YWI=",
        "none": None,
        "yes": True,
        "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    }


def test_store_writes_a_file_of_json_lines(local: LocalContext, url: str) -> None:
    sql = "SELECT i AS n FROM generate_series(1, 25000) i"

    outputs = ok(local.run("sql.query", {"url": url, "sql": sql, "fetchType": "STORE"}))

    lines = local.text(str(outputs["uri"])).splitlines()
    assert (outputs["size"], len(lines), json.loads(lines[-1])) == (25000, 25000, {"n": 25000})


def test_a_failing_statement_undoes_those_before_it(local: LocalContext, url: str) -> None:
    sql = "INSERT INTO tenant(id) VALUES (1); INSERT INTO tenant(id) VALUES (1);"

    told = local.run("sql.queries", {"url": url, "sql": sql})

    assert told.outcome is Outcome.FAILED
    assert told.failure is not None
    assert "23505" in str(told.failure["message"])
    count = local.run("sql.query", {"url": url, "sql": "SELECT count(*) AS n FROM tenant", "fetchType": "FETCH_ONE"})
    assert ok(count)["row"] == {"n": 0}


def test_queries_answer_for_each_statement_that_gives_rows(local: LocalContext, url: str) -> None:
    sql = (
        "INSERT INTO tenant(id) VALUES (1), (2); SELECT max(id) AS m FROM tenant; -- the end; really\nSELECT ';' AS s;"
    )

    outputs = ok(local.run("io.kestra.plugin.jdbc.postgresql.Queries", {"url": url, "sql": sql, "fetchType": "FETCH"}))

    assert outputs["outputs"] == [{"rows": [{"m": 2}], "size": 1}, {"rows": [{"s": ";"}], "size": 1}]
    assert outputs["updatedCount"] == 2


def test_after_sql_shares_the_transaction(local: LocalContext, url: str) -> None:
    properties = {"url": url, "sql": "INSERT INTO tenant(id) VALUES (1)", "afterSQL": "SELECT 1 / 0"}

    told = local.run("sql.query", properties)

    assert told.outcome is Outcome.FAILED
    assert "division by zero" in str(told.failure)
    count = local.run("sql.query", {"url": url, "sql": "SELECT count(*) AS n FROM tenant", "fetchType": "FETCH_ONE"})
    assert ok(count)["row"] == {"n": 0}


def test_a_procedure_is_called_and_its_notices_are_logged(local: LocalContext, url: str) -> None:
    told = local.run("sql.call", {"url": url, "procedure": "public.fill", "arguments": [3, 0]})

    assert ok(told) == {"row": {"made": 3}, "size": 1}
    assert [line.message for line in told.logs] == ["filled 3 rows"]


def test_a_procedure_that_commits_runs_outside_of_a_transaction(local: LocalContext, url: str) -> None:
    inside = local.run("sql.call", {"url": url, "procedure": "piecewise"})
    outside = local.run("sql.call", {"url": url, "procedure": "piecewise", "transaction": False})

    assert inside.failure is not None
    assert "outside of a transaction" in str(inside.failure["message"])
    assert ok(outside) == {"row": None, "size": 0}


def test_a_function_is_called_with_arguments_by_name(local: LocalContext, url: str) -> None:
    outputs = ok(local.run("sql.call", {"url": url, "function": "twice", "arguments": {"n": 21}}))

    assert outputs["rows"] == [{"a": 21, "b": 42}]


def test_a_batch_inserts_every_row_of_a_file(local: LocalContext, url: str) -> None:
    uri = local.put("".join(json.dumps({"id": n, "extra": {"n": n}, "tags": ["a"]}) + "\n" for n in range(2500)))

    outputs = ok(local.run("sql.batch", {"url": url, "from": uri, "table": "public.tenant"}))

    assert outputs == {"rowCount": 2500, "updatedCount": 2500}
    last = local.run(
        "sql.query", {"url": url, "sql": "SELECT extra, tags FROM tenant WHERE id = 2499", "fetchType": "FETCH_ONE"}
    )
    assert ok(last)["row"] == {"extra": {"n": 2499}, "tags": ["a"]}


def test_a_batch_runs_its_own_statement(local: LocalContext, url: str) -> None:
    uri = local.put('[1, "a"]\n[2, "b"]\n')
    sql = "INSERT INTO tenant(id, name) VALUES (?, ? || '?')"

    outputs = ok(local.run("sql.batch", {"url": url, "from": uri, "sql": sql, "chunk": 1}))

    assert outputs == {"rowCount": 2, "updatedCount": 2}
    names = local.run("sql.query", {"url": url, "sql": "SELECT name FROM tenant ORDER BY 1", "fetchType": "FETCH"})
    assert ok(names)["rows"] == [{"name": "a?"}, {"name": "b?"}]


def test_copy_takes_a_table_out_and_in_again(local: LocalContext, url: str) -> None:
    ok(local.run("sql.call", {"url": url, "procedure": "fill", "arguments": [1000, 0]}))
    options = {"url": url, "table": "tenant", "columns": ["id", "name"], "format": "csv", "header": True}

    out = ok(local.run("sql.copy_out", {**options, "delimiter": ";"}))
    ok(local.run("sql.query", {"url": url, "sql": "TRUNCATE tenant"}))
    back = ok(local.run("sql.copy_in", {**options, "delimiter": ";", "from": out["uri"]}))

    assert (out["rowCount"], back["rowCount"]) == (1000, 1000)
    assert local.text(str(out["uri"])).splitlines()[:2] == ["id;name", "1;tenant 1"]


def test_copy_says_where_a_file_is_wrong(local: LocalContext, url: str) -> None:
    uri = local.put("1,a\nx,b\n")

    told = local.run(
        "sql.copy_in", {"url": url, "table": "tenant", "columns": ["id", "name"], "format": "CSV", "from": uri}
    )

    assert told.failure is not None
    assert "line 2, column id" in str(told.failure["message"])


def test_a_jdbc_address_reaches_the_same_database(local: LocalContext, url: str) -> None:
    options = conninfo_to_dict(url)
    jdbc = f"jdbc:postgresql://{options.get('host')}:{options.get('port')}/{options['dbname']}?currentSchema=public"
    if str(options.get("host")).startswith("/"):
        pytest.skip("JDBC has no form for a socket's folder")
    login = {"username": options.get("user"), "password": options.get("password")}

    outputs = ok(
        local.run(
            "io.kestra.plugin.jdbc.postgresql.Query", {"url": jdbc, **login, "sql": "SELECT 1 AS one", "fetchOne": True}
        )
    )

    assert outputs["row"] == {"one": 1}


def test_an_unreachable_database_is_told_without_its_password(local: LocalContext) -> None:
    url = f"postgresql://user:{quote('p@ss word')}@127.0.0.1:1/none"

    told = local.run("sql.query", {"url": url, "sql": "SELECT 1"})

    assert told.failure is not None
    assert "cannot be reached" in str(told.failure["message"])
    assert "p@ss" not in str(told.failure["message"])


def test_a_server_is_asked_to_end_what_nobody_waits_for(local: LocalContext, url: str) -> None:
    sql = """
      SELECT current_setting('client_connection_check_interval') AS looks, current_setting('application_name') AS who
    """

    row = ok(local.run("sql.query", {"url": url, "sql": sql, "fetchType": "FETCH_ONE"}))["row"]

    assert row == {"looks": "1s", "who": "penstock local/local"}


def test_a_key_is_no_output(local: LocalContext, url: str) -> None:
    given = {"url": url, "sql": "SELECT 1", "sslMode": "disable", "sslKey": "a key", "outputFiles": ["**"]}

    outputs = ok(local.run("sql.query", {**given, "inputFiles": {"mine.pem": "x"}}))

    assert isinstance(outputs["outputFiles"], dict)
    assert list(outputs["outputFiles"]) == ["mine.pem"]


def test_a_failure_in_the_middle_of_a_stream_is_told_in_the_databases_words(local: LocalContext, url: str) -> None:
    sql = "SELECT 1 / (5000 - i) AS n FROM generate_series(1, 10000) i"

    told = local.run("sql.query", {"url": url, "sql": sql, "fetchType": "STORE"})

    assert told.failure is not None
    assert told.failure["message"] == "division by zero (22012)"
