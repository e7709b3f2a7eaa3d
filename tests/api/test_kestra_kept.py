"""Do Kestra's clients find what is kept, and what starts runs; do those of the first releases?"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from kestrapy import KestraClient
from kestrapy.exceptions import (
    NotFoundException,
    UnprocessableEntityException,
)
from kestrapy.models.execution_controller_state_request import ExecutionControllerStateRequest
from kestrapy.models.kv_controller_api_delete_bulk_request import KVControllerApiDeleteBulkRequest
from kestrapy.models.query_filter_field import QueryFilterField as Field
from kestrapy.models.state_type import StateType
from kestrapy.query import eq, where

from penstock.services.access import local_key
from tests.api.house import House
from tests.api.kestra import FLOW, MAIN, owned, served

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
COUNTS = """id: counts
namespace: shop
tasks:
  - id: tell
    type: io.kestra.plugin.core.metric.Publish
    metrics:
      - {name: rows, type: counter, value: 7}
"""


@pytest.fixture
def client(house: House) -> Iterator[KestraClient]:
    """The client of the owner."""
    with owned(house) as made:
        yield made


def test_numbers_are_told_and_a_task_run_is_said_to_have_ended_otherwise(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, COUNTS)
    client.flows.create_flow(MAIN, BREAKS)
    counted = client.executions.create_execution(MAIN, "shop", "counts")
    failed = client.executions.create_execution(MAIN, "shop", "breaks")
    house.work()

    told = client.metrics.execution_metrics(counted.id, MAIN)
    none = client.metrics.execution_metrics(counted.id, MAIN, task_id="other")
    state = ExecutionControllerStateRequest(taskRunId="second", state=StateType.SUCCESS)
    client.executions.update_task_run_state(failed.id, MAIN, state)
    house.work()

    assert [(each["name"], each["value"], each["taskId"]) for each in told["results"]] == [("rows", 7.0, "tell")]
    assert none == {"results": [], "total": 0}
    assert client.executions.execution(failed.id, MAIN).state.current == StateType.SUCCESS


def test_triggers_are_found_switched_and_unlocked_and_a_webhook_starts(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, FLOW)
    name = {"namespace": "shop", "flowId": "greet", "triggerId": "daily"}

    found = client.triggers.search_triggers(MAIN, filters=where(eq(Field.NAMESPACE, "shop")))
    off = client.triggers.disable_trigger_by_id(MAIN, {**name, "disabled": True})
    on = client.triggers.disabled_triggers_by_ids(MAIN, {"triggers": [name], "disabled": False})
    free = client.triggers.unlock_trigger(MAIN, "shop", "greet", "daily")
    fired = client.executions.trigger_execution_by_get_webhook(MAIN, "shop", "greet", "open-sesame")
    with pytest.raises(NotFoundException):
        client.executions.trigger_execution_by_get_webhook(MAIN, "shop", "greet", "open")
    house.work()

    assert {each["abstractTrigger"]["id"] for each in found["results"]} == {"daily", "hook"}
    assert (off["disabled"], on, free["disabled"]) == (True, {"count": 1}, False)
    assert client.triggers.search_triggers_for_flow(MAIN, "shop", "greet")["total"] == 2
    told = client.executions.execution(fired.id, MAIN)
    assert (told.trigger.id, told.inputs["who"]) == ("hook", "hook")


def test_a_backfill_begins_pauses_goes_on_and_ends(client: KestraClient, house: House) -> None:
    client.flows.create_flow(MAIN, FLOW)
    name = {"namespace": "shop", "flowId": "greet", "triggerId": "daily"}
    span = {"start": "2016-01-01T00:00:00Z", "end": "2016-01-03T12:00:00Z", "labels": [{"key": "of", "value": "past"}]}

    made = client.triggers.create_backfill(MAIN, {**name, "backfill": span})
    paused = client.triggers.pause_backfill(MAIN, name)
    going = client.triggers.unpause_backfill(MAIN, name)
    client.triggers.delete_backfill(MAIN, name)
    with pytest.raises(NotFoundException):
        client.triggers.pause_backfill(MAIN, name)
    with pytest.raises(UnprocessableEntityException):
        client.triggers.create_backfill(MAIN, {**name, "triggerId": "hook", "backfill": span})

    (row,) = house.client.get("/v1/backfills").json()["items"]
    assert made["backfill"]["labels"] == span["labels"]
    assert (paused["backfill"]["paused"], going["backfill"]["paused"]) == (True, False)
    assert (row["total"], row["status"]) == (3, "cancelled")


def test_values_are_set_read_and_forgotten(client: KestraClient) -> None:
    for key, value in (
        ("number", "7"),
        ("text", '"word"'),
        ("bare", "word"),
        ("json", '{"a": [1]}'),
        ("span", '"PT5M"'),
    ):
        client.kv.set_key_value("shop", key, MAIN, value)

    told = {key: client.kv.key_value("shop", key, MAIN) for key in ("number", "text", "bare", "json", "span")}

    assert [(each.type, each.value) for each in told.values()] == [
        ("NUMBER", 7), ("STRING", "word"), ("STRING", "word"), ("JSON", {"a": [1]}), ("DURATION", "PT5M"),
    ]  # fmt: skip
    assert client.kv.list_all_keys(MAIN, filters=where(eq(Field.NAMESPACE, "shop"))).total == 5
    assert client.kv.delete_key_value("shop", "bare", MAIN) is True
    assert client.kv.delete_key_values("shop", MAIN, KVControllerApiDeleteBulkRequest(keys=["json", "none"])).keys == [
        "json"
    ]
    with pytest.raises(NotFoundException):
        client.kv.key_value("shop", "bare", MAIN)


def test_types_and_schemas_are_told(client: KestraClient) -> None:
    assert client.plugins.list_plugins()["total"] == 1
    assert client.plugins.plugin_schema("flow")["type"] == "object"
    assert client.plugins.plugin_documentation("io.kestra.plugin.core.log.Log")["name"] == "log"


def test_calls_as_the_first_releases_made_them_are_answered(house: House) -> None:
    house.push(FLOW)
    key = local_key.read(house.app.where.state)
    with served(house) as server, httpx.Client(base_url=f"{server.url}/api/v1", auth=("ann", key)) as session:
        form = {"files": ("letter", b"?")}
        made = session.post("/executions/shop/greet?labels=a:b:c", data={"who": "dan"}, files=form).json()
        house.work()
        told = session.get(f"/executions/{made['id']}").json()
        killed = session.delete(f"/executions/{made['id']}/kill")
        found = session.get("/executions/search?namespace=shop&state=SUCCESS&labels=a:b:c").json()
        hooked = httpx.post(
            f"{server.url}/api/v1/executions/webhook/shop/greet/open-sesame", json={"who": "eve"}
        ).json()

    assert told["state"]["current"] == "SUCCESS"
    assert told["outputs"] == {"said": "dan"}
    assert "a1?" in [each["outputs"].get("value") for each in told["taskRunList"]]
    assert killed.status_code == 202
    assert [each["id"] for each in found["results"]] == [made["id"]]
    assert hooked["state"]["current"] in ("CREATED", "RUNNING")
    assert "inputs" not in hooked
