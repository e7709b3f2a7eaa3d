"""How are log chunks kept and found? Rows by (run, step, attempt, number), on whichever database holds them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.store import codec
from penstock.store.chunks import LogChunk, Tail
from penstock.store.port import Tx

END = 2**62


class Wanted(msgspec.Struct, frozen=True):
    """Which logs: of a run, a step, or an attempt; `start` and `end` are bytes of each attempt's text."""

    run: str
    step: str | None = None
    attempt: int | None = None
    start: int = 0
    end: int | None = None


def append(tx: Tx, chunks: Sequence[LogChunk]) -> None:
    """Keep chunks; said twice is said once."""
    if chunks:
        tx.many("logs.append", [msgspec.structs.asdict(chunk) for chunk in chunks])


def keys(tx: Tx, wanted: Wanted) -> list[tuple[str, int, int]]:
    """Give (step, attempt, number) of the chunks that hold what is wanted, in the order written."""
    clauses, params = _clauses(wanted)
    last = END if wanted.end is None else wanted.end
    rows = tx.all(f"logs.keys{clauses}", run_id=wanted.run, first=wanted.start, last=last, **params)
    return [(str(step), codec.number(attempt), codec.number(seq)) for step, attempt, seq in rows]


def one(tx: Tx, run_id: str, key: tuple[str, int, int]) -> LogChunk | None:
    """Give one chunk; nothing when it has been removed meanwhile."""
    step, attempt, seq = key
    row = tx.one("logs.one", run_id=run_id, step=step, attempt=attempt, seq=seq)
    return codec.value(row, LogChunk) if row else None


def size(tx: Tx, wanted: Wanted) -> int:
    """Count the bytes of text."""
    clauses, params = _clauses(wanted)
    row = tx.one(f"logs.size{clauses}", run_id=wanted.run, **params)
    return int(str(row[0])) if row else 0


def tail(tx: Tx, run_id: str, step: str, attempt: int) -> Tail:
    """Tell where an attempt's next chunk goes on."""
    row = tx.one("logs.tail", run_id=run_id, step=step, attempt=attempt)
    return Tail(codec.number(row[0]), codec.number(row[1])) if row else Tail()


def delete(tx: Tx, run_ids: Sequence[str]) -> int:
    """Remove the logs of runs, and tell how many chunks that was."""
    return tx.run("logs.delete", runs=list(run_ids)) if run_ids else 0


def _clauses(wanted: Wanted) -> tuple[str, dict[str, object]]:
    params: dict[str, object] = {}
    if wanted.step is not None:
        params["step"] = wanted.step
    if wanted.attempt is not None:
        params["attempt"] = wanted.attempt
    return "".join(f"+{name}" for name in params), params
