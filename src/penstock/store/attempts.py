"""How is each accepted try at a step kept? One row, written once."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.run import Attempt
from penstock.store import codec
from penstock.store.port import Row, Tx


def append(tx: Tx, run_id: str, attempts: Iterable[Attempt]) -> None:
    """Keep attempts; the first word on an attempt stands."""
    rows: list[dict[str, object]] = [
        {
            "run_id": run_id,
            "step": attempt.step,
            "number": attempt.number,
            "outcome": attempt.outcome.value,
            "state": None if attempt.state is None else codec.text(attempt.state),
            "body": codec.text(attempt),
        }
        for attempt in attempts
    ]
    if rows:
        tx.many("attempts.append", rows)


def every(tx: Tx, run_id: str) -> list[Attempt]:
    """Give all attempts of a run, by step and number."""
    return _attempts(tx.all("attempts.every", run_id=run_id))


def of_step(tx: Tx, run_id: str, step: str) -> list[Attempt]:
    """Give the attempts of one step, oldest first."""
    return _attempts(tx.all("attempts.of_step", run_id=run_id, step=step))


def last_state(tx: Tx, run_id: str, step: str) -> dict[str, object] | None:
    """Give what the newest attempt that saved anything left for the next."""
    row = tx.one("attempts.last_state", run_id=run_id, step=step)
    return codec.data(row[0]) if row else None


def _attempts(rows: list[Row]) -> list[Attempt]:
    return [codec.attempt(body) for (body,) in rows]
