"""Does Kestra's own client work with a server of ours, as it stands?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kestrapy import KestraClient
from kestrapy.exceptions import (
    ApiException,
    BadRequestException,
    NotFoundException,
    UnauthorizedException,
    UnprocessableEntityException,
)
from kestrapy.models.label import Label
from kestrapy.models.query_filter_field import QueryFilterField as Field
from kestrapy.models.state_type import StateType
from kestrapy.query import and_, eq, in_, where

from tests.api.house import House
from tests.api.kestra import FLOW, MAIN, opened, owned, served

WAITS = """id: waits
namespace: shop.night
tasks:
  - id: ask
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: reason
        type: STRING
  - id: give
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.ask.onResume.reason }}"
"""
BREAKS = """id: breaks
namespace: shop
inputs:
  - {id: fail, type: BOOLEAN, defaults: true}
tasks:
  - id: first
    type: io.kestra.plugin.core.debug.Return
    format: one
  - id: second
    type: io.kestra.plugin.core.execution.Fail
    condition: "{{ inputs.fail }}"
"""


CALLS = """id: calls
namespace: shop
tasks:
  - id: child
    type: io.kestra.plugin.core.flow.Subflow
    namespace: shop
    flowId: greet
"""


@pytest.fixture
def client(house: House) -> Iterator[KestraClient]:
    """The client of the owner."""
    with owned(house) as made:
        yield made


def test_who_has_no_password_is_refused(house: House) -> None:
    for known in ({}, {"username": "ann", "password": "guess"}, {"token": "guess"}):
        with served(house) as server, opened(server, **known) as client, pytest.raises(UnauthorizedException):
            client.flows.search_flows(MAIN)


def test_flows_are_made_changed_found_and_removed(client: KestraClient) -> None:
    made = client.flows.create_flow(MAIN, FLOW)
    with pytest.raises(UnprocessableEntityException):
        client.flows.create_flow(MAIN, FLOW)
    changed = client.flows.update_flow("shop", "greet", MAIN, FLOW.replace("hello", "good day,"))
    client.flows.create_flow(MAIN, WAITS)

    read = client.flows.flow("shop", "greet", MAIN, source=True)
    assert (made.id, made.namespace, made.revision, changed.revision) == ("greet", "shop", 1, 2)
    assert (read.revision, "good day" in read.source) == (2, True)
    assert [each.id for each in read.tasks] == ["say", "each"]
    assert client.flows.flow("shop", "greet", MAIN, revision=1, source=True).source == FLOW
    assert [each.revision for each in client.flows.list_flow_revisions("shop", "greet", MAIN)] == [1, 2]
    assert client.flows.list_distinct_namespaces(MAIN) == ["shop", "shop.night"]
    assert [each.id for each in client.flows.list_flows_by_namespace("shop", MAIN)] == ["greet"]
    found = client.flows.search_flows(MAIN, page=1, size=10, filters=where(eq(Field.NAMESPACE, "shop")))
    assert (found.total, [each.id for each in found.results]) == (1, ["greet"])
    assert client.flows.search_flows(MAIN, page=2, size=1).results[0].id == "waits"
    assert client.flows.task_from_flow("shop", "greet", "give", MAIN).type.endswith("Return")
    assert {each.uid for each in client.flows.generate_flow_graph("shop", "greet", MAIN).nodes} >= {"say", "give"}
    client.flows.delete_flow("shop", "greet", MAIN)
    with pytest.raises(NotFoundException):
        client.flows.flow("shop", "greet", MAIN)


def test_flows_that_start_each_other_are_told(client: KestraClient) -> None:
    client.flows.create_flow(MAIN, FLOW)
    client.flows.create_flow(MAIN, CALLS)

    near = client.flows.flow_dependencies("shop", "greet", MAIN, expand_all=True)
    onward = client.flows.flow_dependencies("shop", "greet", MAIN, destination_only=True)
    whole = client.flows.flow_dependencies_from_namespace("shop", MAIN)

    assert near.edges is not None and near.nodes is not None and whole.edges is not None
    assert [(each.source, each.target, each.relation) for each in near.edges] == [
        ("main_shop_calls", "main_shop_greet", "FLOW_TASK")
    ]
    assert {each.id for each in near.nodes} == {"calls", "greet"}
    assert not onward.edges and len(whole.edges) == 1


def test_flows_are_checked_and_wrong_ones_refused(client: KestraClient) -> None:
    wrong = FLOW.replace("core.log.Log", "core.log.Lgo")

    good, bad = client.flows.validate_flows(MAIN, f"{WAITS}---\n{wrong}")

    assert (good.index, good.flow, good.constraints) == (0, "waits", None)
    assert (bad.index, bad.constraints is not None) == (1, True)
    with pytest.raises(UnprocessableEntityException):
        client.flows.create_flow(MAIN, wrong)


def test_a_namespace_becomes_what_a_text_says(client: KestraClient) -> None:
    client.flows.create_flow(MAIN, FLOW)
    client.flows.create_flow(MAIN, WAITS)

    told = client.flows.update_flows_in_namespace("shop", MAIN, BREAKS, delete=True)

    assert [each.id for each in told] == ["breaks"]
    assert [each.id for each in client.flows.search_flows(MAIN).results] == ["breaks", "waits"]


def test_an_execution_takes_inputs_and_a_file_and_tells_all_of_itself(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, FLOW)

    inputs = {"who": "ann", "count": 2, "letter": ("letter.txt", b"!")}
    made = client.executions.create_execution(MAIN, "shop", "greet", labels=["day:2026-01-01T00:00"], inputs=inputs)
    house.work()

    assert made.state.histories[0].state == StateType.CREATED
    told = client.executions.execution(made.id, MAIN)
    assert told.state.current == StateType.SUCCESS
    assert [each.state for each in told.state.histories] == ["CREATED", "RUNNING", "SUCCESS"]
    assert (told.flow_id, told.namespace, told.flow_revision) == ("greet", "shop", 1)
    assert told.inputs["count"] == 2
    assert {"team": "blue", "day": "2026-01-01T00:00"}.items() <= {each.key: each.value for each in told.labels}.items()
    runs = [each for each in told.task_run_list if each.task_id == "give"]
    assert sorted(each.value for each in runs) == ["a", "b"]
    assert client.outputs.execution_outputs(made.id, MAIN) == {"said": "ann"}
    given = {each.value: client.outputs.task_run_outputs(made.id, each.id, MAIN) for each in runs}
    assert given == {"a": {"value": "a2!"}, "b": {"value": "b2!"}}
    assert {each.task_id for each in client.outputs.task_outputs_information(made.id, MAIN)} >= {"give"}
    letter = told.inputs["letter"]
    assert client.executions.download_file_from_execution(made.id, letter, MAIN) == b"!"
    assert client.executions.file_metadatas_from_execution(made.id, letter, MAIN).size == 1
    assert client.executions.flow_from_execution_by_id(made.id, MAIN).id == "greet"
    assert client.executions.execution_flow_graph(made.id, MAIN).nodes


def test_wrong_inputs_and_unknown_things_are_told_apart(client: KestraClient) -> None:
    client.flows.create_flow(MAIN, FLOW)
    client.flows.create_flow(MAIN, f"disabled: true\n{WAITS}")

    with pytest.raises(UnprocessableEntityException):
        client.executions.create_execution(MAIN, "shop", "greet", inputs={"count": "many"})
    with pytest.raises(NotFoundException):
        client.executions.create_execution(MAIN, "shop", "none")
    with pytest.raises(NotFoundException):
        client.executions.execution("none", MAIN)
    with pytest.raises(ApiException) as caught:
        client.executions.create_execution(MAIN, "shop.night", "waits")
    assert caught.value.status == 409


def test_who_waits_is_answered_after_the_end_and_who_follows_sees_each_state(
    client: KestraClient, house: House
) -> None:
    client.flows.create_flow(MAIN, FLOW)
    made: list[Any] = []

    def ask() -> None:
        made.append(client.executions.create_execution(MAIN, "shop", "greet", wait=True, inputs={"who": "bob"}))

    asking = threading.Thread(target=ask)
    asking.start()
    while not (found := client.executions.search_executions(MAIN)["results"]):
        pass
    following = client.executions.follow_execution(found[0]["id"], MAIN)
    states = [next(following).state.current]
    house.work()
    states += [each.state.current for each in following]
    asking.join(20)

    assert made[0].state.current == StateType.SUCCESS
    assert states[0] in (StateType.CREATED, StateType.RUNNING)
    assert states[-1] == StateType.SUCCESS


def test_logs_are_listed_searched_downloaded_and_followed(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, FLOW)
    made = client.executions.create_execution(MAIN, "shop", "greet", inputs={"who": "cat"})
    house.work()

    lines = client.logs.list_logs_from_execution(made.id, MAIN)

    assert [(each.task_id, each.level, each.message) for each in lines if each.task_id == "say"] == [
        ("say", "INFO", "hello cat")
    ]
    assert client.logs.list_logs_from_execution(made.id, MAIN, min_level="ERROR") == []
    assert client.logs.list_logs_from_execution(made.id, MAIN, task_id="give") == []
    assert "hello cat" in client.logs.download_logs_from_execution(made.id, MAIN)
    assert "hello cat" in [each.message for each in client.logs.follow_logs_from_execution(made.id, MAIN)]
    assert [
        each.message for each in client.logs.search_logs(MAIN, filters=where(eq(Field.FLOW_ID, "greet"))).results
    ] == ["hello cat"]


def test_a_pause_is_resumed_with_its_inputs_and_runs_are_paused_and_killed(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, WAITS)
    asked = client.executions.create_execution(MAIN, "shop.night", "waits")
    house.work()
    assert client.executions.execution(asked.id, MAIN).state.current == StateType.PAUSED

    client.executions.resume_execution(asked.id, MAIN, inputs={"reason": "because"})
    house.work()
    ended = client.executions.execution(asked.id, MAIN)
    killed = client.executions.create_execution(MAIN, "shop.night", "waits")
    held = client.executions.create_execution(MAIN, "shop.night", "waits")
    client.executions.pause_execution(held.id, MAIN)
    house.work()
    client.executions.kill_execution(killed.id, MAIN)
    house.work()

    assert ended.state.current == StateType.SUCCESS
    assert client.outputs.task_run_outputs(asked.id, "give", MAIN) == {"value": "because"}
    assert client.executions.execution(killed.id, MAIN).state.current == StateType.KILLED
    assert client.executions.execution(held.id, MAIN).state.current == StateType.PAUSED
    assert client.executions.kill_executions_by_query(MAIN, filters=where(eq(Field.NAMESPACE, "shop"))) == {"count": 0}
    paused = where(and_(eq(Field.NAMESPACE, "shop.night"), in_(Field.STATE, ["PAUSED"])))
    assert client.executions.kill_executions_by_query(MAIN, filters=paused) == {"count": 1}
    with pytest.raises(BadRequestException):
        client.executions.kill_executions_by_query(MAIN)


def test_what_failed_is_restarted_replayed_labelled_and_marked(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, BREAKS)
    made = client.executions.create_execution(MAIN, "shop", "breaks")
    house.work()
    assert client.executions.execution(made.id, MAIN).state.current == StateType.FAILED

    client.executions.restart_execution(made.id, MAIN)
    house.work()
    again = client.executions.replay_execution(made.id, MAIN)
    part = client.executions.replay_execution(made.id, MAIN, task_run_id="second")
    other = client.executions.replay_execution_with_inputs(made.id, MAIN, inputs={"fail": False})
    house.work()
    labelled = client.executions.set_labels_on_terminated_execution(made.id, MAIN, [Label(key="seen", value="yes")])
    marked = client.executions.update_execution_status(made.id, StateType.WARNING, MAIN)

    tried = client.executions.execution(made.id, MAIN)
    assert len(next(each for each in tried.task_run_list if each.task_id == "second").attempts) == 2
    assert again.original_id == part.original_id == made.id
    assert client.executions.execution(again.id, MAIN).state.current == StateType.FAILED
    assert client.executions.execution(other.id, MAIN).state.current == StateType.SUCCESS
    assert {"seen": "yes"}.items() <= {each.key: each.value for each in labelled.labels}.items()
    assert marked.state.current == StateType.WARNING
    found = client.executions.search_executions(MAIN, filters=where(eq(Field.LABELS, {"seen": "yes"})))
    assert [each["id"] for each in found["results"]] == [made.id]
    assert client.executions.search_executions(MAIN, page=2, size=3)["total"] == 4
    assert client.executions.restart_executions_by_ids(MAIN, [again.id, part.id]) == {"count": 2}
    with pytest.raises(BadRequestException):
        client.executions.restart_executions_by_ids(MAIN, [again.id, "none"])
