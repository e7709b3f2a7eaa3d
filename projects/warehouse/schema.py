"""How does a database become the warehouse's? Every file of sql/ is applied, in the order of the names."""

from __future__ import annotations

from pathlib import Path

import psycopg

SQL = Path(__file__).parent / "sql"


def apply_schema(dsn: str) -> list[str]:
    """Apply all SQL files in one transaction, which may be done at any time again; give their names."""
    names = []
    with psycopg.connect(dsn) as session:
        session.execute("SELECT pg_advisory_xact_lock(hashtext('warehouse.schema'))")
        session.execute("SET LOCAL client_min_messages = warning")
        for path in sorted(SQL.glob("*.sql")):
            session.execute(path.read_bytes())
            names.append(path.name)
    return names
