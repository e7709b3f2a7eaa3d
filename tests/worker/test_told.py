"""Does a process hear where it stands in a trace, and hand that on?"""

from __future__ import annotations

import os
from pathlib import Path

from penstock.model.node import Task
from penstock.services.core import Knobs
from penstock.telemetry import traces
from tests.exporting.receiver import receiving
from tests.worker.workshop import Workshop, shell


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
