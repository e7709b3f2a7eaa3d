"""Which events wait to be folded? A row leaves in the transaction that folds it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from penstock.model.event import Due, Event, Kill, Mark, Reported, about, kind
from penstock.store import codec
from penstock.store.port import Tx


class Received(msgspec.Struct, frozen=True):
    """An event that waits, and when it came."""

    id: int
    event: Event
    at: int


def put(tx: Tx, run_id: str, event: Event, at: int) -> bool:
    """Leave an event for a run; False when the same (step, attempt, kind) waits already."""
    step, attempt = about(event)
    row: dict[str, object] = {"step": step, "attempt": attempt, "kind": _word(event), "body": codec.text(event)}
    return tx.run("inbox.put", run_id=run_id, at=at, **row) == 1


def take(tx: Tx, run_id: str, limit: int = 200) -> list[Received]:
    """Give a run's events in the order they came; they stay until dropped. NewerEvent when one is not understood."""
    rows = tx.all("inbox.take", run_id=run_id, limit=limit)
    return [Received(codec.number(number), codec.event(body), codec.number(at)) for number, body, at in rows]


def drop(tx: Tx, ids: Sequence[int]) -> None:
    """Remove events that have been folded."""
    if ids:
        tx.many("inbox.drop", [{"ids": list(ids)}])


def runs_waiting(tx: Tx, limit: int = 100, after: str = "") -> list[str]:
    """Give runs with unfolded events, in the order of their ids from `after` on: some may have to be left alone."""
    return [str(run_id) for (run_id,) in tx.all("inbox.runs_waiting", limit=limit, after=after)]


def forget(tx: Tx, run_id: str) -> None:
    """Remove what waits for a run that is gone; what waits for one that is there stays."""
    tx.run("inbox.forget", run_id=run_id)


def any_for(tx: Tx, run_id: str) -> bool:
    """Tell whether a run has unfolded events."""
    return tx.one("inbox.any_for", run_id=run_id) is not None


def any_behind(tx: Tx, run_id: str) -> Callable[[], bool | None]:
    """Tell, once this is committed, whether a run has unfolded events; nothing where that is to be asked then."""
    asked = tx.afterwards("inbox.any_for", run_id=run_id)

    def told() -> bool | None:
        found = asked()
        return None if found is None else bool(found)

    return told


def ends(tx: Tx, run_id: str, steps: Collection[str]) -> set[tuple[str, int]]:
    """Give the attempts (step, number) of these steps whose end waits, or that of the run they started."""
    return {
        (str(step), codec.number(attempt)) for step, attempt in tx.all("inbox.ends", run_id=run_id, steps=list(steps))
    }


def every(tx: Tx, run_id: str) -> list[Received]:
    """Give all that waits for a run."""
    return take(tx, run_id, 1_000_000_000)


def _word(event: Event) -> str:
    """The event's kind, told apart where two of a kind may wait for one attempt."""
    match event:
        case Due(timer=timer):
            return f"{kind(event)}.{timer}"
        case Kill(force=True):
            return f"{kind(event)}.force"
        case Mark(status=status):
            return f"{kind(event)}.{status}"
        case Reported(number=number):
            return f"{kind(event)}.{number}"
        case _:
            return kind(event)
