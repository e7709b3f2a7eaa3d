"""How busy is the installation? Counts of what waits and what is held, by queue, worker and limit."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.store import codec
from penstock.store.port import Tx

# Counts that are asked for often stop here, so that they cost the same however much there is.
MOST: Final = 100_000


class QueueLoad(msgspec.Struct, frozen=True):
    """What waits in a queue, since when the oldest has (microseconds), and what of it is being done."""

    queue: str
    waiting: int
    oldest: int | None
    running: int


class LimitLoad(msgspec.Struct, frozen=True):
    """How much of a limit is in use by how many, who waits and since when; `count` and `span` where somebody waits."""

    name: str
    used: int
    holders: int
    waiting: int
    oldest: int | None
    count: int | None
    span: int | None


def queues(tx: Tx) -> list[QueueLoad]:
    """Give the queues in which something waits or that are worked on, by name."""
    ready = {str(name): (codec.number(count), codec.maybe(at)) for name, count, at in tx.all("busy.ready")}
    running = {str(name): codec.number(count) for name, count in tx.all("busy.claimed")}
    return [QueueLoad(name, *ready.get(name, (0, None)), running.get(name, 0)) for name in sorted({*ready, *running})]


def held(tx: Tx) -> dict[str, int]:
    """Count the attempts that each worker holds."""
    return {str(worker): codec.number(count) for worker, count in tx.all("busy.held")}


def limits(tx: Tx) -> list[LimitLoad]:
    """Give the limits that are in use or waited for, by name."""
    used = {str(name): (int(str(weight)), codec.number(count)) for name, weight, count in tx.all("busy.admitted")}
    waits = {str(name): rest for name, *rest in tx.all("busy.blocked")}
    found = []
    for name in sorted({*used, *waits}):
        weight, holders = used.get(name, (0, 0))
        waiting, oldest, count, span = waits.get(name, (0, None, None, None))
        oldest_at, lets_in, window = codec.maybe(oldest), codec.maybe(count), codec.maybe(span)
        found.append(LimitLoad(name, weight, holders, codec.number(waiting), oldest_at, lets_in, window))
    return found


def going(tx: Tx) -> dict[str, int]:
    """Count the runs that have not ended, by status; up to MOST of each."""
    return {str(status): codec.number(count) for status, count in tx.all("busy.going", most=MOST)}


def unfolded(tx: Tx) -> int:
    """Count the events that nobody has decided on yet, up to MOST."""
    row = tx.one("busy.unfolded", most=MOST)
    return codec.number(row[0]) if row else 0


def overdue(tx: Tx, now: int) -> tuple[int, int | None]:
    """Count the triggers whose time has come, up to MOST, and tell when that of the first was."""
    row = tx.one("busy.overdue", now=now, most=MOST)
    return (codec.number(row[0]), codec.maybe(row[1])) if row else (0, None)


def backfills(tx: Tx) -> dict[str, int]:
    """Count the backfills that are not done, by status."""
    return {str(status): codec.number(count) for status, count in tx.all("busy.backfills")}
