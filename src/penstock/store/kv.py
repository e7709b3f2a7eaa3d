"""Which values do flows keep for each other? By namespace and key, with an expiry where one was given."""

from __future__ import annotations

import msgspec

from penstock.store import codec
from penstock.store.port import Row, Tx


class Entry(msgspec.Struct, frozen=True):
    """A kept value; `version` counts its changes."""

    namespace: str
    key: str
    value: object
    expires_at: int | None
    version: int
    changed_at: int


def get(tx: Tx, namespace: str, key: str, now: int) -> Entry | None:
    """Give a value that has not expired."""
    row = tx.one("kv.get", namespace=namespace, key=key, now=now)
    return _entry(row) if row else None


def set_value(
    tx: Tx, namespace: str, key: str, value: object, *, now: int, expires_at: int | None = None, overwrite: bool = True
) -> int | None:
    """Keep a value and give its version; without `overwrite` nothing is done, and nothing given, where one stands."""
    row: dict[str, object] = {"value": codec.text(value), "expires_at": expires_at, "now": now}
    done = tx.one("kv.set" if overwrite else "kv.set_new", namespace=namespace, key=key, **row)
    return codec.number(done[0]) if done else None


def delete(tx: Tx, namespace: str, key: str, now: int) -> bool:
    """Remove a value; False when there was none."""
    return tx.run("kv.delete", namespace=namespace, key=key, now=now) == 1


def list_values(tx: Tx, namespace: str, now: int, prefix: str = "") -> list[Entry]:
    """Give a namespace's values whose keys begin with `prefix`, by key."""
    return [_entry(row) for row in tx.all("kv.list", namespace=namespace, prefix=f"{codec.like(prefix)}%", now=now)]


def page(tx: Tx, namespace: str, now: int, limit: int, *, prefix: str = "", after: str = "") -> list[Entry]:
    """Give so many of a namespace's values behind a key, by key, whose keys begin with `prefix`."""
    asked = {"prefix": f"{codec.like(prefix)}%", "after": after, "now": now, "limit": limit}
    return [_entry(row) for row in tx.all("kv.page", namespace=namespace, **asked)]


def expire(tx: Tx, now: int) -> int:
    """Remove values past their day, and tell how many."""
    return tx.run("kv.expire", now=now)


def _entry(row: Row) -> Entry:
    namespace, key, value, expires_at, version, changed_at = row
    number, at = codec.number(version), codec.number(changed_at)
    return Entry(str(namespace), str(key), codec.anything(value), codec.maybe(expires_at), number, at)
