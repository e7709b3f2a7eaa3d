"""How is a store opened on PostgreSQL, and what is a write on it? One writer per process, readers beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from penstock.clock import Clock, SystemClock
from penstock.errors.store import StoreError, StoreGone
from penstock.store import codec
from penstock.store.logs import ChunkStore
from penstock.store.migrations.carried import Status, carried
from penstock.store.port import Tx
from penstock.store.postgres import days, schema
from penstock.store.postgres.lane import Lane
from penstock.store.postgres.listener import PostgresListener, wake

T = TypeVar("T")
IDLE_READERS = 8
VIEW = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
LEASE_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def open_postgres(dsn: str, clock: Clock | None = None, *, migrate: bool = False) -> PostgresStore:
    """Open the store in a database, which may be empty.

    An older store is refused with StoreTooOld unless `migrate` is true; a newer one is always refused. Raises
    StoreGone when the server cannot be reached, DriverMissing when psycopg is not installed.
    """
    watch = clock or SystemClock()
    writer = Lane(dsn)
    try:
        now = watch.now()
        writer.keep_trying(lambda session: schema.bring_up(session, writer.where, now, migrate_older=migrate), 0.0)
    except BaseException:
        writer.close()
        raise
    return PostgresStore(dsn, writer, watch)


def postgres_status(dsn: str) -> Status:
    """Tell which migrations the store in a database has had and which it wants; changes nothing."""
    lane = Lane(dsn)
    try:
        return lane.keep_trying(lambda session: schema.standing(session, carried("postgres"), lane.where), 0.0)
    finally:
        lane.close()


class PostgresStore:
    """An open store on PostgreSQL; threads may share it, a forked child may not."""

    kind = "postgres"

    def __init__(self, dsn: str, writer: Lane, clock: Clock) -> None:
        self._dsn = dsn
        self._writer = writer
        self._clock = clock
        self._readers: list[Lane] = []
        self._closed = False
        self._aside = Lane(dsn)
        self.logs = ChunkStore(self._aside)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction and commit it; lost quarrels and lost connections run it again."""
        return self._writer.transact(work)

    def aside(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on the connection of the logs: its COMMIT does not keep the next write waiting."""
        return self._aside.transact(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on one consistent view of what is committed."""
        with self._reader() as lane:
            return lane.transact(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks a single question: one round trip, without a transaction around it."""
        with self._reader() as lane:
            return lane.glance(work)

    def lease_now(self) -> int:
        """Microseconds of the database's clock, which is one for all machines."""
        with self._reader() as lane:
            row = lane.keep_trying(lambda session: session.execute(LEASE_CLOCK).fetchone())
        assert row is not None
        return codec.number(row[0])

    def wake(self) -> None:
        """Wake whoever sleeps on this store, on any machine; a server that is away is no reason to fail."""
        with contextlib.suppress(StoreError):
            self._writer.keep_trying(lambda session: session.execute(wake(session)))

    def listener(self) -> PostgresListener:
        """Open something to sleep on."""
        return PostgresListener(self._dsn)

    def tend(self) -> None:
        """Make the partitions of the next days, and drop those of past days whose runs are all gone."""
        now = self._clock.now()
        self._writer.keep_trying(lambda session: days.tend(session, now))

    def forget_feed(self, before: int) -> None:
        """Remove rows of the feed that are older than an instant: whole days at once."""
        self._writer.keep_trying(lambda session: days.drop_feed(session, before))

    def compact(self) -> None:
        """Nothing to do: the server sweeps by itself, and whole days of history are dropped."""

    def backup(self, path: Path) -> list[Path]:
        """Refuse: a server is copied by its own tools."""
        raise StoreError(f"{self._writer.where} is not copied from here.", hint="Use pg_dump, or the server's backups.")

    def close(self) -> None:
        """Let go of every connection; safe to call twice."""
        self._closed = True
        for lane in (*self._readers, self._writer):
            lane.close()
        self._readers.clear()
        self.logs.close()

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Lane]:
        """Borrow a connection for reading; readers neither wait for the writer nor for each other."""
        self._check_open()
        try:
            lane = self._readers.pop()
        except IndexError:
            lane = Lane(self._dsn, begin=VIEW)
        try:
            yield lane
        finally:
            if self._closed or len(self._readers) >= IDLE_READERS:
                lane.close()
            else:
                self._readers.append(lane)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreGone(f"The connection to {self._writer.where} has been closed.")
