"""How is a database copied while others write to it? By SQLite's own backup, into a new file that is then renamed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from penstock.store.sqlite.faults import told
from penstock.store.sqlite.session import make_closed

PAGES = 2_000


def copy_database(source: Path, target: Path) -> Path:
    """Copy one database file as it stands at one moment; `target` is whole or as it was before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with told(target):
        make_closed(fresh)
        try:
            with (
                contextlib.closing(sqlite3.connect(source, timeout=30)) as ours,
                contextlib.closing(sqlite3.connect(fresh)) as theirs,
            ):
                # One view of the source throughout, or every write of others would start the copy anew.
                ours.execute("BEGIN")
                ours.execute("SELECT 1 FROM sqlite_master").fetchone()
                ours.backup(theirs, pages=PAGES)
                theirs.execute("PRAGMA journal_mode = DELETE")
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.rename(target)
        finally:
            fresh.unlink(missing_ok=True)
    return target
