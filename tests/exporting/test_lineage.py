"""Is what happened told as OpenLineage's own shapes have it, in its order, and told again only by the same ids?"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attr
import msgspec
import pytest
from openlineage.client.generated import (
    base,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    lifecycle_state_change_dataset,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    sql_job,
)

from penstock.errors.work import Unanswered
from penstock.model.asset import Access, Change, Check, Touched
from penstock.model.event import Ended, Part, Reported
from penstock.model.status import Outcome, StepStatus
from penstock.services import apply, reports, runs, sweep
from penstock.services.core import Knobs
from penstock.services.exporting.lineage import Lineage, ToAddress, ToFile
from tests.exporting.receiver import Receiver, receiving
from tests.services.office import Office

Event = dict[str, Any]
FACETS = {
    "parent": parent_run.ParentRunFacet,
    "nominalTime": nominal_time_run.NominalTimeRunFacet,
    "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "sql": sql_job.SQLJobFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet,
    "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}
MADE = ("schemaURL", "_schemaURL")
TABLE = Touched(access=Access.WRITES, namespace="postgres://db:5432", name="dw.public.orders", rows=3)
OBJECT = Touched(access=Access.READS, namespace="s3://inbox", name="orders.csv", size=7)


def checked(body: Mapping[str, Any], shape: Any) -> Any:
    """A value as the standard's shape has it; fails where it has not just what the shape has."""
    hints = typing.get_type_hints(shape)
    fields = {each.name: each for each in attr.fields(shape)}
    assert body.keys() <= fields.keys(), (shape, body)
    given = {}
    for name, value in body.items():
        made = _as(value, hints[name])
        if name in MADE:
            continue
        given[name.removeprefix("_")] = made
    whole = shape(**given)
    if "_schemaURL" in body:
        assert body["_schemaURL"] == whole._get_schema()
    return whole


def _as(value: Any, hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _as(value, next(each for each in inner if each is not type(None)))
    if origin is list:
        return [_as(each, inner[0]) for each in value]
    if origin is dict:
        return {name: checked(each, FACETS[name]) for name, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if attr.has(hint):
        return checked(value, hint)
    assert isinstance(value, hint) and not (hint is int and isinstance(value, bool)), (value, hint)
    return value


@pytest.fixture
def taker() -> Iterator[Receiver]:
    """Who takes events."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def office() -> Iterator[Office]:
    """An empty store with its services, where data are told of."""
    made = Office(Knobs(lineage=True))
    yield made
    made.close()


@pytest.fixture
def telling(office: Office, taker: Receiver) -> Lineage:
    """What tells, from now on."""
    made = Lineage(office.core, [ToAddress(url=f"{taker.url}/api/v1/lineage")], "test")
    made.turn()
    return made


def told(taker: Receiver) -> list[Event]:
    """All events, each checked."""
    found = [msgspec.json.decode(each.body) for each in taker.heard]
    for each in found:
        checked(each, base.RunEvent)
        assert each["schemaURL"] == base.RunEvent._get_schema()
    return found


def said(events: list[Event]) -> list[tuple[str, str]]:
    """What was said of which job."""
    return [(each["eventType"], each["job"]["name"]) for each in events]


def test_runs_and_attempts_are_told_in_their_order_with_their_data(
    office: Office, telling: Lineage, taker: Receiver
) -> None:
    office.start(office.push(["a", "b"], "story"), logical_date=86_400_000_000, interval_end=86_400_000_000)
    held = office.claim()[0]
    office.clock.advance(1_000)
    ended = Ended(
        step="a", attempt=1, outcome=Outcome.DONE, worker="w", started_at=held.claimed_at,
        ended_at=office.clock.now(), touched=(OBJECT, TABLE),
    )  # fmt: skip
    apply.report(office.core, held, ended, {})
    office.clock.advance(1_000)
    office.work({"b": Outcome.FAILED})
    telling.turn()
    found = told(taker)

    assert said(found) == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("COMPLETE", "tests.story.a"),
        ("START", "tests.story.b"), ("FAIL", "tests.story.b"), ("FAIL", "tests.story"),
    ]  # fmt: skip
    whole, made, failed = found[0], found[2], found[4]
    assert made["inputs"][0] | {"inputFacets": None} == {
        "namespace": "s3://inbox", "name": "orders.csv", "facets": {}, "inputFacets": None
    }  # fmt: skip
    assert made["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert made["run"]["facets"]["parent"]["run"]["runId"] == whole["run"]["runId"]
    assert failed["run"]["facets"]["errorMessage"]["message"] == "it fails"
    assert whole["run"]["facets"]["nominalTime"]["nominalStartTime"] == "1970-01-02T00:00:00Z"
    assert {each["job"]["namespace"] for each in found} == {"test"}
    assert taker.heard[0].path == "/api/v1/lineage"


def test_what_is_known_of_data_is_told_in_facets_and_parts_are_jobs_below_their_task(
    office: Office, telling: Lineage, taker: Receiver
) -> None:
    office.start(office.push(["a"], "story"))
    held = office.claim()[0]
    office.clock.advance(10_000)
    parts = (
        Part(name="orders", status=StepStatus.SUCCESS, started_at=held.claimed_at + 2, ended_at=held.claimed_at + 5),
    )
    reports.parts(office.core, held, Reported("a", 1, 1, parts, held.fence))
    checked_too = msgspec.structs.replace(
        TABLE, access=Access.READS, checks=(Check(name="unique", passed=False, column="id"),)
    )
    made = msgspec.structs.replace(
        TABLE, part="orders", sql="select 1", columns={"id": "int"}, change=Change.OVERWRITE, version="7"
    )
    ended = Ended(
        step="a", attempt=1, outcome=Outcome.DONE, worker="w", started_at=held.claimed_at,
        ended_at=office.clock.now(), touched=(msgspec.structs.replace(OBJECT, part="orders"), made, checked_too),
    )  # fmt: skip
    apply.report(office.core, held, ended, {})
    telling.turn()
    found = told(taker)

    assert said(found) == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("START", "tests.story.a.orders"),
        ("COMPLETE", "tests.story.a.orders"), ("COMPLETE", "tests.story.a"), ("COMPLETE", "tests.story"),
    ]  # fmt: skip
    part, whole = found[3], found[4]
    assert part["run"]["facets"]["parent"]["run"]["runId"] == whole["run"]["runId"] == found[1]["run"]["runId"]
    assert part["job"]["facets"]["sql"]["query"] == "select 1"
    assert [each["name"] for each in part["inputs"]] == ["orders.csv"]
    facets = part["outputs"][0]["facets"]
    assert facets["schema"]["fields"] == [{"name": "id", "type": "int"}]
    assert facets["version"]["datasetVersion"] == "7"
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "OVERWRITE"
    (tested,) = whole["inputs"]
    assertions = tested["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert assertions == [{"assertion": "unique", "success": False, "column": "id"}]
    assert whole["outputs"] == []


def test_a_kill_is_an_abort_a_lost_worker_a_failure_and_a_restart_another_run(
    office: Office, telling: Lineage, taker: Receiver
) -> None:
    plan = office.push(["a"], "story")
    killed = office.start(plan)
    held = office.claim()[0]
    runs.kill(office.core, killed, "ann")
    office.end(held, Outcome.KILLED)
    telling.turn()
    first = told(taker)
    office.clock.advance(1_000_000)
    runs.restart(office.core, killed, "ann")
    office.claim("gone")
    office.clock.advance(office.core.knobs.lease + 1)
    office.worker("other")
    sweep.sweep(office.core)
    office.work()
    telling.turn()
    then = told(taker)[len(first) :]

    assert said(first) == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("ABORT", "tests.story.a"), ("ABORT", "tests.story")
    ]  # fmt: skip
    assert said(then) == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("FAIL", "tests.story.a"), ("START", "tests.story.a"),
        ("COMPLETE", "tests.story.a"), ("COMPLETE", "tests.story"),
    ]  # fmt: skip
    assert then[0]["run"]["runId"] != first[0]["run"]["runId"]
    assert len({each["run"]["runId"] for each in (*first, *then)}) == 5


def test_a_child_run_names_the_attempt_above_it(office: Office, telling: Lineage, taker: Receiver) -> None:
    office.push(["x"], "child")
    office.start(office.push([{"subflow call": {"flow": "child"}}], "story"))
    office.work()
    telling.turn()
    child = next(each for each in told(taker) if each["job"]["name"] == "tests.child")

    assert child["run"]["facets"]["parent"]["job"] == {"namespace": "test", "name": "tests.story.call"}


def test_what_takes_long_is_told_before_it_ends_and_once_more_now_and_again(
    office: Office, telling: Lineage, taker: Receiver
) -> None:
    office.start(office.push(["a"], "story"))
    held = office.claim()[0]
    telling.turn()
    for seconds in (6, 60, 300):
        office.clock.advance(seconds * 1_000_000)
        telling.turn()
    office.end(held)
    telling.turn()

    assert said(told(taker)) == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("RUNNING", "tests.story.a"),
        ("COMPLETE", "tests.story.a"), ("COMPLETE", "tests.story"),
    ]  # fmt: skip


def test_nothing_is_lost_while_nobody_takes_it_and_what_is_told_twice_has_the_same_ids(
    office: Office, telling: Lineage, taker: Receiver
) -> None:
    office.start(office.push(["a"], "story"))
    office.work()
    taker.answers = [200, 503]
    with pytest.raises(Unanswered):
        telling.turn()
    anew = Lineage(office.core, [ToAddress(url=taker.url)], "test")
    anew.turn()
    found = told(taker)

    assert said(found)[2:] == [
        ("START", "tests.story"), ("START", "tests.story.a"), ("COMPLETE", "tests.story.a"), ("COMPLETE", "tests.story")
    ]  # fmt: skip
    assert found[0] == found[2]


def test_a_file_has_a_line_for_each_event_and_is_its_owners(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    telling = Lineage(office.core, [ToFile(path)], "test")
    telling.turn()
    office.start(office.push(["a"], "story"))
    office.work()
    telling.turn()
    found = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for each in found:
        checked(each, base.RunEvent)

    assert len(found) == 4
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Unanswered):
        ToFile(tmp_path / "none" / "x").send(b"{}")
