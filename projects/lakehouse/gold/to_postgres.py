"""How does PostgreSQL come by the tables of the lake, so that the same models work there? As copies, seen at once.

    python to_postgres.py NAMESPACE      # into the schema of that name of the database at GOLD_DATABASE_URL

It is one transaction: who reads there sees the former copies of all tables, or the new ones. The lake's own tables are
read one after the other, each as it stands by then, and jobs of Flink commit to each by itself: copies that are made
while events come need not be of one moment, any more than the tables are. The flow copies once all is through.
Needs what dbt-postgres and lake.py need.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import psycopg2
from lake import attach

TABLES = ("bronze", "silver", "rejects")
# How PostgreSQL calls what DuckDB calls otherwise.
TYPES = {"DOUBLE": "double precision", "VARCHAR": "text", "TIMESTAMP WITH TIME ZONE": "timestamptz"}


def main(name: str) -> None:
    """Copy the tables of a namespace, in one transaction."""
    with duckdb.connect() as lake, psycopg2.connect(os.environ["GOLD_DATABASE_URL"]) as database:
        attach(lake)
        with database.cursor() as cursor, tempfile.TemporaryDirectory() as folder:
            cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')
            for table in TABLES:
                file = Path(folder, f"{table}.csv")
                columns = lake.sql(f'DESCRIBE lake."{name}"."{table}"').fetchall()
                lake.execute(f'COPY lake."{name}"."{table}" TO \'{file}\' (FORMAT csv, HEADER false, FORCE_QUOTE *)')
                told = ", ".join(f'"{column}" {TYPES.get(kind, kind)}' for column, kind, *_ in columns)
                # what dbt has built on it are tables, not views: nothing stands on what is dropped
                cursor.execute(f'DROP TABLE IF EXISTS "{name}"."{table}"')
                cursor.execute(f'CREATE TABLE "{name}"."{table}" ({told})')
                with file.open() as rows:
                    cursor.copy_expert(f'COPY "{name}"."{table}" FROM STDIN (FORMAT csv)', rows)
                print(f"{cursor.rowcount} rows of {table} copied.")
                print(f"::{json.dumps(lineage(name, table, cursor.rowcount))}::")
                file.unlink()
                cursor.execute(f'ANALYZE "{name}"."{table}"')
    database.close()


def lineage(name: str, table: str, rows: int) -> dict[str, list[dict[str, object]]]:
    """What is told of a copy: from where to where."""
    store, _, folder = os.environ.get("ICEBERG_WAREHOUSE", "s3://lake/warehouse").removeprefix("s3://").partition("/")
    there = urlsplit(os.environ["GOLD_DATABASE_URL"])
    about: dict[str, object] = {"rows": rows, "part": f"copy.{table}"}
    copy = {"namespace": f"postgres://{there.hostname}:{there.port}", "name": f"{there.path[1:]}.{name}.{table}"}
    return {
        "reads": [{"namespace": f"s3://{store}", "name": f"{folder}/{name}/{table}", **about}],
        "writes": [{**copy, **about}],
    }


if __name__ == "__main__":
    main(sys.argv[1])
