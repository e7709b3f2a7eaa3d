"""How is a store opened on SQLite, and what is a write on it? One writer per process, readers beside it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from penstock.clock import Clock, SystemClock
from penstock.errors.store import StoreBusy, StoreError, StoreGone
from penstock.store.logs import ChunkStore
from penstock.store.migrations.carried import Status, carried
from penstock.store.port import Listener, Tx
from penstock.store.sqlite import schema
from penstock.store.sqlite.copying import copy_database
from penstock.store.sqlite.disks import check_disk
from penstock.store.sqlite.faults import is_busy, told, translate
from penstock.store.sqlite.logs import LogFile, logs_path
from penstock.store.sqlite.session import SqliteTx, connect
from penstock.store.sqlite.ticket import Ticket
from penstock.store.sqlite.wake import MemoryBell, WakeFolder

T = TypeVar("T")
MEMORY = ":memory:"
TRIES = 5
# How often it is looked whether the file is still the one that was opened, in microseconds.
LOOK = 1_000_000


def open_sqlite(path: Path | str, clock: Clock | None = None, *, migrate: bool = True) -> SqliteStore:
    """Open the store in a file (made when absent, with its folder), or in memory for `":memory:"`.

    An older store is migrated, or refused with StoreTooOld when `migrate` is false; a newer one is always refused.
    """
    watch = clock or SystemClock()
    if path == MEMORY:
        session = connect(None)
        schema.bring_up(session, "the store in memory", watch.now())
        return SqliteStore(session, None, watch)
    file = Path(path).absolute()
    with told(file):
        fresh = not file.exists()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_disk(file.parent, thoroughly=fresh)
        if fresh:
            _create(file, watch)
        session = connect(file)
        try:
            if not schema.is_current(session, str(file), migrate=migrate):
                _bring_up(session, file, watch)
        except BaseException:
            session.close()
            raise
    return SqliteStore(session, file, watch)


def sqlite_status(path: Path) -> Status:
    """Tell which migrations the store in a file has had and which it wants; changes nothing."""
    with told(path), contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as session:
        return schema.look(session, carried("sqlite"), str(path))


class SqliteStore:
    """An open store on SQLite; threads may share it, a forked child may not."""

    kind = "sqlite"

    def __init__(self, session: sqlite3.Connection, path: Path | None, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._writer = session
        self._tx = SqliteTx(session)
        self._writing = threading.RLock()
        self._ticket = Ticket(ticket_path(path)) if path else None
        self._readers: list[sqlite3.Connection] = []
        self._bell = WakeFolder(path.parent / "wake") if path else MemoryBell()
        self.logs = ChunkStore(LogFile(logs_path(path) if path else None))
        self._inside = False
        self._closed = False
        self._file = _which(path)
        self._look_at = 0

    def write(self, work: Callable[[Tx], T]) -> T:
        """Do `work` in one transaction and commit it; busy databases are tried again."""
        with self._writing:
            for left in reversed(range(TRIES)):
                try:
                    result = self._write_once(work)
                except sqlite3.Error as error:
                    if not (is_busy(error) and left):
                        raise translate(error, self.path or MEMORY) from error
                else:
                    if self._tx.wakes:
                        self.wake()
                    return result
            raise StoreBusy(f"Somebody else is writing to {self.path}.")

    def aside(self, work: Callable[[Tx], T]) -> T:
        """Do `work` as any other: there is one writer."""
        return self.write(work)

    def read(self, work: Callable[[Tx], T]) -> T:
        """Do `work` on one consistent view of what is committed."""
        if self.path is None:
            # A database in memory has one connection, and every reader sees what it sees.
            with self._writing:
                self._open()
                return work(self._tx)
        try:
            with self._reader() as session:
                session.execute("BEGIN")
                try:
                    return work(SqliteTx(session))
                finally:
                    # Some errors (a disk that fails) have rolled back already.
                    if session.in_transaction:
                        session.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def glance(self, work: Callable[[Tx], T]) -> T:
        """Do `work` that asks a single question."""
        return self.read(work)

    def lease_now(self) -> int:
        """Microseconds since the machine booted: a step of the wall clock changes no lease."""
        return self._clock.steady()

    def wake(self) -> None:
        """Wake whoever sleeps on this store, in this process and others of the machine."""
        self._bell.wake()

    def listener(self) -> Listener:
        """Open something to sleep on."""
        return self._bell.listener()

    def tend(self) -> None:
        """Let SQLite look at its statistics again where they have gone stale."""
        with self._writing:
            self._writer.execute("PRAGMA optimize")

    def forget_feed(self, before: int) -> None:
        """Remove rows of the feed that are older than an instant."""
        self.write(lambda tx: tx.run("prune.feed", before=before))

    def compact(self) -> None:
        """Give room that is not used any more back to the disk; nobody writes meanwhile."""
        with self._writing, told(self.path or MEMORY):
            self._writer.execute("VACUUM")
            self.logs.compact()

    def backup(self, path: Path) -> list[Path]:
        """Copy the store, logs beside it, while it is in use; a file that is there already is replaced as a whole."""
        if self.path is None:
            raise StoreError("A store in memory has nothing to copy.")
        pairs = [(self.path, path), (logs_path(self.path), logs_path(path))]
        return [copy_database(source, target) for source, target in pairs if source.exists()]

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            for session in (*self._readers, self._writer):
                session.close()
            self._readers.clear()
            self._bell.close()
            self.logs.close()
            if self._ticket:
                self._ticket.close()

    def _write_once(self, work: Callable[[Tx], T]) -> T:
        session = self._open()
        if self._inside:
            raise StoreError("A transaction cannot begin inside another one.")
        try:
            if self._ticket:
                self._ticket.take()
            self._inside, self._tx.wakes = True, False
            session.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._tx)
                self._commit()
            except BaseException:
                # Some errors (a full disk) have rolled back already.
                if session.in_transaction:
                    session.execute("ROLLBACK")
                raise
            return result
        finally:
            self._inside = False
            if self._ticket:
                self._ticket.leave()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreGone(f"The store {self.path or MEMORY} has been closed.")
        self._look()
        return self._writer

    def _look(self) -> None:
        """Refuse to go on in a file that was deleted or replaced: nobody would ever see what is written there."""
        if self.path is None or (now := self._clock.steady()) < self._look_at:
            return
        if _which(self.path) != self._file:
            raise StoreGone(
                f"{self.path} is not the file any more that was opened: it was deleted or replaced meanwhile.",
                hint="Stop what uses it, and start it again.",
            )
        self._look_at = now + LOOK

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if is_busy(error):
                raise
            raise translate(error, self.path or MEMORY, committing=True) from error

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Borrow a connection for reading; readers neither wait for the writer nor for each other."""
        assert self.path is not None
        self._open()
        try:
            session = self._readers.pop()
        except IndexError:
            session = connect(self.path)
            session.execute("PRAGMA query_only = ON")
        try:
            yield session
        except sqlite3.Error:
            session.close()
            raise
        else:
            if self._closed:
                session.close()
            else:
                self._readers.append(session)


def _which(path: Path | None) -> tuple[int, int]:
    """Which file stands at a path; none is one, too."""
    try:
        found = path.stat() if path else None
    except OSError:
        found = None
    return (found.st_dev, found.st_ino) if found else (0, 0)


def ticket_path(path: Path) -> Path:
    """Where the lock files of a store stand: beside it."""
    return path.with_name(f".{path.name}-ticket")


def _create(path: Path, clock: Clock) -> None:
    """Make the file whole under another name and rename it: one wait for the disk, and never a half-made store."""
    ticket = Ticket(ticket_path(path))
    fresh = path.with_name(f".{path.name}-fresh")
    try:
        ticket.take()
        if path.exists():
            return
        fresh.unlink(missing_ok=True)
        session = connect(fresh, synchronous="OFF")
        try:
            schema.bring_up(session, str(path), clock.now())
        finally:
            session.close()
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        ticket.close()


def _bring_up(session: sqlite3.Connection, path: Path, clock: Clock) -> None:
    ticket = Ticket(ticket_path(path))
    try:
        ticket.take()
        # Another process may have done it while we waited.
        if not schema.is_current(session, str(path)):
            schema.bring_up(session, str(path), clock.now())
    finally:
        ticket.close()
