"""Which server does an address mean, and which schema of its database? What libpq does not know is taken out of it."""

from __future__ import annotations

import re
import zlib
from typing import Final
from urllib.parse import unquote

import msgspec

from penstock.errors.store import StoreError

SCHEMA: Final = "schema"
NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
PUBLIC: Final = "public"
WRITES: Final = "target_session_attrs=read-write"


class Address(msgspec.Struct, frozen=True):
    """A database as libpq finds it, and the schema in it that was asked for; empty: where the server puts us."""

    dsn: str
    schema: str


def read(text: str) -> Address:
    """Read `postgresql://user@host/database?schema=team&sslmode=…`; of several hosts the one is meant that writes."""
    base, _, query = text.partition("?")
    asked = [each for each in query.split("&") if each]
    named = [unquote(each.partition("=")[2]) for each in asked if each.partition("=")[0] == SCHEMA]
    rest = [each for each in asked if each.partition("=")[0] != SCHEMA]
    schema = named[-1] if named else ""
    if schema and not NAME.fullmatch(schema):
        raise StoreError(
            f'A store cannot be in a schema "{schema}".',
            hint="Its name is made of small letters, digits and _, and begins with no digit and not with pg_.",
        )
    if _several(base, rest) and not any(each.startswith("target_session_attrs=") for each in rest):
        rest.append(WRITES)
    return Address(f"{base}?{'&'.join(rest)}" if rest else base, schema)


def own(schema: str, lock: int) -> str:
    """The arguments of an advisory lock that each schema of a database has for itself."""
    return str(lock) if schema == PUBLIC else f"{lock}, {_number(schema)}"


def channel(schema: str) -> str:
    """The name under which those are woken who work in a schema."""
    return "penstock_wake" if schema == PUBLIC else f"penstock_wake_{zlib.crc32(schema.encode()):08x}"


def _number(schema: str) -> int:
    """A whole number of four bytes, as the server takes them."""
    return zlib.crc32(schema.encode()) - (1 << 31)


def _several(base: str, asked: list[str]) -> bool:
    hosts = base.partition("://")[2].rpartition("@")[2].partition("/")[0]
    return "," in hosts or any(each.startswith(("host=", "hostaddr=")) and "," in unquote(each) for each in asked)
