"""How does a database come to the schema that this code expects? One cheap look when there is nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.errors.store import StoreTooOld
from penstock.store import codec
from penstock.store.migrations.carried import TELLS_OLDEST, Applied, Migration, Status, carried, snapshot, status
from penstock.store.postgres import days
from penstock.store.postgres.address import own
from penstock.store.postgres.session import settled

if TYPE_CHECKING:
    from penstock.store.postgres.session import Session

LOCK = 0x50454E53
# Who waits for a table's lock holds up all who come after: a change of the schema lets them go on, and comes again.
PATIENCE = "2s"
TRIES = 30
REPEATED = "SELECT version, name, checksum, applied_at, {oldest} FROM schema_migrations ORDER BY version"
ADD = "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (%s, %s, %s, %s)"
TELL = "UPDATE schema_migrations SET oldest = %s WHERE version = %s"
DUMP = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
       || ' ' || coalesce(column_default, '') || ' ' || coalesce(collation_name, '') || ' ' || is_identity
FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL
SELECT 'constraint ' || c.conrelid::regclass || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
FROM pg_constraint AS c WHERE c.connamespace = current_schema()::regnamespace AND c.contype <> 'n'
UNION ALL
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL
SELECT 'table ' || relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '')
       || ' ' || coalesce(pg_get_partkeydef(oid), '') || ' ' || coalesce(pg_get_expr(relpartbound, oid), '')
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S')
ORDER BY 1
"""


def bring_up(session: Session, where: str, now: int, *, migrate_older: bool) -> None:
    """Make a fresh database whole, or an older one current; refuses one that is too new, or older and not to be
    migrated.
    """
    migrations = carried("postgres")
    newest = len(migrations)
    with settled(session):
        version, ready = _version(session), _has_day(session, now)
        if version > newest:
            look(session, migrations, where)  # it says whether this one may go on
    if version >= newest and ready:
        return
    if 0 < version < newest and not migrate_older:
        raise StoreTooOld(f"{where} has schema version {version}; this Penstock wants {newest}.")
    if version == 0:
        run_snapshot(session, now)
    elif version < newest:
        migrate(session, migrations, where, now)
    days.make_ahead(session, now)


def run_snapshot(session: Session, now: int) -> None:
    """Make the whole schema in an empty database."""
    _run(session, snapshot("postgres"), carried("postgres"), now)


def migrate(session: Session, migrations: Sequence[Migration], where: str, now: int) -> Status:
    """Apply what is pending, each migration in a transaction of its own, one process at a time."""
    for pending in standing(session, migrations, where).pending:
        _run(session, pending.text, [pending], now)
    return standing(session, migrations, where)


def standing(session: Session, migrations: Sequence[Migration], where: str) -> Status:
    """The same as `look`, by itself."""
    with settled(session):
        return look(session, migrations, where)


def look(session: Session, migrations: Sequence[Migration], where: str) -> Status:
    """Compare the database's migrations with these, checksums included."""
    version = _version(session)
    asked = REPEATED.format(oldest="oldest" if version >= TELLS_OLDEST else "NULL::bigint")
    rows = session.execute(asked).fetchall() if version else []
    return status(migrations, [codec.value(row, Applied) for row in rows], where)


def dump(session: Session) -> list[str]:
    """Give the schema in comparable form."""
    return [str(line) for (line,) in session.execute(DUMP, prepare=False)]


def _run(session: Session, text: str, migrations: Sequence[Migration], now: int) -> None:
    """Apply one text, unless another process has while we waited for our turn."""
    import psycopg

    for left in reversed(range(TRIES)):
        try:
            with settled(session), session.transaction():
                session.execute(f"SELECT pg_advisory_xact_lock({own(session.schema, LOCK)})", prepare=False)
                if _version(session) >= migrations[-1].version:
                    return
                session.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'", prepare=False)
                _make_schema(session)
                session.execute(text, prepare=False)
                for migration in migrations:
                    values = [migration.version, migration.name, migration.checksum, now]
                    session.execute(ADD, values)
                    if migration.oldest is not None:
                        session.execute(TELL, [migration.oldest, migration.version])
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise


def _make_schema(session: Session) -> None:
    """Make the schema that the address names, where it is not there."""
    row = session.execute("SELECT current_schema() IS NULL", prepare=False).fetchone()
    if row and row[0]:
        session.execute(f"CREATE SCHEMA {session.schema}", prepare=False)


def _version(session: Session) -> int:
    row = session.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    if not (row and row[0]):
        return 0
    row = session.execute("SELECT max(version) FROM schema_migrations").fetchone()
    return (codec.maybe(row[0]) or 0) if row else 0


def _has_day(session: Session, now: int) -> bool:
    """Tell whether the partitions of the day after tomorrow are there."""
    name = days.name_of(days.FEED, days.day_of(now) + 2)
    row = session.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
    return bool(row and row[0])
