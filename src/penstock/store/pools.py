"""How many slots has each pool? A pool is a limit whose size is set outside flows; tasks name it and say a weight."""

from __future__ import annotations

import msgspec

from penstock.model.ids import POOL
from penstock.store import codec
from penstock.store.port import Tx


class Pool(msgspec.Struct, frozen=True):
    """A pool, with what of it is in use and how many wait for it."""

    name: str
    slots: int
    used: int
    waiting: int
    changed_at: int


def set_slots(tx: Tx, name: str, slots: int, now: int) -> None:
    """Give a pool a size, new or changed; who is in stays in."""
    tx.run("pools.set_slots", name=name, slots=slots, now=now)


def slots(tx: Tx, name: str) -> int | None:
    """Give the size of a pool; None when there is none of this name."""
    row = tx.one("pools.slots", name=name)
    return codec.number(row[0]) if row else None


def delete(tx: Tx, name: str) -> bool:
    """Forget a pool: who wants it waits until it is set again. False when there was none."""
    return tx.run("pools.delete", name=name) == 1


def every(tx: Tx) -> list[Pool]:
    """Give the pools by name."""
    return [
        Pool(str(name), codec.number(size), int(str(used)), int(str(waiting)), codec.number(at))
        for name, size, used, waiting, at in tx.all("pools.every", prefix=POOL)
    ]


def unknown(tx: Tx) -> list[str]:
    """Name the pools that somebody waits for although nobody has set their size."""
    return [str(name).removeprefix(POOL) for (name,) in tx.all("pools.unknown", prefix=POOL)]
