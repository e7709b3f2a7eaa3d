"""How does one day of exports get from S3 into PostgreSQL's staging tables?

    python scripts/phase1_s3_to_staging.py --batch-date 2016-01-02

It reads exports/<table>/batch_date=YYYY-MM-DD/part-*.csv, a piece at a time, checks the form of every line and copies
what is well formed. A line that cannot be read goes to dq.rejected_rows as BAD_FORMAT and stops nothing. All of it is
one transaction, and a day that is there already is replaced.

Environment: S3_BUCKET; S3_ENDPOINT (not needed on AWS), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION;
WAREHOUSE_DSN, or PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE; RUN_ID names the run in dq.etl_run.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import datetime
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import obstore
import psycopg
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from psycopg.rows import TupleRow

PIECE = 1 << 20
LONGEST_LINE = 1 << 20
WHOLE = re.compile(r"-?[0-9]{1,18}")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_RECORD = """
INSERT INTO dq.etl_run (run_id, batch_date, step, source_table, status, rows_read, rows_written, rows_rejected,
                        started_at)
VALUES (%s, %s, 'extract', %s, 'success', %s, %s, %s, to_timestamp(%s))
ON CONFLICT ON CONSTRAINT etl_run_pkey DO UPDATE
SET status = EXCLUDED.status, rows_read = EXCLUDED.rows_read, rows_written = EXCLUDED.rows_written,
    rows_rejected = EXCLUDED.rows_rejected, started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at"""


@dataclass(frozen=True)
class Table:
    """What one export looks like: its name on S3, its table, its columns in order, and which of them have a form."""

    export: str
    table: str
    columns: tuple[str, ...]
    forms: tuple[tuple[int, Callable[[str], None]], ...]


@dataclass
class Count:
    """What happened to the lines of one export; the rejected ones wait in a file, not in memory."""

    rejects: IO[bytes]
    read: int = 0
    staged: int = 0
    rejected: int = 0
    read_bytes: int = 0
    started: float = field(default_factory=time.time)


class Malformed(Exception):
    """A line that cannot be a row; the sentence says why."""


def whole(cell: str) -> None:
    """Accept an integer that fits a bigint."""
    if not WHOLE.fullmatch(cell):
        raise Malformed(f"{cell[:40]!r} is not a whole number")


def day(cell: str) -> None:
    """Accept YYYY-MM-DD where such a day exists."""
    try:
        if len(cell) != 10:
            raise ValueError
        datetime.date.fromisoformat(cell)
    except ValueError:
        raise Malformed(f"{cell[:40]!r} is not a date") from None


def moment(cell: str) -> None:
    """Accept YYYY-MM-DD HH:MM:SS, with a T or a fraction if need be, where such a moment exists."""
    try:
        if not MOMENT.fullmatch(cell):
            raise ValueError
        datetime.datetime.fromisoformat(cell)
    except ValueError:
        raise Malformed(f"{cell[:40]!r} is not a date and time") from None


TABLES = (
    Table("tenants", "tenant", ("tenant_id", "name", "plan", "region", "created_at"), ((4, day),)),
    Table("users", "user", ("user_id", "tenant_id", "email", "role", "created_at"), ((4, day),)),
    Table(
        "feature_usage",
        "feature_usage",
        ("event_id", "tenant_id", "user_id", "feature_code", "event_ts", "duration_ms"),
        ((0, whole), (4, moment), (5, whole)),
    ),
)


def main() -> int:
    """Load the day that the command line names; 0 when done, 1 when it could not be."""
    parser = argparse.ArgumentParser(description="Load one day of exports from S3 into the staging tables.")
    parser.add_argument("--batch-date", required=True, type=datetime.date.fromisoformat, metavar="YYYY-MM-DD")
    batch_date: datetime.date = parser.parse_args().batch_date
    try:
        counts = extract(
            open_store(), os.environ.get("WAREHOUSE_DSN", ""), batch_date, os.environ.get("RUN_ID", "manual")
        )
    except KeyError as missing:
        print(f"The environment variable {missing} is not set.", file=sys.stderr)
    except (BaseError, psycopg.Error, FileNotFoundError) as failed:
        print(f"{batch_date} was not loaded, staging is as it was: {failed}", file=sys.stderr)
    else:
        report(counts, batch_date)
        return 0
    return 1


def open_store() -> S3Store:
    """Open the bucket by the environment; a store that is away is noticed within seconds, not minutes."""
    endpoint = os.environ.get("S3_ENDPOINT")
    return S3Store(
        os.environ["S3_BUCKET"],
        endpoint=endpoint,
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region=os.environ.get("AWS_REGION", "us-east-1"),
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http:")), "connect_timeout": "5s"},
        retry_config={"max_retries": 3, "retry_timeout": datetime.timedelta(seconds=10)},
    )


def extract(store: ObjectStore, dsn: str, batch_date: datetime.date, run_id: str) -> dict[str, Count]:
    """Replace the day's staging rows by what the exports hold, in one transaction; what went in and out, by table."""
    files = {table.export: list_parts(store, table, batch_date) for table in TABLES}
    with (
        contextlib.ExitStack() as spools,
        psycopg.connect(dsn, autocommit=True, application_name="phase1_s3_to_staging") as session,
    ):
        counts = {table.export: Count(spools.enter_context(tempfile.TemporaryFile())) for table in TABLES}
        # Two extractions of one day wait for each other: an attempt believed dead may still be at work.
        session.execute("SELECT pg_advisory_lock(hashtext('staging.day'), %s)", [batch_date.toordinal()])
        session.execute("CALL staging.sp_open_day(%s)", [batch_date])
        with session.transaction():
            for table in TABLES:
                pieces = read_parts(store, files[table.export], counts[table.export])
                copy_table(session, table, staging_blocks(pieces, table, batch_date, counts[table.export]), batch_date)
            session.execute("CALL staging.sp_swap_day(%s)", [batch_date])
            for table in TABLES:
                record(session, table, counts[table.export], batch_date, run_id)
    return counts


def list_parts(store: ObjectStore, table: Table, batch_date: datetime.date) -> list[str]:
    """Give the keys of the export's parts in the order of their names; raise FileNotFoundError when there are none."""
    folder = f"exports/{table.export}/batch_date={batch_date}/"
    keys = [meta["path"] for page in obstore.list(store, folder) for meta in page]
    parts = sorted(key for key in keys if re.fullmatch(r"part-[^/]*\.csv", key.removeprefix(folder)))
    if not parts:
        raise FileNotFoundError(f"no part-*.csv under {folder}")
    return parts


def copy_table(
    session: psycopg.Connection[TupleRow], table: Table, blocks: Iterable[str], batch_date: datetime.date
) -> None:
    """Copy one export into its new table, which nobody sees before it is swapped in."""
    target = f'staging."{table.table}_{batch_date:%Y%m%d}_new"'
    columns = ", ".join(("batch_date", "row_no", *table.columns))
    # An extraction that was killed leaves its tables; FREEZE wants one that was emptied in this transaction.
    session.execute(f"TRUNCATE {target}".encode())
    with session.cursor().copy(f"COPY {target} ({columns}) FROM STDIN (FREEZE)".encode()) as copy:
        for block in blocks:
            copy.write(block)
    session.execute(f"ANALYZE {target}".encode())


def record(
    session: psycopg.Connection[TupleRow], table: Table, count: Count, batch_date: datetime.date, run_id: str
) -> None:
    """Write down the rejects and the counts of one export."""
    columns = "batch_date, source_table, row_no, reason, detail, record, found_by"
    with session.cursor().copy(f"COPY dq.rejected_rows ({columns}) FROM STDIN".encode()) as copy:
        count.rejects.seek(0)
        while block := count.rejects.read(PIECE):
            copy.write(block)
    values = [run_id, batch_date, table.table, count.read, count.staged, count.rejected, count.started]
    session.execute(_RECORD, values)


def read_parts(store: ObjectStore, keys: Iterable[str], count: Count) -> Iterator[tuple[str, bool, list[bytes]]]:
    """Give the lines of the parts in pieces of about a megabyte, the key, and whether the piece begins the part."""
    for key in keys:
        first, rest, skipping = True, b"", False
        for chunk in obstore.get(store, key).stream(min_chunk_size=PIECE):
            count.read_bytes += len(chunk)
            *lines, rest = (rest + bytes(chunk)).split(b"\n")
            if skipping and lines:
                lines, skipping = lines[1:], False
            # A line without an end must not fill the memory: its head is kept to be rejected, the rest passed over.
            if len(rest) > LONGEST_LINE:
                lines = lines if skipping else [*lines, rest[: LONGEST_LINE + 1]]
                rest, skipping = b"", True
            if lines:
                yield key, first, lines
                first = False
        if rest and not skipping:
            yield key, first, [rest]


def staging_blocks(
    pieces: Iterable[tuple[str, bool, list[bytes]]], table: Table, batch_date: datetime.date, count: Count
) -> Iterator[str]:
    """Turn pieces of lines into blocks of COPY's text format; what is malformed goes to `count.rejected`."""
    width, forms, day_text = len(table.columns), table.forms, f"{batch_date}\t"
    header, expected = True, ",".join(table.columns).encode()
    for key, first, lines in pieces:
        if first:
            header = lines.pop(0).rstrip(b"\r").removeprefix(b"\xef\xbb\xbf") == expected
        rows: list[str] = []
        for line in lines:
            if not line or line == b"\r":
                continue
            count.read += 1
            try:
                if not header:
                    raise Malformed(f"the header of {key} is not {expected.decode()}")
                cells = split(line, width)
                for position, form in forms:
                    if cells[position]:
                        form(cells[position])
            except Malformed as flaw:
                count.rejected += 1
                count.rejects.write(reject(f"{batch_date}\t{table.table}\t{count.read}", f"{flaw} ({key})", line))
            else:
                rows.append(f"{day_text}{count.read}\t" + "\t".join([cell or "\\N" for cell in cells]))
        count.staged += len(rows)
        if rows:
            yield "\n".join(rows) + "\n"


def reject(row: str, why: str, line: bytes) -> bytes:
    """Make a line of COPY's text format for dq.rejected_rows; bytes that are no text are shown as \\xNN."""
    text = line[:2000].rstrip(b"\r").replace(b"\0", b"\\x00").decode("utf-8", "backslashreplace")
    record = json.dumps({"line": text})
    return f"{row}\tBAD_FORMAT\t{why.translate(ESCAPES)}\t{record.translate(ESCAPES)}\textract\n".encode()


def split(line: bytes, width: int) -> list[str]:
    """Take a line apart into exactly `width` cells, escaped for COPY; a record is one line, quoted cells included."""
    if len(line) > LONGEST_LINE:
        raise Malformed("the line is longer than 1 MiB")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start + 1} is not UTF-8") from None
    if text.endswith("\r"):
        text = text[:-1]
    if '"' in text:
        try:
            cells = next(csv.reader([text], strict=True))
        except csv.Error:
            raise Malformed("a quote is not closed") from None
    else:
        cells = text.split(",")
    if len(cells) != width:
        raise Malformed(f"{len(cells)} columns instead of {width}")
    if "\0" in text:
        raise Malformed("it holds a zero byte")
    if "\\" in text or "\t" in text or "\r" in text:
        cells = [cell.translate(ESCAPES) for cell in cells]
    return cells


def report(counts: dict[str, Count], batch_date: datetime.date) -> None:
    """Tell people on stdout, and the run by the line protocol `::{...}::`."""
    for name, count in counts.items():
        print(f"{name}: {count.read} read, {count.staged} staged, {count.rejected} rejected")
    outputs: dict[str, object] = {"batch_date": batch_date.isoformat()}
    outputs |= {
        name: {"read": count.read, "staged": count.staged, "rejected": count.rejected} for name, count in counts.items()
    }
    outputs["rows_read"] = sum(count.read for count in counts.values())
    outputs["rows_staged"] = sum(count.staged for count in counts.values())
    outputs["rows_rejected"] = sum(count.rejected for count in counts.values())
    metrics = [
        {"name": f"rows_{what}", "type": "counter", "value": value, "tags": {"table": name}}
        for name, count in counts.items()
        for what, value in (("read", count.read), ("staged", count.staged), ("rejected", count.rejected))
    ]
    metrics.append(
        {"name": "bytes_read", "type": "counter", "value": sum(count.read_bytes for count in counts.values())}
    )
    print("::" + json.dumps({"outputs": outputs, "metrics": metrics}) + "::", flush=True)


if __name__ == "__main__":
    sys.exit(main())
