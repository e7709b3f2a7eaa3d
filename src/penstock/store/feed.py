"""What has changed? A feed read at least once: rows name a thing and its version, the reader keeps the newer one.

On PostgreSQL ids may become visible out of order: a number that was skipped may still appear. So a reader remembers
the holes it saw for some seconds and asks for them again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.model.policy import SECOND
from penstock.store import codec
from penstock.store.port import Row, Tx

# What is told besides of things by their names: a worker that was found gone, a date of a trigger that starts no run.
LOST = "lost"
MISSED = "missed"
PATIENCE = 10 * SECOND
OVERLAP = 200
MOST_HOLES = 1_000


class Item(msgspec.Struct, frozen=True):
    """A row of the feed: `what` (run, flow, worker …) named `key` has this version since `at`."""

    id: int
    what: str
    key: str
    version: int
    at: int


class Position(msgspec.Struct, frozen=True):
    """How far a reader has come, and which numbers below that it has not seen, each with when it was first missed."""

    after: int
    holes: tuple[tuple[int, int], ...] = ()


def append(tx: Tx, items: Iterable[tuple[str, str, int]], now: int) -> None:
    """Say what has which version: (what, key, version)."""
    rows: list[dict[str, object]] = [{"what": what, "key": key, "version": v, "at": now} for what, key, v in items]
    if rows:
        tx.many("feed.append", rows)


def read_after(tx: Tx, after_id: int, limit: int = 500) -> list[Item]:
    """Give rows after a number, in order."""
    return _items(tx.all("feed.read_after", after=after_id, limit=limit))


def floor(tx: Tx) -> int:
    """Tell the oldest number that is kept (0 when none is): who resumes from below it is to reload."""
    row = tx.one("feed.floor")
    return (codec.maybe(row[0]) or 0) if row else 0


def head(tx: Tx) -> int:
    """Tell the newest number (0 when there is none)."""
    row = tx.one("feed.head")
    return (codec.maybe(row[0]) or 0) if row else 0


def start(tx: Tx) -> Position:
    """Stand at the feed's end: what is committed from now on will be read, and the last rows again."""
    return resume(head(tx))


def resume(last_id: int) -> Position:
    """Stand where a reader that saw `last_id` goes on, with an overlap for rows that were not visible to it."""
    return Position(max(0, last_id - OVERLAP))


def read(tx: Tx, position: Position, now: int, limit: int = 500) -> tuple[list[Item], Position]:
    """Give what is new since a position, rows that appeared late included, and the position after it."""
    late: list[Item] = []
    if position.holes:
        late = _items(tx.all("feed.read_ids", ids=[number for number, _ in position.holes]))
    fresh = read_after(tx, position.after, limit)
    return late + fresh, _moved(position, late, fresh, now)


def _moved(position: Position, late: list[Item], fresh: list[Item], now: int) -> Position:
    found = {item.id for item in late}
    holes = [(number, since) for number, since in position.holes if number not in found and now - since < PATIENCE]
    last = position.after
    for item in fresh:
        # A wide gap is what retention has removed; only its end may still be on its way.
        holes.extend((number, now) for number in range(max(last + 1, item.id - OVERLAP), item.id))
        last = item.id
    return Position(last, tuple(holes[-MOST_HOLES:]))


def _items(rows: list[Row]) -> list[Item]:
    return [codec.value(row, Item) for row in rows]
