"""What has happened to a run? Its story, refused reports included; nothing decides by it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.model.event import Event, about, kind
from penstock.store import codec
from penstock.store.port import Row, Tx


class Told(msgspec.Struct, frozen=True):
    """One event of the story: whether it was accepted, and which worker said it under which fence."""

    id: int
    event: Event
    at: int
    accepted: bool
    worker: str
    fence: int


def append(tx: Tx, run_id: str, events: Iterable[tuple[Event, int, bool, str, int]]) -> None:
    """Add events: (event, at, accepted, worker, fence)."""
    rows: list[dict[str, object]] = []
    for event, at, accepted, worker, fence in events:
        step, attempt = about(event)
        row: dict[str, object] = {"run_id": run_id, "kind": kind(event), "step": step, "attempt": attempt}
        row |= {"body": codec.text(event), "at": at, "accepted": int(accepted), "worker": worker, "fence": fence}
        rows.append(row)
    if rows:
        tx.many("events.append", rows)


def every(tx: Tx, run_id: str) -> list[Told]:
    """Give a run's story in order."""
    return [_told(row) for row in tx.all("events.every", run_id=run_id)]


def page(tx: Tx, run_id: str, after: int, limit: int) -> list[Told]:
    """Give some of a run's story, in order: what comes behind the event `after`. NewerEvent as `every`."""
    return [_told(row) for row in tx.all("events.page", run_id=run_id, after=after, limit=limit)]


def touching(tx: Tx, run_id: str) -> list[Told]:
    """Give what of a run's story tells of data, in order. NewerEvent as `every`."""
    return [_told(row) for row in tx.all("events.touching", run_id=run_id)]


def accepted(tx: Tx, run_id: str, step: str, attempt: int, fence: int) -> bool:
    """Tell whether a report under this fence was accepted: what settles an unknown COMMIT."""
    return tx.one("events.accepted", run_id=run_id, step=step, attempt=attempt, fence=fence) is not None


def _told(row: Row) -> Told:
    number, body, at, accepted, worker, fence = row
    return Told(
        codec.number(number), codec.event(body), codec.number(at), bool(accepted), str(worker), codec.number(fence)
    )
