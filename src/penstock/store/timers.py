"""What falls due, and when? Each timer names the attempt it is for."""

from __future__ import annotations

from penstock.model.event import Due, Timer
from penstock.store import codec
from penstock.store.port import Tx


def set_timer(tx: Tx, run_id: str, step: str, attempt: int, timer: Timer, at: int) -> None:
    """Let an event fall due at an instant; said again for the same attempt, the later word stands."""
    row: dict[str, object] = {"run_id": run_id, "step": step, "attempt": attempt, "timer": timer.value, "at": at}
    tx.many("timers.set_timer", [row])


def ring(tx: Tx, now: int, limit: int = 100) -> list[tuple[str, Due]]:
    """Take timers whose instant has come; they are gone, so put them into their runs' inboxes in this transaction."""
    rows = tx.all("timers.ring", now=now, limit=limit)
    return [(str(run), Due(str(step), codec.number(attempt), Timer(str(timer)))) for run, step, attempt, timer in rows]


def next_at(tx: Tx) -> int | None:
    """Tell when the next timer rings."""
    row = tx.one("timers.next_at")
    return codec.maybe(row[0]) if row else None


def clear(tx: Tx, run_id: str) -> None:
    """Remove a run's timers."""
    tx.many("timers.clear", [{"run_id": run_id}])
