"""How long does a page of a list take among a million runs? Through the API, the first page and the thousandth."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import Final

import psycopg

from bench.calls import heard
from bench.figure import Figure, figure
from bench.house import DATABASES
from bench.served import Served, served

RUNS, LOGGED, LINES = 1_000_000, 10_000, 1_000
PAGE, FAR, TIMES = 50, 1_000, 200
BARS: Final = {"sqlite": 100, "postgres": 50}
TEXT: Final = f"id: counts\nnamespace: bench\ntasks:\n  - {{id: say, type: shell.script, script: seq {LINES}}}\n"
COLUMNS: Final = (
    "version, namespace, flow, revision, status, priority, parent, created_at, started_at, ended_at, owner, labels"
)
CHUNKS: Final = "step, attempt, seq, first_at, last_at, start, length, lines, streams, levels, body"
# A run like the one that was really done, under an id of the same instant.
COPIED: Final = (
    f"INSERT INTO runs (id, {COLUMNS}, body) SELECT {{id}}, {COLUMNS}, replace(body, id, {{id}}) "
    "FROM runs CROSS JOIN {numbers} WHERE id = {run}"
)
LOGGED_TOO: Final = (
    f"INSERT INTO log_chunks (run_id, {CHUNKS}) SELECT {{id}}, {CHUNKS} "
    "FROM log_chunks CROSS JOIN {numbers} WHERE run_id = {run}"
)


def list_runs() -> list[Figure]:
    """A page of 50 of 1,000,000 runs with 10,000,000 lines of logs: ms, the first page and the thousandth."""
    found = []
    for database in DATABASES:
        with served(database) as stand:
            stand.push(TEXT)
            with heard(stand) as ends:
                run = stand.start("counts")
                ends.wait([run])
            time.sleep(2.0)  # its log is kept a moment after its end
            _filled(stand, run)
            far = _far(stand)
            for cursor, note in (("", "first page"), (far, "1,000th page")):
                seen = [_page(stand, cursor)[0] for _ in range(TIMES)]
                found.append(_figure(database, seen, note))
    return found


def _figure(database: str, seen: list[float], note: str) -> Figure:
    return figure("list_runs", "ms", seen, database=database, note=note, p95_bar=BARS[database])


def _filled(stand: Served, run: str) -> None:
    """Write copies of a run, and of its log for some, in one go each."""
    if stand.store:
        with psycopg.connect(stand.store[1], autocommit=True) as server:
            new = f"'{run[:10]}' || lpad(number::text, 16, '0')"
            for text, count in ((COPIED, RUNS), (LOGGED_TOO, LOGGED)):
                numbers = f"generate_series(1, {count}) AS number"
                server.execute(text.format(id=f"({new})", numbers=numbers, run=f"'{run}'").encode())
            server.execute("VACUUM ANALYZE")
        return
    folder = stand.folder / ".penstock"
    for file, text, count in (("penstock.db", COPIED, RUNS), ("penstock-logs.db", LOGGED_TOO, LOGGED)):
        numbers = (
            "(WITH RECURSIVE counted(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted "
            f"WHERE number < {count}) SELECT number FROM counted)"
        )
        new = f"('{run[:10]}' || printf('%016d', number))"
        with contextlib.closing(sqlite3.connect(folder / file, timeout=60)) as light:
            light.execute(text.format(id=new, numbers=numbers, run=f"'{run}'"))
            light.commit()
            light.execute("ANALYZE")


def _far(stand: Served) -> str:
    """The cursor of the thousandth page, come to as people do: page by page."""
    cursor = ""
    for _ in range(FAR - 1):
        _, cursor = _page(stand, cursor)
        assert cursor, "there are not so many pages"
    return cursor


def _page(stand: Served, cursor: str) -> tuple[float, str]:
    """The ms that a page takes, and the cursor of the next."""
    began = time.perf_counter()
    answer = stand.client.get("/v1/runs", params={"limit": PAGE, "cursor": cursor})
    spent = (time.perf_counter() - began) * 1e3
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert len(page["items"]) == PAGE
    return spent, str(page["next"])
