"""How does a file become a store, or an older store a newer one? One cheap look when there is nothing to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from penstock.errors.store import NotAStore, StoreTooOld
from penstock.store import codec
from penstock.store.migrations.carried import TELLS_OLDEST, Applied, Migration, Status, carried, snapshot, status

APPLICATION = 0x50454E53  # "PENS"
QUOTE = '"'
REPEATED = "SELECT version, name, checksum, applied_at, {oldest} FROM schema_migrations ORDER BY version"
ADD = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)"
TELL = "UPDATE schema_migrations SET oldest = ? WHERE version = ?"


def is_current(session: sqlite3.Connection, where: str, *, migrate: bool = True) -> bool:
    """Tell whether nothing has to be done; refuses a store that is too new, not ours, or older and not to be migrated.

    One that a newer Penstock has added to is taken as it is, where that says that it runs with this one.
    """
    version, newest = _version(session), len(carried("sqlite"))
    if version == newest:
        return True
    if version > newest:
        look(session, carried("sqlite"), where)
        return True
    if version == 0 and session.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise NotAStore(f"{where} is a database, but not one of Penstock's.")
    if version and not migrate:
        raise StoreTooOld(f"{where} has schema version {version}; this Penstock wants {newest}.")
    return False


def bring_up(session: sqlite3.Connection, where: str, now: int) -> None:
    """Give a fresh database the whole schema, or an older one what it wants; the caller holds the ticket."""
    if _version(session) == 0:
        migrations = carried("sqlite")
        _run(session, snapshot("sqlite"), migrations, now)
    else:
        migrate(session, carried("sqlite"), where, now)


def migrate(session: sqlite3.Connection, migrations: Sequence[Migration], where: str, now: int) -> Status:
    """Apply what is pending, each migration in a transaction of its own."""
    before = look(session, migrations, where)
    for pending in before.pending:
        _run(session, pending.text, [pending], now)
    return look(session, migrations, where)


def look(session: sqlite3.Connection, migrations: Sequence[Migration], where: str) -> Status:
    """Compare the database's migrations with these, checksums included."""
    applied: list[Applied] = []
    if version := _version(session):
        oldest = "oldest" if version >= TELLS_OLDEST else "NULL"
        rows = session.execute(REPEATED.format(oldest=oldest))
        applied = [codec.value(row, Applied) for row in rows]
    return status(migrations, applied, where)


def dump(session: sqlite3.Connection) -> list[str]:
    """Give the schema in comparable form; a table that was given its name later has it in quotes."""
    rows = session.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
    return [f"{kind} {name} {' '.join(str(text).replace(QUOTE, '').split())}" for kind, name, text in rows]


def _run(session: sqlite3.Connection, text: str, migrations: Sequence[Migration], now: int) -> None:
    try:
        # A script ends whatever transaction is open when it begins, and leaves its own to us.
        session.executescript(f"BEGIN IMMEDIATE;\n{text}")
        rows = [(one.version, one.name, one.checksum, now) for one in migrations]
        session.executemany(ADD, rows)
        for told in (one for one in migrations if one.oldest is not None):
            session.execute(TELL, (told.oldest, told.version))
        session.execute(f"PRAGMA application_id = {APPLICATION}")
        session.execute(f"PRAGMA user_version = {migrations[-1].version}")
        session.execute("COMMIT")
    except BaseException:
        if session.in_transaction:
            session.execute("ROLLBACK")
        raise


def _version(session: sqlite3.Connection) -> int:
    return codec.number(session.execute("PRAGMA user_version").fetchone()[0])
