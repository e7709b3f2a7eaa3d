"""How are log chunks kept and found? Rows by (run, step, attempt, number), on whichever database holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import msgspec

from penstock.store import codec
from penstock.store.chunks import LogChunk, Selected, Spot, Tail
from penstock.store.port import Tx

T = TypeVar("T")
END = 2**62


class Lane(Protocol):
    """A connection for logs alone."""

    def transact(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in a transaction and commit it."""

    def look(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that only reads."""

    def compact(self) -> None:
        """Give room that is not used any more back to the disk."""

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""


class ChunkStore:
    """Logs on a connection of their own."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def append(self, chunks: Sequence[LogChunk]) -> None:
        """Keep chunks; said twice is said once."""
        if chunks:
            rows = [msgspec.structs.asdict(chunk) for chunk in chunks]
            self._lane.transact(lambda tx: tx.many("logs.append", rows))

    def read(
        self, run_id: str, step: str | None = None, attempt: int | None = None, start: int = 0, end: int | None = None
    ) -> Iterator[LogChunk]:
        """Give the chunks, in the order written, that hold a byte of `start` to `end` of an attempt's text."""
        wanted = Wanted(run_id, step, attempt, start, end)
        # Numbers first, bodies one by one: a long log never stands in memory, nor a transaction open while it is read.
        for key in self._lane.look(lambda tx: keys(tx, wanted)):
            if chunk := self._one(run_id, key):
                yield chunk

    def page(self, run_id: str, place: Spot, wanted: Selected, limit: int) -> list[LogChunk]:
        """Give so many chunks of a run from a place on, that one included, in the order written or against it."""
        return self._lane.look(lambda tx: page(tx, run_id, place, wanted, limit))

    def newer(self, run_id: str, at: int, wanted: Selected, limit: int) -> list[Spot]:
        """Tell where so many chunks of a run stand that began at an instant or later, in the order written."""
        return self._lane.look(lambda tx: newer(tx, run_id, at, wanted, limit))

    def one(self, run_id: str, place: Spot) -> LogChunk | None:
        """Give the chunk at a place; nothing when it has been removed meanwhile."""
        return self._one(run_id, (place.step, place.attempt, place.seq))

    def size(self, run_id: str, step: str | None = None, attempt: int | None = None) -> int:
        """Count the bytes of text that were logged."""
        return self._lane.look(lambda tx: size(tx, Wanted(run_id, step, attempt)))

    def tail(self, run_id: str, step: str, attempt: int) -> Tail:
        """Tell where an attempt's next chunk goes on."""
        return self._lane.look(lambda tx: tail(tx, run_id, step, attempt))

    def delete(self, run_ids: Sequence[str]) -> int:
        """Forget the logs of these runs, and tell how many chunks that was."""
        return self._lane.transact(lambda tx: delete(tx, run_ids))

    def forget(self, run_ids: Sequence[str]) -> int:
        """Remove the logs of runs that are removed themselves, or leave them to the day that goes as a whole."""
        return self._lane.transact(lambda tx: tx.run("logs.forget", runs=list(run_ids)))

    def compact(self) -> None:
        """Give room that is not used any more back to the disk."""
        self._lane.compact()

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        self._lane.close()

    def _one(self, run_id: str, key: tuple[str, int, int]) -> LogChunk | None:
        return self._lane.look(lambda tx: one(tx, run_id, key))


class Wanted(msgspec.Struct, frozen=True):
    """Which logs: of a run, a step, or an attempt; `start` and `end` are bytes of each attempt's text."""

    run: str
    step: str | None = None
    attempt: int | None = None
    start: int = 0
    end: int | None = None


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


def page(tx: Tx, run_id: str, place: Spot, wanted: Selected, limit: int) -> list[LogChunk]:
    """Give chunks from a place on, or back."""
    clauses, params = wanted.clauses()
    where: dict[str, object] = {
        "at": place.at,
        "from_step": place.step,
        "from_attempt": place.attempt,
        "from_seq": place.seq,
    }
    query = f"logs.{'back' if wanted.backwards else 'page'}{clauses}"
    return [codec.value(row, LogChunk) for row in tx.all(query, run_id=run_id, limit=limit, **where, **params)]


def newer(tx: Tx, run_id: str, at: int, wanted: Selected, limit: int) -> list[Spot]:
    """Tell where chunks stand that began at an instant or later."""
    clauses, params = wanted.clauses()
    rows = tx.all(f"logs.newer{clauses}", run_id=run_id, at=at, limit=limit, **params)
    return [codec.value(row, Spot) for row in rows]


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
