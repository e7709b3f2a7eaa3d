"""What may services ask of a store? Protocols only; `sqlite` and `postgres` keep them, and only `app` names one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from penstock.store.chunks import LogChunk, Selected, Spot, Tail

T = TypeVar("T")
Row = tuple[object, ...]


class Tx(Protocol):
    """An open transaction; queries are named `noun.name` and stand in `store/sql`."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgres`."""

    def one(self, query: str, **params: object) -> Row | None:
        """Run a query and give its first row, or nothing."""

    def all(self, query: str, **params: object) -> list[Row]:
        """Run a query and give every row."""

    def run(self, query: str, **params: object) -> int:
        """Run a statement and tell how many rows it touched."""

    def many(self, query: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Run one statement for each of `rows`; no answer is needed, so an error may be told by a later call."""

    def soon(self, query: str, **params: object) -> Callable[[], int]:
        """Run a statement no later than the next query; what is given tells how many rows it touched."""

    def afterwards(self, query: str, **params: object) -> Callable[[], list[Row] | None]:
        """Run a query right behind COMMIT where that spares a round trip; once `write` has returned, what is given
        tells its rows, or nothing where it has not been asked: then the caller asks.
        """

    def wake(self) -> None:
        """Wake workers that sleep, once this is committed."""


class Listener(Protocol):
    """Becomes readable when somebody woke the workers of this store; polling works without."""

    def fileno(self) -> int:
        """The descriptor to wait on; the same one until it is closed."""

    def arm(self) -> None:
        """Say that its owner is about to sleep: look for work once more after this, then wait. Armed from the start."""

    def drain(self) -> bool:
        """Take what has arrived, and say whether anything had; the owner is awake until it arms again."""

    def close(self) -> None:
        """Stop listening; safe to call twice."""


class LogStore(Protocol):
    """Log chunks, kept apart from state so that neither waits for the other."""

    def append(self, chunks: Sequence[LogChunk]) -> None:
        """Keep chunks; said twice (the same run, step, attempt and number) is said once."""

    def read(
        self, run_id: str, step: str | None = None, attempt: int | None = None, start: int = 0, end: int | None = None
    ) -> Iterable[LogChunk]:
        """Give the chunks, in the order written, that hold any byte of `start` to `end` of what was selected."""

    def page(self, run_id: str, place: Spot, wanted: Selected, limit: int) -> list[LogChunk]:
        """Give so many chunks of a run from a place on, that one included, in the order written or against it."""

    def newer(self, run_id: str, at: int, wanted: Selected, limit: int) -> list[Spot]:
        """Tell where so many chunks of a run stand that began at an instant or later, in the order written."""

    def one(self, run_id: str, place: Spot) -> LogChunk | None:
        """Give the chunk at a place; nothing when it has been removed meanwhile."""

    def size(self, run_id: str, step: str | None = None, attempt: int | None = None) -> int:
        """Count the bytes of text that were logged."""

    def tail(self, run_id: str, step: str, attempt: int) -> Tail:
        """Tell where an attempt's next chunk goes on."""

    def delete(self, run_ids: Sequence[str]) -> int:
        """Remove the logs of these runs, which themselves are kept, and tell how many chunks that was."""

    def forget(self, run_ids: Sequence[str]) -> int:
        """Remove the logs of runs that are removed themselves; a database may leave that to `tend`."""

    def close(self) -> None:
        """Let go of the database; safe to call twice."""


class Store(Protocol):
    """A database of runs: transactions, a clock for leases, a bell, and logs."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgres`."""

    @property
    def logs(self) -> LogStore:
        """Where log chunks go."""

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction and commit it.

        Deadlocks, serialization failures, locks and connections lost before COMMIT run `work` again, so it must not
        act outside. Raises CommitUnknown when the answer to COMMIT was lost: the caller looks.
        """

    def aside(self, work: Callable[[Tx], T]) -> T:
        """The same for what nothing is decided by, so that it need not stand in the way of what is."""

    def read(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on one consistent view; it may not write."""

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks a single question: a server is spared the transaction around it."""

    def lease_now(self) -> int:
        """Microseconds on the clock that leases are counted by."""

    def wake(self) -> None:
        """Wake workers that sleep; called after a commit that made work, never needed for being right."""

    def listener(self) -> Listener:
        """Open something to sleep on until somebody wakes."""

    def forget_feed(self, before: int) -> None:
        """Remove rows of the feed that are older than an instant."""

    def compact(self) -> None:
        """Give room that is not used any more back to the disk, where the database does not do so by itself."""

    def backup(self, path: Path) -> list[Path]:
        """Copy the store into a file while it is in use and name the files made; a server's own tools copy a server."""

    def tend(self) -> None:
        """Do what the database wants done about once an hour (the partitions of the next days, say)."""

    def close(self) -> None:
        """Let go of the database; safe to call twice."""
