"""Does the warehouse hold exactly what the CSV files say it must?

    python -m projects.warehouse.check EXPORTS_FOLDER --dsn postgresql://…

Exit code 0: every table is right; 1: differences, which are printed; 2: wrong call.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from projects.warehouse.features import COLUMNS, FEATURES
from projects.warehouse.model import TABLE_OF, Expected, Row, expect

_TENANTS = "SELECT tenant_id, name, plan, region, created_at, batch_date FROM dw.dim_tenant"
_USERS = """
SELECT user_id, version_no, tenant_id, email, role, created_at, valid_from,
       CASE valid_to WHEN 'infinity' THEN date '9999-12-31' ELSE valid_to END, is_current
FROM dw.dim_user"""
_FACTS = """
SELECT event_id, date_key, t.tenant_id, u.user_id, u.valid_from, feature_code, event_ts, duration_ms,
       f.batch_date, row_no
FROM dw.fact_feature_usage AS f
LEFT JOIN dw.dim_tenant AS t USING (tenant_key)
LEFT JOIN dw.dim_user AS u USING (user_key)
LEFT JOIN dw.dim_feature USING (feature_key)"""
_REJECTS = "SELECT batch_date, source_table, row_no, reason FROM dq.rejected_rows"
# What the newest extraction of each day says that it read, wrote and rejected.
_EXTRACTED = """
SELECT DISTINCT ON (batch_date, source_table) batch_date, source_table, rows_read, rows_written, rows_rejected
FROM dq.etl_run
WHERE step = 'extract' AND status = 'success' AND batch_date = ANY (%s)
ORDER BY batch_date, source_table, ended_at DESC"""
_DATES = "SELECT date_key, date, year, quarter, month, day, iso_week, weekday, is_weekend FROM dw.dim_date"


@dataclass(frozen=True)
class Difference:
    """What one table lacks and what it holds too much; `rows` is what it must hold."""

    table: str
    rows: int
    missing: tuple[Row, ...]
    surplus: tuple[Row, ...]

    @property
    def right(self) -> bool:
        """Say whether the table holds exactly what it must."""
        return not self.missing and not self.surplus


def compare(dsn: str, folder: Path, days: Iterable[datetime.date] | None = None) -> list[Difference]:
    """Compare every table with what the files of these days say; without days, of those that are loaded."""
    with psycopg.connect(dsn) as session:
        loaded = {row[0] for row in session.execute("SELECT batch_date FROM dw.loaded_batch")}
        chosen = sorted(loaded if days is None else set(days))
        right = expect(folder, chosen)
        results = [_differ("dw.loaded_batch", {(day,) for day in chosen}, [(day,) for day in loaded])]
        for export, table in TABLE_OF.items():
            columns = ", ".join(COLUMNS[export])
            query = f'SELECT batch_date, row_no, {columns} FROM staging."{table}" WHERE batch_date = ANY (%s)'
            results.append(_differ(f"staging.{table}", right.staging[table], _rows(session, query, [chosen])))
        results.append(_differ("dw.dim_tenant", right.tenants, _rows(session, _TENANTS)))
        results.append(_differ("dw.dim_user", right.users, _rows(session, _USERS)))
        features: set[Row] = {(code, category) for category, codes in FEATURES.items() for code in codes}
        found = _rows(session, "SELECT feature_code, category FROM dw.dim_feature")
        results.append(_differ("dw.dim_feature", features, found))
        results.append(_differ("dw.dim_date", _calendar({row[6] for row in right.facts}), _rows(session, _DATES)))
        results.append(_differ("dw.fact_feature_usage", right.facts, _rows(session, _FACTS)))
        results.append(_differ("dq.rejected_rows", right.rejects, _rows(session, _REJECTS)))
        results.append(_differ("dq.etl_run", _extracted(right, chosen), _rows(session, _EXTRACTED, [chosen])))
    return results


def _extracted(right: Expected, days: Iterable[datetime.date]) -> set[Row]:
    """Count per day and table what was read, staged and set aside because nobody can read it."""
    staged = Counter((row[0], table) for table, rows in right.staging.items() for row in rows)
    unread = Counter((row[0], row[1]) for row in right.rejects if row[3] == "BAD_FORMAT")
    keys = [(day, table) for day in days for table in TABLE_OF.values()]
    return {(*key, staged[key] + unread[key], staged[key], unread[key]) for key in keys}


def _rows(session: psycopg.Connection[Row], query: str, values: list[object] | None = None) -> list[Row]:
    return session.execute(query.encode(), values).fetchall()


def _differ(table: str, right: set[Row], found: list[Row]) -> Difference:
    # A row that is there twice is one too many even where the set of rows is right.
    once = set(found)
    twice = list((Counter(found) - Counter(once)).elements()) if len(once) < len(found) else []
    missing, surplus = right - once, [*(once - right), *twice]
    return Difference(table, len(right), tuple(sorted(missing, key=repr)), tuple(sorted(surplus, key=repr)))


def _calendar(moments: set[object]) -> set[Row]:
    """Give the two seeded years and every day of a fact."""
    days = {datetime.date(2015, 1, 1) + datetime.timedelta(days=offset) for offset in range(365 + 366)}
    days |= {moment.date() for moment in moments if isinstance(moment, datetime.datetime)}
    return {
        (int(f"{day:%Y%m%d}"), day, day.year, (day.month + 2) // 3, day.month, day.day,
         day.isocalendar().week, day.isoweekday(), day.isoweekday() > 5)
        for day in days
    }  # fmt: skip


def print_differences(results: Iterable[Difference], *, most: int = 5) -> bool:
    """Print a line per table, and the first differences of those that are not right; say whether all are."""
    fine = True
    for one in results:
        fine &= one.right
        state = "ok" if one.right else f"{len(one.missing)} missing, {len(one.surplus)} too many"
        print(f"  {one.table:<24} {one.rows:>10,} rows  {state}")
        for sign, rows in (("-", one.missing), ("+", one.surplus)):
            for row in rows[:most]:
                print(f"      {sign} {', '.join(map(str, row))}")
    return fine


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description="Compare the warehouse with what the CSV files say it must hold.")
    parser.add_argument("folder", type=Path, help="the folder that holds exports/")
    parser.add_argument("--dsn", default=os.environ.get("WAREHOUSE_DSN"), help="or the variable WAREHOUSE_DSN")
    parser.add_argument("--day", type=datetime.date.fromisoformat, action="append", help="default: the loaded days")
    given = parser.parse_args()
    if not given.dsn:
        parser.error("where is the warehouse? Give --dsn or WAREHOUSE_DSN.")
    return 0 if print_differences(compare(given.dsn, given.folder, given.day)) else 1


if __name__ == "__main__":
    sys.exit(main())
