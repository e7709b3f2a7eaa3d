"""What does each database's driver want to be told, so that it reaches the server that an address names?"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import msgspec

from penstock.errors.task import NotOffered
from penstock.plugins.sql.places import Place

APPLICATION: Final = "penstock"
SNOWFLAKE: Final = ".snowflakecomputing.com"
# What JDBC's drivers call TLS that is wanted, TLS with a certificate that we must know, and that is this server's.
WANTED: Final = ("required", "require", "trust")
KNOWN: Final = ("verify_ca", "verify-ca")
EXACT: Final = ("verify_identity", "verify-full", "verify_full")
Arguments = dict[str, object]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how; `more` are properties that only one database's tasks have. `workdir` is the task's folder."""

    username: str = ""
    password: str = ""
    autocommit: bool = False
    more: dict[str, str] = {}
    workdir: str = "."


def mysql(place: Place, login: Login) -> Arguments:
    """PyMySQL."""
    given = {
        **_who(place, login, "user"),
        "host": place.host,
        "port": place.port or 3306,
        "database": place.name or None,
        "charset": "utf8mb4",
        "autocommit": login.autocommit,
        "local_infile": bool(login.more.get("input_file")),
        "program_name": APPLICATION,
    }
    if limit := _seconds(place, "connectTimeout", 0.001):
        given["connect_timeout"] = limit
    mode = place.option("sslMode").lower()
    if mode in ("disabled", "disable") or place.option("useSSL").lower() == "false":
        given["ssl_disabled"] = True
    elif mode in EXACT or mode in KNOWN or (not mode and place.says("verifyServerCertificate")):
        context = ssl.create_default_context(cafile=place.option("serverSslCert", "sslCa") or None)
        context.check_hostname = mode in EXACT
        given["ssl"] = context
    elif mode in WANTED or place.says("requireSSL", "useSSL"):
        given["ssl"] = _trusting()
    return given


def clickhouse(place: Place, login: Login) -> Arguments:
    """clickhouse-connect, which speaks HTTP as JDBC's driver does."""
    secure = place.says("ssl")
    return {
        **_who(place, login, "username"),
        "host": place.host,
        "port": place.port or (8443 if secure else 8123),
        "database": place.name or place.option("database") or "default",
        "secure": secure,
        "verify": place.option("sslmode").lower() != "none",
        "client_name": APPLICATION,
        # A warm process asks for many tasks: none of them waits for another's session.
        "autogenerate_session_id": False,
    }


def trino(place: Place, login: Login) -> Arguments:
    """trino; `auth` is a pair of user and password, or a token, for the one who opens the connection."""
    catalog, _, schema = place.name.partition("/")
    who = _who(place, login, "user")
    secure = place.says("SSL") or place.port == 443
    given: Arguments = {
        "host": place.host,
        "port": place.port or (443 if secure else 80),
        "user": who.get("user", APPLICATION),
        "http_scheme": "https" if secure else "http",
        # `CA` asks for less than its driver can do: the name of the host is looked at, too, rather than nothing.
        "verify": place.option("SSLTrustStorePath") or place.option("SSLVerification").upper() != "NONE",
        "source": place.option("source") or APPLICATION,
    }
    for name, value in {
        "catalog": catalog,
        "schema": schema,
        "timezone": place.option("timezone"),
        "session_properties": _pairs(place.option("sessionProperties")),
        "roles": _pairs(place.option("roles")),
        "client_tags": [tag for tag in place.option("clientTags").split(",") if tag],
        "auth": place.option("accessToken") or ((who.get("user"), who["password"]) if "password" in who else ""),
    }.items():
        if value:
            given[name] = value
    return given


def sqlserver(place: Place, login: Login) -> Arguments:
    """pymssql, whose library reads how a certificate is judged from a file: `FREETDSCONF`."""
    encrypt = (login.more.get("encrypt") or place.option("encrypt") or "false").lower()
    trusts = (login.more.get("trust_server_certificate") or place.option("trustServerCertificate")).lower() == "true"
    wanted = encrypt in ("true", "yes", "strict", "mandatory")
    refused = [
        name
        for name in ("trust_store", "host_name_in_certificate")
        if login.more.get(name) or place.option(name.replace("_", ""))
    ]
    if refused and wanted and not trusts:
        raise NotOffered(
            "A trust store of Java's, or another name in a certificate, cannot be named here.",
            hint="Let the system know the certificate's authority.",
        )
    given = {
        **_who(place, login, "user"),
        "server": place.host or "localhost",
        "port": str(place.port or 1433),
        "database": place.name,
        "appname": place.option("applicationName") or APPLICATION,
        "autocommit": login.autocommit,
        "encryption": "require" if wanted else "off" if encrypt == "false" else "request",
        "use_datetime2": True,
        "freetds": "[global]\n    ca file = system\n    check certificate hostname = yes\n"
        if wanted and not trusts
        else "",
    }
    if limit := _seconds(place, "loginTimeout", 1):
        given["login_timeout"] = limit
    return given


def snowflake(place: Place, login: Login) -> Arguments:
    """snowflake-connector-python; parameters are bound by the server."""
    more = login.more
    given: Arguments = {
        **_who(place, login, "user"),
        "account": place.option("account") or place.host.removesuffix(SNOWFLAKE),
        "autocommit": login.autocommit,
        "paramstyle": "qmark",
        "application": APPLICATION,
        "client_session_keep_alive": False,
    }
    if place.host and not place.host.endswith(SNOWFLAKE):
        given.update(host=place.host, port=place.port or 443)
    chosen = {
        "database": more.get("database") or place.option("db", "database"),
        "schema": more.get("schema") or place.option("schema"),
        "warehouse": more.get("warehouse") or place.option("warehouse"),
        "role": more.get("role") or place.option("role"),
        "authenticator": place.option("authenticator"),
        "private_key_file": more.get("private_key_file") or place.option("private_key_file"),
        "private_key_file_pwd": more.get("private_key_file_password") or place.option("private_key_file_pwd"),
        "private_key": more.get("private_key", ""),
        "private_key_password": more.get("private_key_password", ""),
    }
    given.update({name: value for name, value in chosen.items() if value})
    if tag := more.get("query_tag") or place.option("query_tag"):
        given["session_parameters"] = {"QUERY_TAG": tag}
    return given


def oracle(place: Place, login: Login) -> Arguments:
    """oracledb in its thin mode, which needs no client of Oracle's."""
    given: Arguments = _who(place, login, "user")
    if folder := place.option("TNS_ADMIN"):
        given.update(config_dir=folder, wallet_location=folder)
    if place.descriptor:
        return {**given, "dsn": place.descriptor}
    return {**given, "host": place.host, "port": place.port or 1521, "service_name": place.name}


def vertica(place: Place, login: Login) -> Arguments:
    """vertica-python; parameters are bound by the server."""
    given: Arguments = {
        **_who(place, login, "user"),
        "host": place.host,
        "port": place.port or 5433,
        "database": place.name,
        "autocommit": login.autocommit,
        "use_prepared_statements": True,
        "session_label": place.option("label") or APPLICATION,
    }
    mode = place.option("TLSmode", "ssl").lower()
    if mode:
        given["tlsmode"] = "require" if mode in ("true", "") else mode.replace("verify_", "verify-")
    if limit := _seconds(place, "loginTimeout", 1):
        given["connection_timeout"] = limit
    return given


def freetds(text: str, folder: str) -> str:
    """Put what FreeTDS reads into a file; gives its path."""
    path = Path(folder) / "freetds.conf"
    path.write_text(text)
    return str(path)


def _who(place: Place, login: Login, name: str) -> Arguments:
    given = {name: login.username or place.user, "password": login.password or place.password}
    return {key: value for key, value in given.items() if value}


def _seconds(place: Place, name: str, unit: float) -> int:
    text = place.option(name)
    return max(1, round(int(text) * unit)) if text.isdigit() and int(text) else 0


def _pairs(text: str) -> dict[str, str]:
    """`name:value;…` (or with commas), as Trino's options have it."""
    parts = [part.partition(":") for part in text.replace(",", ";").split(";") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
