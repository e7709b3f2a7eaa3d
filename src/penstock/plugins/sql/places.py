"""Which server and which database does a JDBC address name? Each driver writes it in a way of its own."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from penstock.errors.task import BadAddress

TRUE: Final = ("", "true", "1", "yes", "on")
THIN: Final = re.compile(
    r"oracle:thin:(?P<user>[^/@:]*)(?:/(?P<password>[^@]*))?@(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)
ORACLE_SERVICE: Final = re.compile(
    r"(?P<host>\[[^\]]+\]|[^:/?()]+)(?::(?P<port>\d+))?(?:/(?P<name>[^:/?]+)(?::[^/?]*)?(?:/[^?]*)?)?", re.DOTALL
)
ORACLE_SID: Final = re.compile(r"(?P<host>[^:/?()]+):(?P<port>\d+):(?P<sid>[^:/?]+)")


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A database on a server; port 0 is the database's own. `options` are the driver's, their names in lower case;
    `descriptor` is Oracle's own way to say all of it.
    """

    host: str = ""
    port: int = 0
    name: str = ""
    user: str = ""
    password: str = ""
    options: dict[str, str] = {}
    descriptor: str = ""

    def option(self, *names: str) -> str:
        """The first of these options that is given."""
        return next((self.options[name.lower()] for name in names if name.lower() in self.options), "")

    def says(self, *names: str) -> bool:
        """Whether the first of these options that is given says yes."""
        return next(
            (self.options[name.lower()].lower() in TRUE for name in names if name.lower() in self.options), False
        )


def slashes(bare: str) -> Place:
    """`scheme://user:password@host:port/name?option=value`, as most write it."""
    split = urlsplit(re.sub(r"^(?:ch|clickhouse):(?=https?://)", "", bare))
    if not split.netloc or "," in split.netloc or "(" in split.netloc:
        raise BadAddress("An address names one server here: scheme://host:port/database.")
    try:
        host, port = split.hostname or "", split.port or 0
    except ValueError:
        raise BadAddress("The port of the address is no number.") from None
    pairs = parse_qsl(split.query, keep_blank_values=True)
    options = {name.lower(): value for name, value in pairs}
    if split.scheme == "https":
        options.setdefault("ssl", "true")
    return Place(
        host=host,
        port=port,
        name=unquote(split.path.strip("/")),
        user=unquote(split.username or "") or options.pop("user", ""),
        password=unquote(split.password or "") or options.pop("password", ""),
        options=options,
    )


def semicolons(bare: str) -> Place:
    r"""`sqlserver://host\instance:port;name=value;…`; a value in braces may hold `;`."""
    head, _, rest = bare.partition("://")[2].partition(";")
    pairs = re.findall(r"([^=;]+)=(\{(?:[^}]|\}\})*\}|[^;]*)", rest)
    options = {name.strip().lower(): _unbraced(value) for name, value in pairs}
    match = re.fullmatch(r"(?P<host>\[[^\]]+\]|[^:/]*)(?::(?P<port>\d+))?/?", head)
    if match is None:
        raise BadAddress("SQL Server's address is jdbc:sqlserver://host:port;databaseName=name.")
    host, port = match["host"] or options.pop("servername", options.pop("server", "")), match["port"]
    if instance := options.pop("instancename", ""):
        host = rf"{host}\{instance}"
    return Place(
        host=host.strip("[]"),
        port=int(port or options.pop("portnumber", options.pop("port", "0")) or 0),
        name=options.pop("databasename", options.pop("database", "")),
        user=options.pop("user", options.pop("username", "")),
        password=options.pop("password", ""),
        options=options,
    )


def thin(bare: str) -> Place:
    """`oracle:thin:@//host:port/service`, `@host:port:sid`, `@tcps://…`, `@(DESCRIPTION=…)`, `@alias?TNS_ADMIN=…`."""
    match = THIN.fullmatch(bare)
    if match is None:
        raise BadAddress("Oracle's address is jdbc:oracle:thin:@//host:port/service.")
    rest, _, query = match["rest"].partition("?") if not match["rest"].startswith("(") else (match["rest"], "", "")
    found = Place(
        user=match["user"],
        password=match["password"] or "",
        options={name.lower(): value for name, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True)},
    )
    scheme, parted, place = rest.partition("://")
    if not parted:
        scheme, place = "tcp", rest.removeprefix("//")
    if sid := ORACLE_SID.fullmatch(place):
        said = f"(CONNECT_DATA=(SID={sid['sid']}))"
        address = f"(ADDRESS=(PROTOCOL={scheme.upper()})(HOST={sid['host']})(PORT={sid['port']}))"
        return msgspec.structs.replace(found, descriptor=f"(DESCRIPTION={address}{said})")
    service = ORACLE_SERVICE.fullmatch(place)
    if scheme.lower() == "tcp" and service is not None and (service["name"] or service["port"]):
        port = int(service["port"] or 0)
        return msgspec.structs.replace(found, host=service["host"], port=port, name=service["name"] or "")
    return msgspec.structs.replace(found, descriptor=rest)


def _unbraced(value: str) -> str:
    return value[1:-1].replace("}}", "}") if value.startswith("{") and value.endswith("}") else value.strip()
