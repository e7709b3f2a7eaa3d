"""What does an error of SQLite mean to us?"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from penstock.errors.store import CommitUnknown, NotAStore, StoreBusy, StoreError, StoreFull, StoreGone

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether somebody else had the database just then, so that trying again makes sense."""
    return _code(error) in BUSY


def translate(error: sqlite3.Error, path: str | Path, *, committing: bool = False) -> Exception:
    """Give the error that people are told; a mistake in a query stays what it is."""
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusy(f"Somebody else is writing to {path}.")
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"There is no room left for {path}.")
        case sqlite3.SQLITE_IOERR if committing:
            return CommitUnknown(f"The disk failed while {path} was being committed: {error}.")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreGone(
                f"{path} cannot be used: {error}.", hint="Is the disk there, and may this user write to it?"
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return NotAStore(f"{path} is damaged, or no store: {error}.", hint="`penstock db backup` makes copies.")
        case sqlite3.SQLITE_TOOBIG:
            return StoreError(f"A value is too large for {path}.")
        case _:
            return error


@contextlib.contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Turn what SQLite says inside into what people are told."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 255
