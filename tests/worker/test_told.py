"""Does a process hear where it stands in a trace, and tell what data it touches, where somebody wants to know?"""

from __future__ import annotations

import os
from pathlib import Path

from penstock.model.asset import Access, Change, Check, Touched
from penstock.model.event import Ended
from penstock.model.node import Task
from penstock.services.core import Knobs
from penstock.store import events
from penstock.telemetry import traces
from tests.exporting.receiver import receiving
from tests.worker.workshop import Workshop, python, shell


def test_a_process_is_told_its_place_in_the_trace_and_hands_it_on(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, Knobs(environ=dict(os.environ), traces=1.0))
    with receiving() as receiver:
        asked: dict[str, object] = {"uri": receiver.url, "method": "POST"}
        run_id = workshop.run(shell("look", "/usr/bin/env"), Task(id="call", type="http.request", properties=asked))
        told = dict(line.split("=", 1) for line in workshop.log(run_id, "look").splitlines())
        run = workshop.of(run_id)
        workshop.close()

    assert told["TRACEPARENT"] == traces.of_attempt(run, "look", 1, 1.0)
    assert receiver.heard[0].headers["traceparent"] == traces.of_attempt(run, "call", 1, 1.0)


def test_where_nothing_is_told_nothing_is_handed_on(workshop: Workshop) -> None:
    run_id = workshop.run(shell("look", "/usr/bin/env"))

    assert "TRACEPARENT" not in workshop.log(run_id)
    assert "PENSTOCK_LINEAGE" not in workshop.log(run_id)


def test_a_script_tells_what_it_reads_and_writes_where_that_is_wanted(tmp_path: Path) -> None:
    script = """
print('::{"reads": [{"namespace": "file://host", "name": "/data/a.csv", "rows": 3}], "writes": [{"name": "x"}]}::')
print('::{"writes": [{"namespace": "postgres://db:5432", "name": "a.b.c", "size": 7}]}::')
print('::{"writes": [{"namespace": "n", "name": "t", "columns": {"id": "int"}, "change": "CREATE", "part": "one"}]}::')
print('::{"reads": [{"namespace": "n", "name": "t", "checks": [{"name": "unique", "passed": true}]}]}::')
print('::{"reads": [{"namespace": "n", "name": "u", "checks": "all"}]}::')
"""
    workshop = Workshop(tmp_path, Knobs(environ=dict(os.environ), lineage=True))
    run_id = workshop.run(python("talk", script))
    told = workshop.store.read(lambda tx: events.every(tx, run_id))
    log = workshop.log(run_id)
    workshop.close()

    assert next(each.event for each in told if isinstance(each.event, Ended)).touched == (
        Touched(access=Access.READS, namespace="file://host", name="/data/a.csv", rows=3),
        Touched(access=Access.WRITES, namespace="postgres://db:5432", name="a.b.c", size=7),
        Touched(access=Access.WRITES, namespace="n", name="t", columns={"id": "int"}, change=Change.CREATE, part="one"),
        Touched(access=Access.READS, namespace="n", name="t", checks=(Check(name="unique", passed=True),)),
    )
    assert "makes no sense" in log
