"""Which database does an address mean, and how is it opened? The only page that names one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from penstock.clock import Clock
from penstock.errors.store import StoreMoved
from penstock.store.carrying import Side
from penstock.store.migrations.carried import Status
from penstock.store.port import Store
from penstock.store.postgres.side import PostgresSide
from penstock.store.postgres.store import open_postgres, postgres_status
from penstock.store.sqlite.disks import check_disk
from penstock.store.sqlite.side import SqliteSide
from penstock.store.sqlite.store import open_sqlite, sqlite_status

SERVERS: Final = ("postgresql://", "postgres://")


def is_server(address: str) -> bool:
    """Whether an address is of a server, and not of a file."""
    return address.startswith(SERVERS)


def open_store(address: str, clock: Clock, *, migrate: bool) -> Store:
    """Open the store at a path or a DSN; one that is not there is made, one that is older is migrated if wanted."""
    if is_server(address):
        return open_postgres(address, clock, migrate=migrate)
    return open_sqlite(address, clock, migrate=migrate)


def store_status(address: str) -> Status:
    """Tell which migrations a store has had and which it wants; changes nothing."""
    return postgres_status(address) if is_server(address) else sqlite_status(Path(address))


@contextlib.contextmanager
def alone_with(address: str, clock: Clock) -> Iterator[Side]:
    """A store as bare tables, for the length of the block nobody else's; made, or brought up to date, where it wants
    that. Raises StoreInUse.
    """
    with contextlib.suppress(StoreMoved):  # what is shut is looked into, too
        open_store(address, clock, migrate=True).close()
    if is_server(address):
        with contextlib.closing(PostgresSide(address, clock)) as server:
            yield server
    else:
        with alone_with_file(Path(address), clock) as file:
            yield file


@contextlib.contextmanager
def alone_with_file(path: Path, clock: Clock) -> Iterator[SqliteSide]:
    """The same for a store in a file, which is there and current, or shut."""
    with contextlib.closing(SqliteSide(path, clock)) as side:
        yield side


def check_place(folder: Path) -> None:
    """Refuse a folder where an embedded database cannot be kept. Raises NetworkFileSystem."""
    check_disk(folder)
