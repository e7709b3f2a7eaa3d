"""Is a script cut where its database ends a statement? Blocks, batches, delimiters of a client, quotes of all kinds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.plugins.sql.address import Database
from penstock.plugins.sql.dialects import DIALECTS
from penstock.plugins.sql.splitting import split
from penstock.plugins.sql.statements import STANDARD, bare

MYSQL = DIALECTS[Database.MARIADB].lexis
TSQL = DIALECTS[Database.SQLSERVER].lexis
SNOWFLAKE = DIALECTS[Database.SNOWFLAKE].lexis
TRINO = DIALECTS[Database.TRINO].lexis

COMPOUND = [
    """CREATE PROCEDURE p(IN n INT)
    BEGIN
      DECLARE done INT DEFAULT 0;
      DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
      IF n > 1 THEN
        SELECT CASE WHEN n > 2 THEN IF(n > 3, 'a', 'b') ELSE REPEAT('c', 2) END;
      ELSEIF EXISTS (SELECT 1) THEN
        SELECT 2;
      END IF;
      CASE n WHEN 1 THEN SELECT 1; ELSE IF n = 2 THEN SELECT 2; END IF; END CASE;
      again: LOOP
        SET n = n - 1;
        IF n < 0 THEN LEAVE again; END IF;
      END LOOP again;
      WHILE n < 3 DO SET n = n + 1; END WHILE;
      REPEAT SET n = n - 1; UNTIL n = 0 END REPEAT;
    END""",
    "CREATE DEFINER=`root`@`localhost` FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN IF(a, 1, 2)",
    "CREATE OR REPLACE DEFINER = root@localhost PROCEDURE IF NOT EXISTS p() IF (1 > 0) THEN SELECT 1; END IF",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF NEW.n < 0 THEN SET NEW.n = 0; END IF",
    "CREATE TRIGGER t BEFORE INSERT ON `if` FOR EACH ROW SET NEW.begin = IF(NEW.end, 1, CASE 1 WHEN 1 THEN 2 END)",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM a; SET @begin = 1, @end = 2; END",
    "CREATE PROCEDURE p() again:LOOP SELECT 1; LEAVE again; END LOOP",
    """CREATE PROCEDURE p()
    BEGIN
      DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
      IF a THEN BEGIN SELECT ';'; END; ELSE IF b THEN SELECT 1; END IF; END IF;
    END""",
    "CREATE PROCEDURE p() BEGIN FOR r IN (SELECT 1 AS n) DO SELECT r.n; END FOR; SELECT 1 FOR UPDATE; END",
    "BEGIN NOT ATOMIC DECLARE x INT DEFAULT 1; IF x THEN SELECT x; END IF; END",
    "IF @a IS NULL THEN SELECT 1; ELSE SELECT 2; END IF",
    "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN"
    " SET NEW.x = 1; END */",
]


@pytest.mark.parametrize("statement", COMPOUND)
def test_a_compound_statement_of_mysql_is_one(statement: str) -> None:
    assert split(f"DELETE FROM a;\n{statement};\nSELECT 1", MYSQL) == ["DELETE FROM a", statement, "SELECT 1"]


@pytest.mark.parametrize(
    "statements",
    [
        ["BEGIN", "INSERT INTO a VALUES (IF(1, 2, 3))", "END", "COMMIT"],
        ["START TRANSACTION", "SELECT CASE WHEN 1 THEN IF(1, 2, 3) END", "COMMIT"],
        ["CREATE TABLE t(id INT, `trigger` INT, begin INT)", "SELECT 1"],
        ["CREATE TABLE event(procedure_name TEXT, begin DATE, `case` INT)", "INSERT INTO event VALUES (1, 2, 3)"],
        ["DROP PROCEDURE IF EXISTS p", "CREATE PROCEDURE IF NOT EXISTS p() SELECT IF(1, 2, 3)", "CALL p()"],
        ["/*!40101 SET NAMES utf8 */", "SELECT 1 /* a /* b */", "SELECT 2"],
        ["SELECT 1 # it's;", "SELECT 2"],
    ],
)
def test_what_is_no_compound_statement_ends_where_it_ends(statements: list[str]) -> None:
    assert [bare(each, MYSQL) for each in split("\n;".join(statements), MYSQL)] == [
        bare(each, MYSQL) for each in statements
    ]


def test_the_client_s_own_delimiter_ends_statements_until_there_is_another() -> None:
    body = "CREATE PROCEDURE p() BEGIN SELECT '//', 4 DIV 2; /* // */ SELECT 2; END"
    text = f"SELECT 1;\nDELIMITER //\n{body}//\nSELECT 3 //\n  delimiter ;\nSELECT 4; SELECT 5"

    assert split(text, MYSQL) == ["SELECT 1", body, "SELECT 3", "SELECT 4", "SELECT 5"]


@pytest.mark.parametrize("mark", ["$$", ";;", "|", "//", "END_OF_IT"])
def test_any_delimiter_will_do(mark: str) -> None:
    body = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.a = 'x'; SET NEW.b = 2; END"

    assert split(f"DELIMITER {mark}\n{body} {mark}\nDELIMITER ;\nSELECT ';'", MYSQL) == [body, "SELECT ';'"]


def test_a_delimiter_is_none_where_it_is_no_line_of_its_own() -> None:
    assert split("SELECT delimiter FROM t; SELECT '\nDELIMITER //\n'; SELECT 1", MYSQL) == [
        "SELECT delimiter FROM t",
        "SELECT '\nDELIMITER //\n'",
        "SELECT 1",
    ]


BATCHED = [
    "IF OBJECT_ID('t') IS NULL BEGIN CREATE TABLE t(id INT); INSERT INTO t VALUES (1); END",
    "IF 1 = 1 SELECT 1; ELSE SELECT 2",
    "IF 1 = 1 BEGIN SELECT 1; END ELSE BEGIN SELECT 2; END",
    "BEGIN TRY BEGIN TRAN; DELETE FROM a; COMMIT; END TRY BEGIN CATCH ROLLBACK; THROW; END CATCH",
    "WHILE (SELECT count(*) FROM [o'clock; END]) > 0 BEGIN DELETE TOP (1) FROM [o'clock; END]; END",
    "SELECT CASE WHEN a = 1 THEN 'x;' ELSE 'y' END AS [case;]",
    "BEGIN TRANSACTION",
    "END CONVERSATION @handle",
]


@pytest.mark.parametrize("statement", BATCHED)
def test_a_block_of_sql_server_is_one(statement: str) -> None:
    assert split(f"DELETE FROM a;\n{statement};\nSELECT 1", TSQL) == ["DELETE FROM a", statement, "SELECT 1"]


def test_go_ends_a_batch_and_says_how_often() -> None:
    text = (
        "CREATE VIEW v AS SELECT 'a\nGO\nb' AS x /*\nGO\n*/\ngo\nSELECT 1; SELECT 2\n  GO 2 -- twice\nSELECT go FROM v"
    )

    assert split(text, TSQL) == [
        "CREATE VIEW v AS SELECT 'a\nGO\nb' AS x /*\nGO\n*/",
        "SELECT 1",
        "SELECT 2",
        "SELECT 1",
        "SELECT 2",
        "SELECT go FROM v",
    ]


@pytest.mark.parametrize(
    "whole",
    [
        "CREATE OR ALTER PROCEDURE p AS SET NOCOUNT ON; SELECT 1; SELECT 2;",
        "ALTER TRIGGER t ON a AFTER INSERT AS DELETE FROM b; SELECT 1",
        "DECLARE @n INT = 1; SELECT @n; SELECT @n + 1",
        "IF 1 = 1 BEGIN DECLARE @n INT = 1; END; SELECT @n",
        "IF 1 = 1 RETURN; DROP TABLE t",
        "SELECT 1; IF 1 = 1 GOTO done; SELECT 2; done: SELECT 3",
    ],
)
def test_what_lasts_to_the_end_of_a_batch_keeps_it_whole(whole: str) -> None:
    assert split(f"SELECT 0\nGO\n{whole}\nGO\nSELECT 9", TSQL) == ["SELECT 0", whole, "SELECT 9"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS DECLARE x INT; BEGIN x := 1; IF (x > 0) THEN RETURN x; "
        "END IF; RETURN CASE x WHEN 1 THEN 2 END; END",
        "BEGIN LET x := 1; FOR r IN c DO x := x + r.n; END FOR; RETURN x; END",
        "DECLARE x INT DEFAULT 1; BEGIN DECLARE y INT; BEGIN RETURN x; END; EXCEPTION WHEN OTHER THEN RETURN 0; END",
        "CREATE TASK t SCHEDULE = '1 minute' AS BEGIN DELETE FROM a; DELETE FROM b; END",
        "EXECUTE IMMEDIATE $$ BEGIN SELECT 1; END; $$",
        "BEGIN TRANSACTION",
        "BEGIN",
    ],
)
def test_a_script_of_snowflake_is_one(statement: str) -> None:
    assert split(f"SELECT 1; {statement}; SELECT 2;", SNOWFLAKE) == ["SELECT 1", statement, "SELECT 2"]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF true THEN RETURN 1; END IF; END $$",
        "DO $body$ BEGIN CASE WHEN true THEN PERFORM 1; END CASE; END; $body$",
        "CREATE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; SELECT 3; END",
        "CREATE FUNCTION f(a int) RETURNS int RETURN CASE a WHEN 1 THEN 2 END",
        "CREATE FUNCTION f(IN begin date, OUT end date) RETURNS date LANGUAGE sql AS 'SELECT 1;'",
        "CREATE PROCEDURE p() BEGIN ATOMIC SELECT begin, t.end FROM t WHERE begin > 1 ORDER BY begin; SELECT 2; END",
        "CREATE FUNCTION begin() RETURNS text LANGUAGE sql AS 'SELECT 1;'",
        "CREATE TABLE t(trigger text, note text DEFAULT 'begin')",
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "SELECT E'\\';' AS \"case;\", $1",
    ],
)
def test_postgresql_s_quotes_and_bodies_stay_whole(statement: str) -> None:
    assert split(f"SELECT 1; {statement}; SELECT 2;", STANDARD) == ["SELECT 1", statement, "SELECT 2"]


SIMPLE = ["SELECT 1", "BEGIN", "SELECT CASE WHEN 1 THEN 'x;' END", "CREATE TABLE t(a INT)", "DROP TABLE IF EXISTS t"]


@given(some.lists(some.sampled_from(COMPOUND + SIMPLE), min_size=1, max_size=6))
def test_nothing_of_a_statement_stays_with_the_next_on_mysql(statements: list[str]) -> None:
    assert split(" ;\n".join(statements), MYSQL) == statements
    assert split("DELIMITER $$\n" + "$$ ".join(statements), MYSQL) == statements


@given(some.lists(some.sampled_from([*BATCHED, *(each for each in SIMPLE if each != "BEGIN")]), min_size=1, max_size=6))
def test_nothing_of_a_statement_stays_with_the_next_on_sql_server(statements: list[str]) -> None:
    assert split(" ;\n".join(statements), TSQL) == statements
    assert split("\nGO\n".join(statements), TSQL) == statements


def test_a_routine_of_trino_is_one_statement() -> None:
    routine = """CREATE FUNCTION f(n bigint) RETURNS bigint
    BEGIN
      DECLARE m bigint DEFAULT 0;
      WHILE m < n DO SET m = m + IF(n > 1, 1, 2); END WHILE;
      IF m > 3 THEN RETURN 3; END IF;
      RETURN m;
    END"""

    assert split(f"{routine};\nSELECT f(1)", TRINO) == [routine, "SELECT f(1)"]
