"""What is kept of secrets? Sealed texts, the wrapped keys that seal them, and who changed which name when."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.store import codec
from penstock.store.port import Row, Tx


class Named(msgspec.Struct, frozen=True):
    """A secret as it may be told of; `version` counts its changes."""

    namespace: str
    name: str
    version: int
    changed_at: int
    changed_by: str


class DataKey(msgspec.Struct, frozen=True):
    """A key of a namespace, wrapped by the master key of an id."""

    namespace: str
    number: int
    master: str
    wrapped: str


class InputKey(msgspec.Struct, frozen=True):
    """A key that seals inputs of runs, wrapped by the master key of an id."""

    number: int
    master: str
    wrapped: str


class Sealed(msgspec.Struct, frozen=True):
    """A sealed text, with the key that it is sealed by."""

    namespace: str
    name: str
    version: int
    text: str
    key: DataKey


def add(tx: Tx, told: Named, text: str, key: int) -> bool:
    """Keep a new version, and of those before it nothing but that they were; False when somebody was faster."""
    row = msgspec.structs.asdict(told)
    if tx.run("secrets.add", **row, sealed=text, data_key=key) != 1:
        return False
    tx.run("secrets.empty", namespace=told.namespace, name=told.name, version=told.version)
    return True


def newest_version(tx: Tx, namespace: str, name: str) -> int:
    """Tell how many versions a name has had; 0 where there never was one."""
    row = tx.one("secrets.newest_version", namespace=namespace, name=name)
    assert row is not None
    return codec.number(row[0])


def sealed(tx: Tx, namespaces: Iterable[str], name: str) -> list[Sealed]:
    """Give what stands under a name in some namespaces."""
    return [_sealed(row) for row in tx.all("secrets.sealed", namespaces=list(namespaces), name=name)]


def every_sealed(tx: Tx) -> list[Sealed]:
    """Give every secret, sealed; one whose key is lost has key 0."""
    return [_sealed(row) for row in tx.all("secrets.all_sealed")]


def reseal(tx: Tx, one: Sealed) -> None:
    """Keep the same version, sealed by another key."""
    tx.run(
        "secrets.reseal",
        namespace=one.namespace,
        name=one.name,
        version=one.version,
        sealed=one.text,
        data_key=one.key.number,
    )


def page(tx: Tx, namespace: str, limit: int, after: str = "") -> list[Named]:
    """Give so many names of a namespace behind one."""
    rows = tx.all("secrets.page", namespace=namespace, after=after, limit=limit)
    return [codec.value(row, Named) for row in rows]


def every(tx: Tx) -> list[Named]:
    """Give every name, by namespace."""
    return [codec.value(row, Named) for row in tx.all("secrets.every")]


def keys(tx: Tx, *, lock: bool = False) -> list[DataKey]:
    """Give the data keys; with `lock` nobody else uses one until the transaction ends."""
    return [codec.value(row, DataKey) for row in tx.all("secrets.locked_keys" if lock else "secrets.keys")]


def key_in_use(tx: Tx, namespace: str) -> DataKey | None:
    """Give the newest data key of a namespace, which stays until the transaction ends."""
    row = tx.one("secrets.key_in_use", namespace=namespace)
    return codec.value(row, DataKey) if row else None


def add_key(tx: Tx, key: DataKey, now: int) -> bool:
    """Keep a data key; False when somebody was faster."""
    return tx.run("secrets.add_key", **msgspec.structs.asdict(key), made_at=now) == 1


def drop_key(tx: Tx, key: DataKey) -> None:
    """Forget a data key that seals nothing any more."""
    tx.run("secrets.drop_key", namespace=key.namespace, number=key.number)


def input_keys(tx: Tx) -> list[InputKey]:
    """Give the keys that seal inputs of runs, the newest first."""
    return [codec.value(row, InputKey) for row in tx.all("secrets.input_keys")]


def input_key(tx: Tx, number: int | None = None) -> InputKey | None:
    """Give one of them; without a number the newest."""
    row = tx.one("secrets.newest_input_key") if number is None else tx.one("secrets.input_key", number=number)
    return codec.value(row, InputKey) if row else None


def add_input_key(tx: Tx, key: InputKey, now: int) -> bool:
    """Keep a further one; False when somebody was faster."""
    return tx.run("secrets.add_input_key", **msgspec.structs.asdict(key), made_at=now) == 1


def wrap_input_key(tx: Tx, key: InputKey) -> None:
    """Keep the same key as another master key wraps it."""
    tx.run("secrets.wrap_input_key", **msgspec.structs.asdict(key))


def _sealed(row: Row) -> Sealed:
    namespace, name, version, text, *key = row
    wrapped = codec.value((namespace, *key), DataKey)
    return Sealed(str(namespace), str(name), codec.number(version), str(text), wrapped)
