"""Do the SQL task types do their work on a real MariaDB, through MySQL's driver?"""

from __future__ import annotations

import json
from pathlib import Path

import pymysql
import pytest

from penstock.model.status import Outcome
from penstock.plugins.sql.address import Database
from penstock.plugins.sql.dialects import DIALECTS
from penstock.plugins.sql.names import column, identifier
from penstock.sdk.local import LocalContext, Told
from tests.brokers import Served

SCHEMA = """
CREATE TABLE tenant(
  id int PRIMARY KEY, name varchar(40), active tinyint(1), flag bit(1), price decimal(10, 2), day date,
  seen datetime(6), at time, late time, extra json, raw blob
) ENGINE=InnoDB;
"""


@pytest.fixture
def shop(mariadb: Served) -> dict[str, object]:
    """How a task reaches an empty table `tenant`."""
    with pymysql.connect(host="127.0.0.1", port=mariadb.port, user=mariadb.user, password=mariadb.password) as session:
        session.cursor().execute("DROP DATABASE shop")
        session.cursor().execute("CREATE DATABASE shop")
        session.cursor().execute("USE shop")
        session.cursor().execute(SCHEMA)
    url = f"jdbc:mariadb://127.0.0.1:{mariadb.port}/shop?useSSL=false"
    return {"url": url, "username": mariadb.user, "password": mariadb.password}


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


@pytest.mark.parametrize("name", ["mysql.query", "io.kestra.plugin.jdbc.mariadb.Query", "sql.query"])
def test_a_query_binds_its_parameters(local: LocalContext, shop: dict[str, object], name: str) -> None:
    sql = r"SELECT :n + 1 AS n, ':n' AS said, 'it\'s; 100 %' AS part, :none AS none # and; :n"

    told = local.run(name, {**shop, "sql": sql, "parameters": {"n": 6, "none": None}, "fetchType": "FETCH"})

    assert ok(told) == {"rows": [{"n": 7, "said": ":n", "part": "it's; 100 %", "none": None}], "size": 1}


def test_hostile_text_in_a_parameter_stays_text(local: LocalContext, shop: dict[str, object]) -> None:
    hostile = r"\'); DROP TABLE tenant; -- x"

    told = local.run(
        "mysql.query",
        {**shop, "sql": "INSERT INTO tenant(id, name) VALUES (1, :name)", "parameters": {"name": hostile}},
    )

    assert ok(told) == {"updatedCount": 1}
    kept = local.run("mysql.query", {**shop, "sql": "SELECT name FROM tenant", "fetchOne": True})
    assert ok(kept)["row"] == {"name": hostile}


def test_cells_become_what_json_can_say(local: LocalContext, shop: dict[str, object]) -> None:
    fill = """INSERT INTO tenant VALUES (1, 'a', 1, b'0', 1.50, '2016-01-02', '2016-01-02 03:04:05.5', '03:04:05',
      '-49:00:00', '{"a": 1}', 'ab')"""

    outputs = ok(
        local.run(
            "mysql.queries",
            {**shop, "sql": f"{fill}; SELECT * FROM tenant;", "fetchType": "FETCH_ONE", "timeZoneId": "Europe/Paris"},
        )
    )

    assert outputs["updatedCount"] == 1
    assert outputs["outputs"] == [
        {
            "row": {
                "id": 1,
                "name": "a",
                "active": True,
                "flag": False,
                "price": 1.5,
                "day": "2016-01-02",
                "seen": "2016-01-02T03:04:05.500000+01:00",
                "at": "03:04:05",
                "late": "-P2DT3600S",
                "extra": '{"a": 1}',
                "raw": "YWI=",
            },
            "size": 1,
        }
    ]


def test_a_failing_statement_undoes_those_before_it(local: LocalContext, shop: dict[str, object]) -> None:
    sql = "INSERT INTO tenant(id) VALUES (1); INSERT INTO tenant(id) VALUES (1);"

    whole = local.run("mysql.queries", {**shop, "sql": sql})
    assert "(1062)" in message(whole)
    assert ok(local.run("mysql.query", {**shop, "sql": "SELECT count(*) AS n FROM tenant", "fetchOne": True}))[
        "row"
    ] == {"n": 0}

    local.run("mysql.queries", {**shop, "sql": sql, "transaction": False})
    assert ok(local.run("mysql.query", {**shop, "sql": "SELECT count(*) AS n FROM tenant", "fetchOne": True}))[
        "row"
    ] == {"n": 1}


def test_what_is_done_afterwards_lasts_with_the_query_or_not_at_all(
    local: LocalContext, shop: dict[str, object]
) -> None:
    ok(local.run("mysql.query", {**shop, "sql": "INSERT INTO tenant(id) VALUES (1), (2)"}))
    asked = {**shop, "sql": "SELECT id FROM tenant ORDER BY id", "fetchType": "STORE"}

    failed = local.run("mysql.query", {**asked, "afterSQL": "DELETE FROM tenant; DELETE FROM nowhere"})
    stored = ok(local.run("mysql.query", {**asked, "afterSQL": "DELETE FROM tenant"}))
    left = ok(local.run("mysql.query", asked))

    assert "nowhere" in message(failed)
    assert local.text(str(stored["uri"])) == '{"id":1}\n{"id":2}\n'
    assert (stored["size"], left["size"]) == (2, 0)


def test_a_batch_fills_a_table_chunk_by_chunk(local: LocalContext, shop: dict[str, object]) -> None:
    rows = local.put("".join(json.dumps({"id": n, "name": f"n{n} %s"}) + "\n" for n in range(25)))
    lists = local.put('[100, "x"]\n')

    first = ok(local.run("sql.batch", {**shop, "from": rows, "table": "shop.tenant", "chunk": 10}))
    sql = "INSERT INTO tenant(id, name) VALUES (?, ?)"
    ok(local.run("io.kestra.plugin.jdbc.mysql.Batch", {**shop, "from": lists, "sql": sql}))

    assert first == {"rowCount": 25, "updatedCount": 25}
    asked = {**shop, "sql": "SELECT count(*) AS n, max(name) AS last FROM tenant", "fetchOne": True}
    assert ok(local.run("mysql.query", asked))["row"] == {"n": 26, "last": "x"}


def test_a_procedure_is_made_and_called(local: LocalContext, shop: dict[str, object]) -> None:
    body = """BEGIN
      DECLARE n INT DEFAULT 0;
      fill: WHILE n < 3 DO
        SET n = n + 1;
        IF n = 2 THEN ITERATE fill; END IF;
        INSERT INTO tenant(id, name) VALUES (n, CASE n WHEN 1 THEN IF(n, 'a;', 'b') ELSE REPEAT('c', 2) END);
      END WHILE;
    END"""
    plain = f"CREATE PROCEDURE fill() {body};\nCALL fill();"
    client = (
        f"DROP PROCEDURE fill;\nDELIMITER $$\nCREATE PROCEDURE fill() {body};$$\nDELIMITER ;\nDELETE FROM tenant;\n"
    )

    ok(local.run("mysql.queries", {**shop, "sql": plain}))
    sql = f"{client}CALL fill(); SELECT id, name FROM tenant ORDER BY id"
    outputs = ok(local.run("mysql.queries", {**shop, "sql": sql, "fetchType": "FETCH"}))

    assert outputs["outputs"] == [{"rows": [{"id": 1, "name": "a;"}, {"id": 3, "name": "cc"}], "size": 2}]


def test_a_block_that_stands_alone_is_one_statement(local: LocalContext, shop: dict[str, object]) -> None:
    block = "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 7; IF n > 1 THEN SELECT n; END IF; END"
    sql = f"{block}; /*!40101 SET @n = 2 */; SELECT @n AS n"

    outputs = ok(local.run("mysql.queries", {**shop, "sql": sql, "fetchType": "FETCH_ONE"}))

    assert outputs["outputs"] == [{"row": {"n": 7}, "size": 1}, {"row": {"n": 2}, "size": 1}]


@pytest.mark.parametrize("autocommit", [True, False])
def test_what_a_call_does_after_its_first_rows_counts_too(
    local: LocalContext, shop: dict[str, object], autocommit: bool
) -> None:
    body = "BEGIN SELECT 1 AS n; SELECT 2 AS n; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END"
    ok(local.run("mysql.queries", {**shop, "sql": f"CREATE PROCEDURE p() {body}"}))

    told = local.run("mysql.query", {**shop, "sql": "CALL p()", "fetchType": "FETCH", "autocommit": autocommit})

    assert "not today" in message(told)


def test_names_are_taken_as_they_are(local: LocalContext, shop: dict[str, object], mariadb: Served) -> None:
    words = ["group", "rank", "key", "Order Total"]
    ok(
        local.run(
            "mysql.query",
            {**shop, "sql": "CREATE TABLE `Order`(`group` int, `rank` int, `key` int, `Order Total` int)"},
        )
    )
    row = local.put(json.dumps(dict.fromkeys(words, 1)) + "\n[2, 2, 2, 2]\n")

    ok(local.run("sql.batch", {**shop, "from": row, "table": "shop.Order"}))

    asked = {**shop, "sql": "SELECT sum(`rank`) AS n FROM `Order`", "fetchOne": True}
    assert ok(local.run("mysql.query", asked))["row"] == {"n": 3}


def test_every_word_of_mariadb_can_name_a_table_and_a_column(shop: dict[str, object], mariadb: Served) -> None:
    naming = DIALECTS[Database.MARIADB].naming
    login = {"user": mariadb.user, "password": mariadb.password, "database": "shop"}
    with pymysql.connect(host="127.0.0.1", port=mariadb.port, **login) as session, session.cursor() as cursor:
        cursor.execute("SELECT word FROM information_schema.keywords WHERE word REGEXP '^[A-Z_]+$'")
        for word in [str(row[0]).lower() for row in cursor.fetchall()]:
            cursor.execute(f"CREATE TEMPORARY TABLE {identifier(word, naming)}({column(word, naming)} int)")


def test_a_stored_file_is_loaded_by_name(local: LocalContext, shop: dict[str, object]) -> None:
    sql = "LOAD DATA LOCAL INFILE '@@penstock:here@@/inputFile' INTO TABLE tenant FIELDS TERMINATED BY ',' (id, name)"
    given = {**shop, "sql": sql}

    refused = local.run("mysql.query", given)
    loaded = ok(local.run("mysql.query", {**given, "inputFile": local.put("1,a\n2,b\n")}))

    assert "LOAD DATA LOCAL" in message(refused) or "not allowed" in message(refused)
    assert loaded == {"updatedCount": 2}


def test_a_large_table_is_stored_as_it_is_read(local: LocalContext, shop: dict[str, object]) -> None:
    asked = {**shop, "sql": "SELECT seq, repeat('x', 100) AS text FROM seq_1_to_50000", "fetchType": "STORE"}

    told = ok(local.run("mysql.query", asked))

    assert told["size"] == 50_000
    assert local.path(str(told["uri"])).stat().st_size > 50_000 * 100


def test_who_may_not_come_in_is_told_so(local: LocalContext, shop: dict[str, object], tmp_path: Path) -> None:
    told = local.run("mysql.query", {**shop, "password": "wrong", "sql": "SELECT 1"})
    nobody = local.run("mysql.query", {"url": "jdbc:mysql://127.0.0.1:1/shop", "sql": "SELECT 1"})

    assert "cannot be reached: Access denied" in message(told)
    assert "MySQL cannot be reached" in message(nobody)
