"""Which results may be used again? By key, with the run that made each: they go when it goes."""

from __future__ import annotations

import msgspec

from penstock.store import codec
from penstock.store.port import Tx


class Cached(msgspec.Struct, frozen=True):
    """A kept result: its outputs, or the address of a file; instants in microseconds."""

    key: str
    run: str
    step: str
    outputs: dict[str, object]
    uri: str
    made_at: int


def find(tx: Tx, key: str, now: int) -> Cached | None:
    """Give a result that has not expired."""
    row = tx.one("cached.find", key=key, now=now)
    if row is None:
        return None
    run, step, body, uri, made_at = row
    outputs = msgspec.json.decode(str(body), type=dict[str, object])
    return Cached(key, str(run), str(step), outputs, str(uri), codec.number(made_at))


def keep(tx: Tx, made: Cached, expires_at: int | None) -> None:
    """Keep a result in the place of an earlier one."""
    row: dict[str, object] = {"key": made.key, "run_id": made.run, "step": made.step, "uri": made.uri}
    row |= {"body": codec.text(made.outputs), "made_at": made.made_at, "expires_at": expires_at}
    tx.many("cached.keep", [row])


def expire(tx: Tx, now: int) -> None:
    """Remove what is past its time."""
    tx.run("cached.expire", now=now)
