"""Is every run that is over told as a trace, whatever became of its worker, once, and again only by the same ids?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from penstock.errors.work import Unanswered
from penstock.model.access import EVERYWHERE
from penstock.model.run import Run
from penstock.model.status import Outcome
from penstock.services import runs, sweep
from penstock.services.core import Knobs
from penstock.services.exporting.traces import Collector, Traces
from penstock.store import runs as table
from penstock.store.postgres.store import open_postgres
from penstock.telemetry import traces
from tests.exporting.receiver import Receiver, receiving
from tests.servers import database, postgres, server_folder
from tests.services.office import Office

__all__ = ["database", "postgres", "server_folder"]
INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """Who takes traces."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """An empty store with its services, on each database, where all traces are told."""
    store = open_postgres(request.getfixturevalue("database")) if request.param == "postgres" else None
    made = Office(Knobs(traces=1.0), store=store)
    yield made
    made.close()


@pytest.fixture
def telling(office: Office, collector: Receiver) -> Traces:
    """What tells the collector, from now on."""
    made = Traces(office.core, Collector(url=collector.url, headers={"x-key": "k"}))
    made.turn()
    return made


def spans(collector: Receiver) -> dict[str, Span]:
    """What the collector was told, by name."""
    return {each.name: each for each in every(collector)}


def every(collector: Receiver) -> list[Span]:
    """All spans that it was told."""
    found: list[Span] = []
    for call in collector.heard:
        for resource in ExportTraceServiceRequest.FromString(call.body).resource_spans:
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def test_a_run_its_steps_and_its_attempts_are_one_trace(office: Office, telling: Traces, collector: Receiver) -> None:
    run_id = office.start(office.push([{"sequence both": ["a", "b"]}], "story"))
    office.work({"b": Outcome.FAILED})
    telling.turn()

    found = spans(collector)
    run, group, step, attempt = (found[name] for name in ("tests.story", "both", "b", "b attempt"))
    assert {span.trace_id for span in found.values()} == {run.trace_id}
    assert run.parent_span_id == b""
    assert [each.parent_span_id for each in (group, step, attempt)] == [run.span_id, group.span_id, step.span_id]
    assert (attempt.status.code, attempt.status.message) == (Status.STATUS_CODE_ERROR, "it fails")
    assert found["a attempt"].status.code == Status.STATUS_CODE_UNSET
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in found.values())
    values = {each.key: each.value.string_value for each in run.attributes}
    assert (values["penstock.run.id"], values["penstock.run.status"]) == (run_id, "failed")
    handed = traces.of_attempt(office.run(run_id), "b", 1, 1.0)
    assert handed == f"00-{attempt.trace_id.hex()}-{attempt.span_id.hex()}-01"
    call = collector.heard[0]
    assert (call.path, call.headers["x-key"]) == ("/v1/traces", "k")
    assert call.headers["content-type"] == "application/x-protobuf"


def test_an_attempt_whose_worker_was_lost_is_told_too(office: Office, telling: Traces, collector: Receiver) -> None:
    office.start(office.push(["a"], "story"))
    office.claim("gone")
    office.clock.advance(office.core.knobs.lease + 1)
    office.worker("other")
    office.store.write(lambda tx: tx.run("workers.beat", id="gone", at=0, status="running"))
    sweep.sweep(office.core)
    office.work()
    telling.turn()

    tries = [each for each in every(collector) if each.name == "a attempt"]
    told = {
        value.value.int_value: each.status.message for each in tries for value in each.attributes
        if value.key == "penstock.attempt"
    }  # fmt: skip
    assert told == {1: "The worker gone was lost.", 2: ""}


def test_who_starts_a_run_within_a_trace_is_above_it_and_so_is_a_step_above_its_subflow(
    office: Office, telling: Traces, collector: Receiver
) -> None:
    office.push(["x"], "child")
    plan = office.push([{"subflow call": {"flow": "child"}}], "story")
    office.start(plan, trace=INCOMING)
    office.work()
    telling.turn()

    found = spans(collector)
    assert {span.trace_id.hex() for span in found.values()} == {INCOMING[3:35]}
    assert found["tests.story"].parent_span_id.hex() == "b7ad6b7169203331"
    [parent] = [each.id for each in every_run(office) if each.flow == "story"]
    assert found["tests.child"].parent_span_id.hex() == traces.attempt_span(parent, "call", 1)


def every_run(office: Office) -> list[Run]:
    """All runs."""
    return office.store.read(lambda tx: table.page(tx, EVERYWHERE, table.Filter(), 50))


def test_what_is_not_sampled_is_not_told(office: Office, telling: Traces, collector: Receiver) -> None:
    office.start(office.push(["a"], "story"), trace=f"{INCOMING[:-2]}00")
    office.work()
    telling.turn()

    assert collector.heard == []


def test_a_restart_is_a_going_through_of_its_own_in_the_same_trace(
    office: Office, telling: Traces, collector: Receiver
) -> None:
    run_id = office.start(office.push(["a", "b"], "story"))
    office.work({"b": Outcome.FAILED})
    telling.turn()
    office.clock.advance(1_000_000)
    runs.restart(office.core, run_id, "ann")
    office.work()
    telling.turn()

    told = every(collector)
    first, second = (each for each in told if each.name == "tests.story")
    assert first.trace_id == second.trace_id
    assert first.span_id != second.span_id
    assert second.links[0].span_id == first.span_id
    assert sorted(each.name for each in told) == sorted(
        ["tests.story", "a", "a attempt", "b", "b attempt", "tests.story", "b", "b attempt"]
    )


def test_a_collector_that_is_away_loses_nothing_and_one_that_refuses_holds_up_nothing(
    office: Office, telling: Traces, collector: Receiver
) -> None:
    plan = office.push(["a"], "story")
    office.start(plan)
    office.work()
    collector.answers = [503]
    with pytest.raises(Unanswered):
        telling.turn()
    anew = Traces(office.core, Collector(url=collector.url))
    anew.turn()
    first, again = (ExportTraceServiceRequest.FromString(each.body) for each in collector.heard)
    collector.answers = [400]
    office.start(plan)
    office.work()
    anew.turn()
    more = anew.turn()

    ids = [[each.span_id for each in told.resource_spans[0].scope_spans[0].spans] for told in (first, again)]
    assert ids[0] == ids[1]
    assert not more
    assert len(collector.heard) == 3


def test_what_ended_before_a_server_came_back_is_told_from_the_kept_place(
    office: Office, telling: Traces, collector: Receiver
) -> None:
    office.start(office.push(["a"], "story"))
    office.work()
    Traces(office.core, Collector(url=collector.url)).turn()
    Traces(office.core, Collector(url=collector.url)).turn()

    assert [each.name for each in every(collector)].count("tests.story") == 1


def test_nothing_of_telemetry_is_imported_where_it_is_off(tmp_path: Path) -> None:
    said = "import sys, penstock.cli.serve; print([each for each in sys.modules if 'opentelemetry' in each])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert done.stdout.strip() == "[]"
