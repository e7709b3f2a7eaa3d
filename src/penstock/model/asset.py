"""Which data does an attempt read and write? Named by where they are, and by what they are called there."""

from __future__ import annotations

import enum

import msgspec


class Access(enum.StrEnum):
    """What is done with data."""

    READS = "reads"
    WRITES = "writes"


class Touched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data that an attempt has read or written: `namespace` says where they are (`postgres://db:5432`, `s3://bucket`),
    `name` what they are called there; `rows` and `size` (bytes) how much of them it was, where that is known.
    """

    access: Access
    namespace: str
    name: str
    rows: int | None = None
    size: int | None = None
