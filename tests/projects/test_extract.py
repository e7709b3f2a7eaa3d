"""Does the extraction bring exactly the readable lines of a day, whatever the files look like?"""

from __future__ import annotations

import datetime
import json
import re
import tracemalloc
from pathlib import Path

import pytest

from projects.warehouse.scripts.phase1_s3_to_staging import LONGEST_LINE, TABLES, Count, staging_blocks
from tests.projects.conftest import Exports
from tests.projects.days import FIRST, day, phase1, rows, stage, write, wrong

REJECTS = "SELECT row_no, detail, record ->> 'line' FROM dq.rejected_rows ORDER BY row_no"
USAGE = "SELECT row_no, event_id, tenant_id, event_ts, duration_ms FROM staging.feature_usage ORDER BY row_no"


def test_the_script_tells_the_run_what_went_in_and_out(warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)

    done = phase1(exports.s3, exports.bucket, warehouse, FIRST)

    assert done.returncode == 0, done.stderr
    told = re.search(r"^::(\{.*\})::$", done.stdout, re.M)
    assert told is not None
    outputs = json.loads(told[1])["outputs"]
    staged = rows(warehouse, "SELECT count(*) FROM staging.feature_usage")[0][0]
    assert outputs["feature_usage"]["staged"] == staged
    assert outputs["rows_read"] == outputs["rows_staged"] + outputs["rows_rejected"]
    assert {
        "name": "rows_staged",
        "type": "counter",
        "value": staged,
        "tags": {"table": "feature_usage"},
    } in json.loads(told[1])["metrics"]


def test_a_day_extracted_twice_is_there_once(warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)
    phase1(exports.s3, exports.bucket, warehouse, FIRST)
    before = [rows(warehouse, query) for query in (USAGE, REJECTS)]

    done = phase1(exports.s3, exports.bucket, warehouse, FIRST)

    assert done.returncode == 0, done.stderr
    assert [rows(warehouse, query) for query in (USAGE, REJECTS)] == before


def test_with_s3_down_nothing_changes_and_the_script_says_so(warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)
    phase1(exports.s3, exports.bucket, warehouse, FIRST)
    before = rows(warehouse, USAGE)
    exports.s3.stop()

    done = phase1(exports.s3, exports.bucket, warehouse, FIRST)

    assert done.returncode == 1
    assert "2016-01-02 was not loaded, staging is as it was" in done.stderr
    assert rows(warehouse, USAGE) == before


def test_a_day_without_exports_fails_by_name(warehouse: str, exports: Exports) -> None:
    exports.send(FIRST)

    done = phase1(exports.s3, exports.bucket, warehouse, day(40))

    assert done.returncode == 1
    assert "no part-*.csv under exports/tenants/batch_date=2016-02-11/" in done.stderr


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"1,T1,U1,editor.open,2016-01-02 10:00:00,5,more", "7 columns instead of 6"),
        (b"1,T1,U1,editor.open,2016-01-02 10:00:00", "5 columns instead of 6"),
        (b"1,caf\xe9,U1,editor.open,2016-01-02 10:00:00,5", "byte 6 is not UTF-8"),
        (b'1,"T1,U1,editor.open,2016-01-02 10:00:00,5', "a quote is not closed"),
        (b"1,T\0,U1,editor.open,2016-01-02 10:00:00,5", "it holds a zero byte"),
        (b"one,T1,U1,editor.open,2016-01-02 10:00:00,5", "'one' is not a whole number"),
        (b"1_0,T1,U1,editor.open,2016-01-02 10:00:00,5", "'1_0' is not a whole number"),
        (b"1,T1,U1,editor.open,2016-02-30 10:00:00,5", "'2016-02-30 10:00:00' is not a date and time"),
        (b"1,T1,U1,editor.open,2016-W01-2,5", "'2016-W01-2' is not a date and time"),
        (
            b"1,T1,U1,editor.open,2016-01-02 10:00:00,99999999999999999999",
            "'99999999999999999999' is not a whole number",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_aside_and_the_next_is_read(
    warehouse: str, tmp_path: Path, line: bytes, why: str
) -> None:
    write(tmp_path, FIRST, {})
    path = tmp_path / f"exports/feature_usage/batch_date={FIRST}/part-00000.csv"
    path.write_bytes(path.read_bytes() + line + b"\r\n\r\n2,T1,U1,editor.open,2016-01-02T10:00:00.5,7\r\n")

    stage(warehouse, tmp_path, FIRST)

    assert [(row[0], str(row[1]).partition(" (")[0]) for row in rows(warehouse, REJECTS)] == [(1, why)]
    assert rows(warehouse, USAGE) == [(2, 2, "T1", datetime.datetime(2016, 1, 2, 10, 0, 0, 500_000), 7)]
    assert [one.table for one in wrong(warehouse, tmp_path, [FIRST]) if one.table.startswith("staging")] == []


def test_cells_with_signs_of_copy_arrive_as_they_are(warehouse: str, tmp_path: Path) -> None:
    odd = ["T\\N", 'a "quoted", name\twith a tab', "\\", "$$", "2016-01-01"]
    write(tmp_path, FIRST, {"tenants": [odd]})

    stage(warehouse, tmp_path, FIRST)

    found = rows(warehouse, "SELECT tenant_id, name, plan, region, created_at::text FROM staging.tenant")
    assert found == [tuple(odd)]


def test_a_file_with_another_header_is_rejected_line_by_line(warehouse: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST, {"tenants": [["T1", "one", "free", "eu", "2016-01-01"]]})
    path = tmp_path / f"exports/tenants/batch_date={FIRST}/part-00000.csv"
    path.write_bytes(path.read_bytes().replace(b"tenant_id,name", b"name,tenant_id"))

    stage(warehouse, tmp_path, FIRST)

    assert rows(warehouse, "SELECT count(*) FROM staging.tenant") == [(0,)]
    assert "is not tenant_id,name,plan" in str(rows(warehouse, REJECTS)[0][1])


def test_a_line_without_end_is_rejected_once_and_does_not_fill_the_memory(warehouse: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST, {})
    path = tmp_path / f"exports/feature_usage/batch_date={FIRST}/part-00000.csv"
    with path.open("ab") as file:
        for _ in range(12):
            file.write(b"x" * LONGEST_LINE)
        file.write(b"\n3,T1,U1,editor.open,2016-01-02 10:00:00,7\n")

    tracemalloc.start()
    stage(warehouse, tmp_path, FIRST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [row[:2] for row in rows(warehouse, REJECTS)] == [
        (1, f"the line is longer than 1 MiB (exports/feature_usage/batch_date={FIRST}/part-00000.csv)")
    ]
    assert rows(warehouse, "SELECT row_no FROM staging.feature_usage") == [(2,)]
    assert peak < 8 * LONGEST_LINE


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    usage = TABLES[2]
    piece = [b"1,T1,U1,editor.open,2016-01-02 10:00:00,5", b"bad"] * 500
    head = [",".join(usage.columns).encode()]
    peaks = []

    for pieces in (4, 40):
        count = Count((tmp_path / str(pieces)).open("wb"))
        tracemalloc.start()
        stream = ((("key", number == 0, head + piece if number == 0 else piece)) for number in range(pieces))
        with count.rejects:
            for _ in staging_blocks(stream, usage, FIRST, count):
                pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (count.staged, count.rejected) == (500 * pieces, 500 * pieces)

    assert peaks[1] < peaks[0] * 1.5
