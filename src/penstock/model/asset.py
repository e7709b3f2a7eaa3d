"""Which data does an attempt read and write? Named by where they are, and by what they are called there."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

# What is the same store by other names, as those who read it from Java write them.
ALIASES: Final = {"s3a": "s3", "s3n": "s3", "s3p": "s3"}


class Access(enum.StrEnum):
    """What is done with data."""

    READS = "reads"
    WRITES = "writes"


class Change(enum.StrEnum):
    """What becomes of data as a whole, beside what they hold."""

    CREATE = "CREATE"
    ALTER = "ALTER"
    DROP = "DROP"
    OVERWRITE = "OVERWRITE"
    RENAME = "RENAME"
    TRUNCATE = "TRUNCATE"


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A yes or no about data: what was looked for (`not_null`), whether it is so, and in which column."""

    name: str
    passed: bool
    column: str = ""


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What more is known of data that are read or written: the type of each column by its name, what becomes of them
    as a whole, which version of them it was (an id of theirs), what was checked of them. `part` names the part of the
    attempt that did it, as it was told of; `sql` is the statement that did it.
    """

    columns: dict[str, str] = {}
    change: Change | None = None
    version: str = ""
    checks: tuple[Check, ...] = ()
    part: str = ""
    sql: str = ""


class Touched(Details, frozen=True, kw_only=True, omit_defaults=True):
    """Data that an attempt has read or written: `namespace` says where they are (`postgres://db:5432`, `s3://bucket`),
    `name` what they are called there; `rows` and `size` (bytes) how much of them it was, where that is known.
    """

    access: Access
    namespace: str
    name: str
    rows: int | None = None
    size: int | None = None


def located(address: str) -> tuple[str, str]:
    """The namespace and the name of data that lie at an address: `s3://bucket` and `a/b` of `s3a://bucket/a/b/`."""
    scheme, there, rest = address.partition("://")
    if not there:
        return "file", address.removeprefix("file:").rstrip("/")
    host, _, path = rest.partition("/")
    if scheme == "file":
        return f"file://{host}" if host else "file", f"/{path}".rstrip("/")
    return f"{ALIASES.get(scheme, scheme)}://{host}", path.strip("/")
