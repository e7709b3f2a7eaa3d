"""Does what an address names arrive at its database's driver? Judged by the drivers themselves, without a server."""

from __future__ import annotations

import base64
import dataclasses
import inspect
from decimal import Decimal
from pathlib import Path

import oracledb
import psycopg.conninfo
import pymssql
import pytest
import trino
from clickhouse_connect.driver.binding import bind_query
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.connection_config import ConnectionConfig
from trino.types import NamedRowTuple

from penstock.errors.task import BadAddress, NotOffered
from penstock.plugins.sql import arguments, cells
from penstock.plugins.sql.address import Database, read_address
from penstock.plugins.sql.arguments import Login
from penstock.plugins.sql.dialects import DIALECTS, der_of, open_sqlserver, open_trino, trino_cells
from penstock.plugins.sql.places import Place
from penstock.plugins.sql.splitting import split
from penstock.plugins.sql.statements import Style, bind, positional
from penstock.sdk.local import LocalContext
from penstock.sdk.task import TaskFailed

NOBODY = Login()


@pytest.mark.parametrize(
    ("url", "database", "place"),
    [
        ("jdbc:mysql://db/shop", Database.MYSQL, Place(host="db", name="shop")),
        (
            "jdbc:mariadb://u:p%40@db:3307/shop?useSSL=true",
            Database.MARIADB,
            Place(host="db", port=3307, name="shop", user="u", password="p@", options={"usessl": "true"}),
        ),
        ("jdbc:clickhouse://db:8123/", Database.CLICKHOUSE, Place(host="db", port=8123)),
        (
            "jdbc:ch:https://db:8443/x",
            Database.CLICKHOUSE,
            Place(host="db", port=8443, name="x", options={"ssl": "true"}),
        ),
        (
            "jdbc:trino://db:8080/lake/gold?user=me",
            Database.TRINO,
            Place(host="db", port=8080, name="lake/gold", user="me"),
        ),
        (
            r"jdbc:sqlserver://db\east:1433;databaseName=shop;user=u;password={a;b}};c};encrypt=true",
            Database.SQLSERVER,
            Place(host=r"db\east", port=1433, name="shop", user="u", password="a;b};c", options={"encrypt": "true"}),
        ),
        ("jdbc:sqlserver://;serverName=db;portNumber=1434", Database.SQLSERVER, Place(host="db", port=1434)),
        (
            "jdbc:snowflake://ab12.eu-west-1.snowflakecomputing.com/?db=SHOP&warehouse=W",
            Database.SNOWFLAKE,
            Place(host="ab12.eu-west-1.snowflakecomputing.com", options={"db": "SHOP", "warehouse": "W"}),
        ),
        ("jdbc:oracle:thin:@//db:1521/shop.x", Database.ORACLE, Place(host="db", port=1521, name="shop.x")),
        ("jdbc:oracle:thin:u/p@db/shop", Database.ORACLE, Place(host="db", name="shop", user="u", password="p")),
        (
            "jdbc:oracle:thin:@db:1521:XE",
            Database.ORACLE,
            Place(descriptor="(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=db)(PORT=1521))(CONNECT_DATA=(SID=XE)))"),
        ),
        (
            "jdbc:oracle:thin:@east?TNS_ADMIN=/wallet",
            Database.ORACLE,
            Place(descriptor="east", options={"tns_admin": "/wallet"}),
        ),
        ("jdbc:oracle:thin:@tcps://db:2484/shop", Database.ORACLE, Place(descriptor="tcps://db:2484/shop")),
        ("jdbc:vertica://db:5433/shop", Database.VERTICA, Place(host="db", port=5433, name="shop")),
    ],
)
def test_an_address_is_read_as_its_driver_writes_it(url: str, database: Database, place: Place) -> None:
    address = read_address(url)

    assert (address.database, address.place) == (database, place)


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:mysql:replication://a,b/shop",
        "jdbc:mysql://a,b:3306/shop",
        "jdbc:mysql://a:port/shop",
        "jdbc:redshift:iam://a/shop",
        "jdbc:oracle:oci:@shop",
        "jdbc:sqlserver://a:b:c;databaseName=x",
    ],
)
def test_what_names_no_single_server_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        read_address(url)


def test_redshift_is_reached_as_postgresql_is() -> None:
    address = read_address("jdbc:redshift://db.eu.redshift.amazonaws.com/shop?ssl=true")

    told = psycopg.conninfo.conninfo_to_dict(psycopg.conninfo.make_conninfo("", **address.options))

    assert told["port"] == "5439"
    assert (told["sslmode"], told["client_encoding"]) == ("require", "utf-8")


def test_oracles_driver_understands_each_form() -> None:
    for url in ("jdbc:oracle:thin:@//db:1522/shop", "jdbc:oracle:thin:@db:1522:shop"):
        given = arguments.oracle(read_address(url).place, Login(username="u"))
        parameters = oracledb.ConnectParams()
        if dsn := given.pop("dsn", ""):
            parameters.parse_connect_string(str(dsn))
        parameters.set(**given)

        assert (parameters.host, parameters.port, parameters.user) == ("db", 1522, "u")
        assert "shop" in (parameters.service_name, parameters.sid)


def test_trinos_driver_takes_catalog_schema_and_proof() -> None:
    url = "jdbc:trino://db:8443/lake/gold?SSL=true&sessionProperties=a:1;b:2&clientTags=x,y"
    given = arguments.trino(read_address(url).place, Login(username="me", password="secret"))

    connection = open_trino(DIALECTS[Database.TRINO].library(), given, NOBODY)

    assert (connection.catalog, connection.schema, connection.user) == ("lake", "gold", "me")
    assert (connection.http_scheme, connection.session_properties) == ("https", {"a": "1", "b": "2"})
    assert connection.auth == trino.auth.BasicAuthentication("me", "secret")
    token = arguments.trino(read_address("jdbc:trino://db:443/lake?accessToken=abc").place, NOBODY)
    assert open_trino(DIALECTS[Database.TRINO].library(), token, NOBODY).auth == trino.auth.JWTAuthentication("abc")


def test_sql_servers_driver_knows_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "jdbc:sqlserver://db:1444;databaseName=shop;encrypt=true"
    known = set(inspect.signature(pymssql.connect).parameters)

    strict = arguments.sqlserver(read_address(url).place, Login(username="u"))
    trusting = arguments.sqlserver(read_address(f"{url};trustServerCertificate=true").place, NOBODY)
    plain = arguments.sqlserver(read_address("jdbc:sqlserver://db").place, NOBODY)

    assert set(strict) - {"freetds"} <= known
    assert (strict["server"], strict["port"], strict["encryption"]) == ("db", "1444", "require")
    assert "check certificate hostname = yes" in str(strict["freetds"])
    assert (trusting["encryption"], trusting["freetds"], plain["encryption"]) == ("require", "", "off")
    with pytest.raises(NotOffered):
        arguments.sqlserver(read_address(url).place, Login(more={"trust_store": "/x.jks"}))
    monkeypatch.setenv("FREETDSCONF", "")
    with pytest.raises(pymssql.Error):
        open_sqlserver(pymssql, {**plain, "server": "127.0.0.1", "port": "1"}, Login(workdir=str(tmp_path)))
    assert (tmp_path / "freetds.conf").is_file()


def test_snowflakes_driver_knows_what_it_is_given() -> None:
    more = {"warehouse": "W", "role": "R", "query_tag": "t"}
    place = read_address("jdbc:snowflake://ab12.snowflakecomputing.com/?db=SHOP&schema=S").place

    given = arguments.snowflake(place, Login(username="u", password="p", more=more))

    assert (given["account"], given["database"], given["warehouse"]) == ("ab12", "SHOP", "W")
    assert given["session_parameters"] == {"QUERY_TAG": "t"}
    assert set(given) <= {field.name for field in dataclasses.fields(ConnectionConfig)}


def test_a_private_key_is_taken_with_and_without_its_frame() -> None:
    key = rsa.generate_private_key(65537, 2048)
    locked = serialization.BestAvailableEncryption(b"open it")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()
    plain = serialization.NoEncryption()
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)

    assert der_of(pem, "open it") == der
    assert der_of(base64.b64encode(der).decode(), "") == der
    with pytest.raises(TaskFailed, match="wrong password"):
        der_of(pem, "no")


def test_mysqls_driver_is_told_how_to_judge_certificates() -> None:
    def given(query: str) -> dict[str, object]:
        return arguments.mysql(read_address(f"jdbc:mysql://db/shop?{query}").place, NOBODY)

    assert given("useSSL=false")["ssl_disabled"] is True
    assert "ssl" not in given("") and "ssl_disabled" not in given("")
    assert getattr(given("sslMode=REQUIRED")["ssl"], "check_hostname", None) is False
    assert getattr(given("sslMode=VERIFY_IDENTITY")["ssl"], "check_hostname", None) is True
    assert given("connectTimeout=1500")["connect_timeout"] == 2


def test_clickhouses_driver_writes_values_as_text_that_stays_text() -> None:
    dialect = DIALECTS[Database.CLICKHOUSE]
    text = bind("SELECT :name, '100 %', ':name'", {"name": "x"}, dialect.style, dialect.lexis)

    written, _ = bind_query(text, {"name": "it's; \\"})

    assert written == r"SELECT 'it\'s; \\', '100 %', ':name'"


@pytest.mark.parametrize(
    "url", ["jdbc:clickhouse://127.0.0.1:1/x", "jdbc:vertica://127.0.0.1:1/x", "jdbc:oracle:thin:@//127.0.0.1:1/x"]
)
def test_a_server_that_is_not_there_is_told(local: LocalContext, url: str) -> None:
    told = local.run("sql.query", {"url": url, "username": "u", "password": "p", "sql": "SELECT 1"})

    assert told.failure is not None
    assert "cannot be reached" in str(told.failure["message"])


def test_a_named_row_of_trino_becomes_a_map() -> None:
    row = NamedRowTuple([1, Decimal("2.50")], ["a", "b"], ["integer", "decimal(4, 2)"])
    (convert,) = trino_cells([("r", "row(a integer, b decimal(4, 2))")], Place())

    assert convert is not None
    assert cells.cell(convert(row), None) == {"a": 1, "b": 2.5}


def test_parameters_are_written_as_each_driver_wants_them() -> None:
    assert bind("SELECT :a, :b, :a", {"a": 1, "b": 2}, Style.QMARK) == "SELECT ?, ?, ?"
    assert bind("SELECT :a", {"a": 1}, Style.NUMBERED) == "SELECT :a"
    assert positional("INSERT INTO t VALUES (?, '?', ?)", Style.NUMBERED) == "INSERT INTO t VALUES (:1, '?', :2)"


def test_words_of_one_database_are_read_as_it_reads_them() -> None:
    mysql, oracle = DIALECTS[Database.MYSQL].lexis, DIALECTS[Database.ORACLE].lexis
    block = "DECLARE n int; BEGIN n := 1; END;"

    assert split(r"SELECT 'it\'s;'; SELECT 5--3 # ;", mysql) == [r"SELECT 'it\'s;'", "SELECT 5--3 # ;"]
    assert split(f"DELETE FROM t;\n{block}\n/\nSELECT 1 FROM dual;", oracle) == [
        "DELETE FROM t",
        block,
        "SELECT 1 FROM dual",
    ]


@pytest.mark.parametrize(
    ("said", "verified"), [("", True), ("FULL", True), ("CA", True), ("ca", True), ("NONE", False)]
)
def test_only_none_turns_the_look_at_trinos_certificate_off(said: str, verified: bool) -> None:
    place = read_address(f"jdbc:trino://db:8443/lake?SSL=true&SSLVerification={said}").place

    assert arguments.trino(place, NOBODY)["verify"] is verified
