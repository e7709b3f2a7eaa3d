"""What is told of secrets? Names, versions, who changed them when; their texts go in and never come out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit


class SecretsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which secrets of a namespace a list shows."""

    limit: Limit = 100
    cursor: Cursor = ""


class SecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it may be told of; `version` counts its changes."""

    namespace: str
    name: str
    version: int
    changed: str
    changed_by: str


class SecretPut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret's text; it is never told again."""

    value: Annotated[str, Meta(min_length=1, max_length=262_144)]


class RotateAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How keys are turned."""

    forget: Annotated[
        bool, Meta(description="Whether old master keys go: copies of the store from before cannot be read.")
    ] = False


class KeysTurned(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets were sealed anew, by how many data keys, under which master key; how many of those went."""

    secrets: int
    keys: int
    master: str
    forgotten: int


class BadSecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that cannot be unsealed, and why."""

    namespace: str
    name: str
    why: str


class SecretsVerified(msgspec.Struct, frozen=True, kw_only=True):
    """How many secrets can be unsealed, which cannot, and which master keys seal them."""

    good: int
    bad: tuple[BadSecretRow, ...]
    masters: tuple[str, ...]
