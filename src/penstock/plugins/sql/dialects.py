"""In what do the databases differ whose drivers follow Python's DB-API? One row each."""

from __future__ import annotations

import base64
import contextlib
import datetime
import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from penstock.errors.task import MissingExtra
from penstock.plugins.sql import arguments, clickhouse, ending
from penstock.plugins.sql.address import Database
from penstock.plugins.sql.arguments import Arguments, Login
from penstock.plugins.sql.names import USUAL, Naming
from penstock.plugins.sql.places import Place
from penstock.plugins.sql.reserved import RESERVED_BY_ORACLE, RESERVED_BY_SNOWFLAKE
from penstock.plugins.sql.statements import STANDARD, Grammar, Lexis, Style
from penstock.sdk.task import TaskFailed

Convert = Callable[[Any], object]
BACKTICKS: Final = Naming("`")
CHANGES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


def as_it_is(library: Any, connection: Any, size: int) -> Any:
    """A cursor whose rows come as they are read, where the driver does so by itself."""
    cursor = connection.cursor()
    with contextlib.suppress(AttributeError):
        cursor.arraysize = size
    return cursor


def unchanged(description: Sequence[Any], place: Place) -> list[Convert | None]:
    """No cell needs a closer look."""
    return []


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """A database by its driver: what it is called, what it wants, how it writes parameters, what its cells mean.

    `changes`: statements that answer with a row of counts, which is no row. `transactions`: whether it has any.
    `several`: whether a statement may answer more than once; all of it must be taken, or it is broken off or fails
    unheard. `ending`: what to do before our end, of a server that would go on with a statement.
    """

    title: str
    module: str
    extra: str
    arguments: Callable[[Place, Login], Arguments]
    style: Style
    lexis: Lexis = STANDARD
    naming: Naming = USUAL
    transactions: bool = True
    changes: frozenset[str] = frozenset()
    several: bool = False
    connect: Callable[[Any, Arguments, Login], Any] = lambda library, given, login: library.connect(**given)
    cursor: Callable[[Any], Any] = lambda connection: connection.cursor()
    reading: Callable[[Any, Any, int], Any] = as_it_is
    cells: Callable[[Sequence[Any], Place], list[Convert | None]] = unchanged
    ending: Callable[[Any, Any, Arguments], Callable[[], None]] | None = None

    def library(self) -> Any:
        """The driver; MissingExtra when it is not installed."""
        try:
            return importlib.import_module(self.module)
        except ImportError:
            raise MissingExtra(
                f"{self.title} needs the package {PACKAGES[self.extra]}.",
                hint=f"Install it with `pip install 'penstock[{self.extra}]'`.",
            ) from None


PACKAGES: Final = {
    "mysql": "PyMySQL",
    "clickhouse": "clickhouse-connect",
    "trino": "trino",
    "sqlserver": "pymssql",
    "snowflake": "snowflake-connector-python",
    "oracle": "oracledb",
    "vertica": "vertica-python",
}


def unbuffered(library: Any, connection: Any, size: int) -> Any:
    """PyMySQL's cursor that leaves the rest of the rows on the server."""
    return connection.cursor(importlib.import_module("pymysql.cursors").SSCursor)


def mysql_cells(description: Sequence[Any], place: Place) -> list[Convert | None]:
    """Booleans, which MySQL keeps as TINYINT(1) or BIT(1), and times of day."""
    kinds = importlib.import_module("pymysql.constants.FIELD_TYPE")
    says_no = place.option("tinyInt1isBit", "transformedBitIsBoolean").lower() == "false"

    def convert(column: Sequence[Any]) -> Convert | None:
        kind, width = column[1], column[3]
        if kind == kinds.TINY and width == 1 and not says_no:
            return bool
        if kind == kinds.BIT and width == 1:
            return lambda value: value != b"\x00"
        return time_of_day if kind == kinds.TIME else None

    return [convert(column) for column in description]


def time_of_day(value: datetime.timedelta) -> object:
    """A time of day; a span beyond that stays one."""
    if datetime.timedelta(0) <= value < datetime.timedelta(days=1):
        return (datetime.datetime.min + value).time()
    return value


def open_trino(library: Any, given: Arguments, login: Login) -> Any:
    """Connect with the kind of proof that there is: a password, a token, none."""
    proofs = importlib.import_module("trino.auth")
    match given.pop("auth", None):
        case (user, password):
            given["auth"] = proofs.BasicAuthentication(user, password)
        case str() as token:
            given["auth"] = proofs.JWTAuthentication(token)
    return library.connect(**given)


def open_sqlserver(library: Any, given: Arguments, login: Login) -> Any:
    """Connect, with FreeTDS told how to judge certificates."""
    rules = str(given.pop("freetds", ""))
    os.environ["FREETDSCONF"] = arguments.freetds(rules, login.workdir)
    return library.connect(**given)


def open_snowflake(library: Any, given: Arguments, login: Login) -> Any:
    """Connect; a private key is handed on as the driver wants it, in DER."""
    phrase = str(given.pop("private_key_password", ""))
    if text := str(given.pop("private_key", "")):
        given["private_key"] = der_of(text, phrase)
    return library.connect(**given)


def der_of(text: str, phrase: str) -> bytes:
    """A private key in DER, of PEM or of what stands between PEM's first and last line."""
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    secret = phrase.encode() or None
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), secret)
        else:
            key = serialization.load_der_private_key(base64.b64decode("".join(text.split())), secret)
    except (ValueError, TypeError):
        raise TaskFailed("The private key cannot be read: no PKCS #8, or a wrong password.") from None
    plain = serialization.NoEncryption()
    written: bytes = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
    return written


def open_oracle(library: Any, given: Arguments, login: Login) -> Any:
    """Connect; numbers keep their digits, and large objects come as what they hold."""
    library.defaults.fetch_decimals = True
    library.defaults.fetch_lobs = False
    connection = library.connect(**given)
    connection.autocommit = login.autocommit
    return connection


def oracle_cursor(library: Any, connection: Any, size: int) -> Any:
    """A cursor that fetches many rows at once."""
    cursor = connection.cursor()
    cursor.arraysize = cursor.prefetchrows = min(size, 10_000)
    return cursor


def trino_cells(description: Sequence[Any], place: Place) -> list[Convert | None]:
    """A ROW has names: it becomes a map."""
    return [as_map if str(column[1]).lower().startswith("row") else None for column in description]


def as_map(value: Any) -> object:
    """A named row as a map, by the names that the driver keeps; as it is without."""
    names = getattr(value, "__annotations__", {}).get("names")
    return dict(zip(names, value, strict=True)) if names and all(names) else value


DIALECTS: Final[dict[Database, Dialect]] = {
    Database.MYSQL: Dialect(
        title="MySQL",
        module="pymysql",
        extra="mysql",
        arguments=arguments.mysql,
        style=Style.PYFORMAT,
        lexis=Lexis(backslash=True, hash_comments=True, grammar=Grammar.CLIENT),
        naming=BACKTICKS,
        reading=unbuffered,
        several=True,
        cells=mysql_cells,
        ending=ending.of_mysql,
    ),
    Database.CLICKHOUSE: Dialect(
        title="ClickHouse",
        module="clickhouse_connect.dbapi",
        extra="clickhouse",
        arguments=arguments.clickhouse,
        style=Style.PYFORMAT,
        lexis=clickhouse.LEXIS,
        naming=BACKTICKS,
        transactions=False,
        cursor=clickhouse.cursor,
        reading=clickhouse.reading,
    ),
    Database.TRINO: Dialect(
        title="Trino",
        module="trino.dbapi",
        extra="trino",
        arguments=arguments.trino,
        style=Style.QMARK,
        transactions=False,
        changes=CHANGES | {"CREATE", "DROP", "ALTER", "SET", "RESET", "USE", "CALL", "GRANT", "REVOKE", "ANALYZE"},
        connect=open_trino,
        cells=trino_cells,
    ),
    Database.SQLSERVER: Dialect(
        title="SQL Server",
        module="pymssql",
        extra="sqlserver",
        arguments=arguments.sqlserver,
        style=Style.PYFORMAT,
        lexis=Lexis(grammar=Grammar.BATCHES),
        naming=Naming("[]"),
        several=True,
        connect=open_sqlserver,
    ),
    Database.SNOWFLAKE: Dialect(
        title="Snowflake",
        module="snowflake.connector",
        extra="snowflake",
        arguments=arguments.snowflake,
        style=Style.QMARK,
        lexis=Lexis(backslash=True, grammar=Grammar.SCRIPTS),
        naming=Naming(reserved=RESERVED_BY_SNOWFLAKE),
        changes=CHANGES,
        connect=open_snowflake,
    ),
    Database.ORACLE: Dialect(
        title="Oracle",
        module="oracledb",
        extra="oracle",
        arguments=arguments.oracle,
        style=Style.NUMBERED,
        lexis=Lexis(grammar=Grammar.SLASHES),
        naming=Naming(reserved=RESERVED_BY_ORACLE),
        connect=open_oracle,
        reading=oracle_cursor,
    ),
    Database.VERTICA: Dialect(
        title="Vertica",
        module="vertica_python",
        extra="vertica",
        arguments=arguments.vertica,
        style=Style.QMARK,
        changes=CHANGES,
    ),
}
DIALECTS[Database.MARIADB] = msgspec.structs.replace(DIALECTS[Database.MYSQL], title="MariaDB")
