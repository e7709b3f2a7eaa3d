"""How far has a reader of the feed come who goes on where it stopped? One row for each."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.store import codec
from penstock.store.feed import Position, start
from penstock.store.port import Tx

OF_RUNS: Final = "triggers of runs"
READ: Final = msgspec.json.Decoder(Position)


def get(tx: Tx, name: str) -> Position | None:
    """Give where a reader stands; None before it has begun."""
    row = tx.one("positions.get", name=name)
    return READ.decode(str(row[0])) if row else None


def put(tx: Tx, name: str, position: Position) -> None:
    """Keep where a reader stands."""
    tx.run("positions.put", name=name, body=codec.text(position))


def begin(tx: Tx, name: str) -> None:
    """Let a reader begin at the feed's end as it is now, unless it has begun before."""
    tx.run("positions.begin", name=name, body=codec.text(start(tx)))


def drop(tx: Tx, name: str) -> None:
    """Forget a reader."""
    tx.run("positions.drop", name=name)
