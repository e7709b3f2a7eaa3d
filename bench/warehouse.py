"""What does the warehouse's day cost beside a plain `psql \\copy` and the procedures run by hand? 1,000,000 events."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from bench.figure import Figure, figure
from projects.servers import PostgresServer, find_binaries, postgres_server, s3_server
from projects.warehouse import demo
from projects.warehouse.generate import FIRST_DATE, Recipe, upload, write_days
from projects.warehouse.schema import apply_schema

EVENTS = 1_000_000
TIMES = 3
STEPS = ("extract", "seed_dim_feature", "load_staging_to_dw")
COPIES = {
    "tenants": ("tenant", "tenant_id, name, plan, region, created_at"),
    "users": ("user", "user_id, tenant_id, email, role, created_at"),
    "feature_usage": ("feature_usage", "event_id, tenant_id, user_id, feature_code, event_ts, duration_ms"),
}


def warehouse() -> list[Figure]:
    """Seconds that extraction, seeding and load take in a run of the flow; the floor is psql on the same files."""
    recipe = dataclasses.replace(Recipe(events=EVENTS), bad_every=0)  # a plain \copy knows no bad lines
    seen, low = [], []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        files = write_days(recipe, [FIRST_DATE], Path(folder, "exports"))
        for turn in range(TIMES):
            with _servers(Path(folder, str(turn)), files, Path(folder, "exports")) as project:
                seen.append(_by_flow(project))
            with postgres_server(Path(folder, f"floor{turn}")) as server:
                low.append(_by_hand(server, files))
    name = "warehouse"
    note = f"{EVENTS:,} events; extraction, seeding and load"
    return [figure(name, "s", seen, floor=low, database="postgres", ratio_bar=2, note=note)]


@contextlib.contextmanager
def _servers(folder: Path, files: list[Path], exports: Path) -> Iterator[Path]:
    """A copy of the project with its servers up and the exports on S3."""
    project = folder / "project"
    ignore = shutil.ignore_patterns(".demo", ".penstock", "__pycache__")
    shutil.copytree(demo.PROJECT, project, ignore=ignore)
    with postgres_server(folder / "postgres") as server, s3_server(folder / "s3") as s3:
        demo.prepare_database(server)
        s3.create_bucket(demo.BUCKET)
        upload(demo.open_bucket(s3), exports, files)
        (project / ".demo").mkdir()
        demo.write_secrets(project / ".demo" / "secrets", server, s3)
        yield project


def _by_flow(project: Path) -> float:
    command = [sys.executable, "-m", "penstock", "run", demo.FLOW, "-i", f"batch_date={FIRST_DATE}", "--json"]
    told = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout
    steps = {step["task"]: step for step in json.loads(told)["steps"]}
    return sum(float(steps[name]["duration"]) for name in STEPS)


def _by_hand(server: PostgresServer, files: list[Path]) -> float:
    dsn = server.create_database("floor")
    apply_schema(dsn)
    day = f"DATE '{FIRST_DATE}'"
    lines = [f"CALL staging.sp_open_day({day});"]
    for export, (table, columns) in COPIES.items():
        new = f"staging.{table}_{FIRST_DATE:%Y%m%d}_new"
        lines += [
            f"CREATE SEQUENCE staging.n_{table};",
            f"ALTER TABLE {new} ALTER batch_date SET DEFAULT {day},"
            f" ALTER row_no SET DEFAULT nextval('staging.n_{table}');",
        ]
        lines += [
            rf"\copy {new} ({columns}) FROM '{path}' WITH (FORMAT csv, HEADER true)"
            for path in files
            if path.parent.parent.name == export
        ]
    lines += [f"CALL staging.sp_swap_day({day});", "CALL dw.sp_seed_dim_feature();"]
    lines += [f"CALL dw.sp_load_staging_to_dw({day});"]
    began = time.perf_counter()
    psql = [str(find_binaries() / "psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", dsn]
    subprocess.run(psql, input="\n".join(lines), text=True, check=True, env=dict(os.environ))
    spent = time.perf_counter() - began
    with psycopg.connect(dsn) as session:
        row = session.execute("SELECT count(*) FROM dw.fact_feature_usage").fetchone()
        assert row is not None
        assert row[0] > 0.99 * EVENTS, f"the floor loaded {row[0]} events"
    return spent
