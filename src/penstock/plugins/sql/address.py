"""Which database does an address mean? JDBC's and the databases' own forms, read into one value."""

from __future__ import annotations

import enum
import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from penstock.errors.task import BadAddress
from penstock.plugins.sql.places import Place, semicolons, slashes, thin


class Database(enum.StrEnum):
    """The databases that the SQL task types speak to."""

    POSTGRES = "postgresql"
    REDSHIFT = "redshift"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    CLICKHOUSE = "clickhouse"
    TRINO = "trino"
    SQLSERVER = "sqlserver"
    SNOWFLAKE = "snowflake"
    ORACLE = "oracle"
    VERTICA = "vertica"


class Address(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A database: `options` are libpq's parameters for PostgreSQL and Redshift, `path` the file of SQLite and DuckDB
    (empty: in memory), `place` where one of the others is.
    """

    database: Database
    options: dict[str, str] = {}
    conninfo: str = ""
    path: str = ""
    place: Place = Place()


FORMS: Final = (
    "jdbc:postgresql://host:5432/database, postgresql://user@host/database, jdbc:sqlite:file.db, jdbc:duckdb:file.db, "
    "jdbc:mysql://host:3306/database, jdbc:mariadb://…, jdbc:clickhouse://…, jdbc:trino://host/catalog/schema, "
    "jdbc:sqlserver://host:1433;databaseName=name, jdbc:snowflake://account.snowflakecomputing.com/, "
    "jdbc:oracle:thin:@//host:1521/service, jdbc:redshift://…, jdbc:vertica://…"
)
SCHEMES: Final = {
    "mysql": (Database.MYSQL, slashes),
    "mariadb": (Database.MARIADB, slashes),
    "clickhouse": (Database.CLICKHOUSE, slashes),
    "ch": (Database.CLICKHOUSE, slashes),
    "trino": (Database.TRINO, slashes),
    "snowflake": (Database.SNOWFLAKE, slashes),
    "vertica": (Database.VERTICA, slashes),
    "sqlserver": (Database.SQLSERVER, semicolons),
    "oracle": (Database.ORACLE, thin),
}
JDBC_PARAMETERS: Final = {
    "user": "user",
    "password": "password",
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "connecttimeout": "connect_timeout",
    "logintimeout": "connect_timeout",
    "applicationname": "application_name",
    "options": "options",
    "targetservertype": "target_session_attrs",
    "tcpkeepalive": "keepalives",
}
HIDDEN: Final = "********"
SECRET_OPTION: Final = re.compile(
    r"""((?:password|passwd|pwd|token|secret)\s*=\s*)(?:\{(?:[^}]|\}\})*\}|'(?:[^'\\]|\\.)*'|[^&;\s]*)""", re.IGNORECASE
)
# All from the first colon of who asks to the last @: a password may hold colons, slashes and @ itself.
SECRET_OF_USER: Final = re.compile(r"^(\s*(?:(?:[\w+.-]+:)+//|jdbc:)?[^:@]*:).*@", re.IGNORECASE | re.DOTALL)
SESSION: Final = {"master": "read-write", "primary": "read-write", "secondary": "standby", "any": "any"}


def read_address(url: str) -> Address:
    """Read an address; BadAddress when no database here has that form."""
    text = url.strip()
    bare = text.removeprefix("jdbc:")
    scheme = bare.partition(":")[0].lower()
    match scheme:
        case "postgresql" | "postgres" if text.startswith("jdbc:"):
            return Address(database=Database.POSTGRES, options=_jdbc_postgres(bare))
        case "postgresql" | "postgres":
            return Address(database=Database.POSTGRES, conninfo=text)
        case "redshift":
            if not bare.startswith("redshift://"):
                raise BadAddress("Redshift is reached with a user and a password: jdbc:redshift://host:5439/database.")
            # Its server calls its encoding by a name that libpq's readers do not know.
            options = {"client_encoding": "utf-8", **_jdbc_postgres(bare, "5439")}
            return Address(database=Database.REDSHIFT, options=options)
        case "sqlite" | "duckdb":
            return Address(database=Database(scheme), path=_file_of(bare.partition(":")[2]))
    if scheme in SCHEMES:
        database, read = SCHEMES[scheme]
        return Address(database=database, place=read(bare))
    if re.search(r"\b(host|dbname|service)\s*=", text):
        return Address(database=Database.POSTGRES, conninfo=text)
    raise BadAddress(f'"{_without_secret(url)}" is no address of a database.', hint=f"Known forms: {FORMS}.")


def _jdbc_postgres(bare: str, usual: str = "5432") -> dict[str, str]:
    split = urlsplit(bare)
    where = split.netloc or ""
    name = split.path
    if not split.netloc:
        # jdbc:postgresql:database means this machine.
        name = bare.partition(":")[2].partition("?")[0].removeprefix("//")
    options: dict[str, str] = {}
    if where:
        pairs = [_host_and_port(part, usual) for part in where.rpartition("@")[2].split(",")]
        options["host"] = ",".join(host for host, _ in pairs)
        options["port"] = ",".join(port for _, port in pairs)
    if database := unquote(name.strip("/")):
        options["dbname"] = database
    for given, value in parse_qsl(split.query, keep_blank_values=True):
        key = given.lower()
        if key == "currentschema":
            options["options"] = f"{options.get('options', '')} -c search_path={value}".strip()
        elif key == "ssl":
            options.setdefault("sslmode", "require" if value.lower() in ("", "true") else "prefer")
        elif key == "targetservertype":
            options["target_session_attrs"] = SESSION.get(value.lower(), "any")
        elif key in JDBC_PARAMETERS:
            options[JDBC_PARAMETERS[key]] = value
        # Others steer the Java driver itself (prepareThreshold, rewriteBatchedInserts, …) and mean nothing here.
    return options


def _host_and_port(part: str, usual: str) -> tuple[str, str]:
    match = re.fullmatch(r"\[(?P<v6>[^\]]+)\](?::(?P<p6>\d+))?|(?P<host>[^:]*)(?::(?P<port>\d+))?", part)
    if match is None:
        # What stands there may be part of a password that holds a slash: it is not told.
        raise BadAddress("The address has no host and port where they belong: jdbc:postgresql://host:port/database.")
    return match["v6"] or match["host"] or "localhost", match["p6"] or match["port"] or usual


def _file_of(rest: str) -> str:
    path = rest.partition("?")[0]
    if path.startswith("//"):
        path = path[2:]
    path = path.removeprefix("file:")
    return "" if path in (":memory:", "memory:") else unquote(path)


def _without_secret(url: str) -> str:
    return SECRET_OF_USER.sub(rf"\g<1>{HIDDEN}@", SECRET_OPTION.sub(rf"\g<1>{HIDDEN}", url))
