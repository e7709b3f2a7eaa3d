"""How do tests put days of exports into a warehouse and look at what became of them?"""

from __future__ import annotations

import datetime
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
from obstore.store import LocalStore, S3Store

from projects.servers import S3Server
from projects.warehouse.check import Difference, compare
from projects.warehouse.faults import header, text
from projects.warehouse.features import CODES
from projects.warehouse.scripts.phase1_s3_to_staging import extract

PHASE1 = Path(__file__).parents[2] / "projects" / "warehouse" / "scripts" / "phase1_s3_to_staging.py"
FIRST = datetime.date(2016, 1, 2)
Rows = Mapping[str, Iterable[Iterable[str]]]


def day(offset: int = 0) -> datetime.date:
    """Give a day by its distance from the first."""
    return FIRST + datetime.timedelta(days=offset)


def write(folder: Path, batch_date: datetime.date, rows: Rows) -> None:
    """Write the exports of a day, in one part each; a table without rows has a header alone."""
    for table in ("tenants", "users", "feature_usage"):
        place = folder / "exports" / table / f"batch_date={batch_date}"
        place.mkdir(parents=True, exist_ok=True)
        lines = [header(table), *(text(list(cells)) for cells in rows.get(table, ()))]
        (place / "part-00000.csv").write_bytes(b"\n".join([*lines, b""]))


def stage(dsn: str, folder: Path, batch_date: datetime.date) -> None:
    """Extract a day from a folder, in this process."""
    extract(LocalStore(folder), dsn, batch_date, "test")


def load(dsn: str, *days: datetime.date) -> None:
    """Load staged days into the star schema, one after the other."""
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute("CALL dw.sp_seed_dim_feature()")
        for batch_date in days:
            session.execute("CALL dw.sp_load_staging_to_dw(%s)", [batch_date])


def wrong(dsn: str, folder: Path, days: Iterable[datetime.date] | None = None) -> list[Difference]:
    """Give the tables that do not hold what the files say."""
    return [one for one in compare(dsn, folder, days) if not one.right]


def rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    """Ask the warehouse."""
    with psycopg.connect(dsn) as session:
        return session.execute(query.encode()).fetchall()


def empty(dsn: str) -> None:
    """Forget every loaded and staged day."""
    with psycopg.connect(dsn, autocommit=True) as session:
        session.execute(
            'TRUNCATE staging.tenant, staging."user", staging.feature_usage, dw.loaded_batch, dw.dim_tenant,'
            " dw.dim_user, dw.fact_feature_usage, dq.etl_run, dq.audit_checks, dq.rejected_rows"
        )


def open_bucket(s3: S3Server, bucket: str) -> S3Store:
    """Open a bucket of the test server."""
    return S3Store(bucket, endpoint=s3.endpoint, access_key_id=s3.access_key, secret_access_key=s3.secret_key,
                   region=s3.region, client_options={"allow_http": True})  # fmt: skip


def phase1(s3: S3Server, bucket: str, dsn: str, batch_date: datetime.date) -> subprocess.CompletedProcess[str]:
    """Run the extraction as the flow does: a process of its own that knows its environment alone."""
    env = {"PATH": os.environ["PATH"], **s3.env, "S3_BUCKET": bucket, "WAREHOUSE_DSN": dsn, "RUN_ID": "run-1"}
    command = [sys.executable, str(PHASE1), "--batch-date", batch_date.isoformat()]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def small_day(chance: random.Random, batch_date: datetime.date) -> dict[str, list[list[str]]]:
    """Draw a day in which few tenants, users and events meet often, and half of what can be wrong is."""

    def some(*choices: str) -> str:
        return "" if chance.random() < 0.06 else chance.choice(choices)

    tenants = [[some("T1", "T2", "T3"), some("one", "two"), "free", "eu", "2015-01-01"] for _ in range(3)]
    users = [
        [some("U1", "U2", "U3", "U4"), some("T1", "T2", "T3"), some("a@x", "b@x"), some("viewer"), "2015-01-01"]
        for _ in range(chance.randrange(6))
    ]
    usage = []
    for _ in range(chance.randrange(10)):
        moment = batch_date - datetime.timedelta(days=chance.choice((0, 0, 0, 1, 2)))
        ids = [some(*(str(number) for number in range(1, 13))), some("T1", "T2", "T3"), some("U1", "U2", "U3", "U4")]
        usage.append([*ids, some(*CODES[:2], "no"), f"{moment} 0{chance.randrange(10)}:00:00", some("0", "5", "-1")])
    return {"tenants": tenants, "users": users, "feature_usage": usage}
