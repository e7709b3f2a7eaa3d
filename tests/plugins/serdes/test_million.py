"""Does a file of a million records take no more memory than a small one, in any format?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 1_000_000
MOST = 160 * 1024  # kB; two thirds of it are the library of Parquet

# Each step in a process of its own, which tells the most memory that it ever had.
STEP = """
import json, sys
from pathlib import Path
from penstock.sdk.local import LocalContext

kind, source, target, more = sys.argv[1:]
with LocalContext(Path(f"{target}.folder")) as local:
    told = local.run(kind, {"from": local.put(Path(source)), **json.loads(more)})
    assert told.failure is None, told.failure
    uris = told.outputs.get("uris", {})
    local.path(str(told.outputs.get("uri") or next(iter(uris.values())))).rename(target)
    assert told.outputs["size"] == 1_000_000, told.outputs
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(peak.split()[1])
"""


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_million_records_go_through_every_format_without_growing(tmp_path: Path) -> None:
    first = tmp_path / "orders.csv"
    with first.open("w") as file:
        file.write("id,name,price,day,note\n")
        for number in range(ROWS):
            file.write(f"{number},name {number % 977},{number / 4},2024-02-{1 + number % 28:02d},some words\n")
    expected = first.read_bytes().splitlines()
    steps = [
        ("csv.read", "{}"), ("json.write", '{"newLine": false}'), ("json.read", '{"newLine": false}'),
        ("ion.write", "{}"), ("ion.read", "{}"), ("avro.write", "{}"), ("avro.read", "{}"),
        ("parquet.write", "{}"), ("parquet.read", "{}"), ("xml.write", "{}"),
        ("xml.read", '{"query": "/items/item"}'), ("excel.write", "{}"), ("excel.read", "{}"), ("csv.write", "{}"),
    ]  # fmt: skip

    peaks = {}
    source = first
    for number, (kind, more) in enumerate(steps):
        target = tmp_path / f"{number}.out"
        done = subprocess.run(
            [sys.executable, "-c", STEP, kind, str(source), str(target), more],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (kind, done.stderr)
        peaks[kind] = int(done.stdout)
        source.unlink()
        source = target

    assert max(peaks.values()) < MOST, peaks
    # The way through XML makes numbers of what looks like one, and so `250.0` of a fraction that is whole.
    found = source.read_bytes().splitlines()
    assert (len(found), found[0], found[2], found[-1]) == (len(expected), expected[0], expected[2], expected[-1]), peaks
