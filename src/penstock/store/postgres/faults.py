"""What does an error of PostgreSQL mean to us?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors.store import CommitUnknown, StoreBusy, StoreError, StoreFull, StoreGone
from penstock.store.postgres import address

if TYPE_CHECKING:
    import psycopg

# serialization_failure, deadlock_detected, lock_not_available: nothing happened, and again is likely to do.
AGAIN = frozenset({"40001", "40P01", "55P03"})
# admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, idle too long, read-only after failover.
GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "25P03", "25006"})
# What libpq says, in words alone, where the server is not who it should be.
DISTRUST = ("certificate", "SSL error", "does not support SSL")
HOW_TO_TRUST = "`sslmode=verify-full&sslrootcert=FILE` in the address names who vouches for the server, and its host."


def is_again(error: psycopg.Error) -> bool:
    """Tell whether the transaction lost a quarrel over locks and may simply be run again."""
    return error.sqlstate in AGAIN


def is_gone(error: psycopg.Error) -> bool:
    """Tell whether the connection, or the server behind it, is no more."""
    import psycopg

    state = error.sqlstate
    if state is None:
        # The client's own words: it could not connect, or found the connection closed.
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state in GONE or state.startswith("08")


def translate(error: psycopg.Error, where: str, *, committing: bool = False) -> Exception:
    """Give the error that people are told; a mistake in a query stays what it is."""
    why = str(error).strip().partition("\n")[0].removeprefix("connection failed: ").rstrip(".") + "."
    here = where[:1].upper() + where[1:]
    if is_gone(error):
        if committing:
            return CommitUnknown(f"The connection to {where} was lost during COMMIT: {why}")
        if any(word in why for word in DISTRUST):
            return StoreGone(f"{here} cannot be trusted: {why}", hint=HOW_TO_TRUST)
        return StoreGone(f"{here} cannot be reached: {why}")
    if is_again(error):
        return StoreBusy(f"{here} refused a transaction again and again: {why}")
    match error.sqlstate:
        case "53100":
            return StoreFull(f"The disk of {where} is full.")
        case "53200" | "57014" | "54000":
            return StoreError(f"{here} could not finish a query: {why}")
        case "42501" | "28P01" | "28000" | "3D000" | "3F000" | "42P06":
            return StoreGone(f"{here} does not let us in: {why}", hint="Check the address, the user and its rights.")
        case _:
            return error


def place(dsn: str) -> str:
    """Name a database for people, without its password."""
    import psycopg

    meant = address.read(dsn)
    try:
        known = psycopg.conninfo.conninfo_to_dict(meant.dsn)
    except psycopg.ProgrammingError as wrong:
        raise StoreError(f"The address of the database cannot be read: {wrong}") from wrong
    named = f'the database "{known.get("dbname") or ""}" at {known.get("host") or "the local socket"}'
    return f'the schema "{meant.schema}" of {named}' if meant.schema else named
