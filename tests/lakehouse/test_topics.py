"""Are topics, groups and schemas kept as a flow says, and does a wait end when a group has caught up?"""

from __future__ import annotations

import itertools
import json
from typing import Any, cast

import pytest

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.stack import Stack
from tests.lakehouse.conftest import done, message

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
numbers = itertools.count(1)


def schema(*names: str, default: bool = True) -> str:
    """A schema of trips with these fields beside the id."""
    more = [{"name": name, "type": "int", **({"default": 0} if default else {})} for name in names]
    return json.dumps({"type": "record", "name": "trip", "fields": [{"name": "id", "type": "string"}, *more]})


@pytest.fixture
def broker(lakehouse: Stack) -> dict[str, object]:
    return {"properties": {"bootstrap.servers": lakehouse.kafka.address}}


@pytest.fixture
def registry(lakehouse: Stack) -> dict[str, object]:
    return {"serdeProperties": {"schema.registry.url": lakehouse.registry.address}}


@pytest.fixture
def topic() -> str:
    return f"topic-{next(numbers)}"


def test_a_topic_is_made_once_and_not_taken_for_another(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    wanted = {**broker, "topics": [{"name": topic, "partitions": 2, "config": {"retention.ms": "60000"}}]}
    assert done(local.run("kafka.create_topics", wanted)) == {"created": [topic], "existing": [], "changed": {}}
    assert done(local.run("kafka.create_topics", wanted)) == {"created": [], "existing": [topic], "changed": {}}
    more = {**broker, "topics": [{"name": topic, "partitions": 3, "config": {"retention.ms": "120000"}}]}
    other = ["partitions: 2, not 3", "retention.ms: 60000, not 120000"]
    assert "; ".join(other) in message(local.run("kafka.create_topics", more))
    kept = done(local.run("kafka.create_topics", {**more, "ifDiffers": "KEEP"}))
    assert kept == {"created": [], "existing": [topic], "changed": {}}
    changed = done(local.run("kafka.create_topics", {**more, "ifDiffers": "CHANGE"}))
    assert changed == {"created": [], "existing": [topic], "changed": {topic: other}}
    fewer = {**wanted, "ifDiffers": "CHANGE"}
    assert "partitions: 3, not 2" in message(local.run("kafka.create_topics", fewer))
    wrong = {**broker, "topics": [{"name": "no topic"}]}
    assert 'The topic "no topic" could not be made' in message(local.run("kafka.create_topics", wrong))


def test_a_topic_tells_what_it_holds_and_goes(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    config = {"retention.ms": "86400000"}
    done(local.run("kafka.create_topics", {**broker, "topics": [{"name": topic, "partitions": 1, "config": config}]}))
    sent = [{"key": str(number), "value": str(number)} for number in range(5)]
    done(local.run("kafka.produce", {**broker, "topic": topic, "from": sent, "transactional": False}))
    told = done(local.run("kafka.describe_topics", {**broker, "names": [topic]}))
    parts = [{"partition": 0, "first": 0, "end": 5, "leader": 1, "replicas": [1], "inSync": [1]}]
    assert told["topics"] == {topic: {"messages": 5, "config": config, "partitions": parts}}
    assert topic in cast("dict[str, Any]", done(local.run("kafka.describe_topics", broker))["topics"])
    assert done(local.run("kafka.delete_topics", {**broker, "names": [topic]})) == {"deleted": [topic]}
    assert done(local.run("kafka.delete_topics", {**broker, "names": [topic]})) == {"deleted": []}
    assert "There is no topic" in message(local.run("kafka.describe_topics", {**broker, "names": [topic]}))


def test_a_group_is_behind_until_it_has_taken_all(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    done(local.run("kafka.create_topics", {**broker, "topics": [{"name": topic, "partitions": 2}]}))
    sent = [{"key": str(number), "value": str(number)} for number in range(20)]
    done(local.run("kafka.produce", {**broker, "topic": topic, "from": sent, "transactional": False}))
    group = {**broker, "groupId": f"of-{topic}"}
    assert "name them in topics" in message(local.run("kafka.lag", group))
    named = {**group, "topics": [topic]}
    assert done(local.run("kafka.lag", named)) == {"lag": 20, "topics": {topic: 20}, "messages": 20}
    late = message(local.run("kafka.wait_for_group", {**named, "maxDuration": "PT0.1S", "interval": "PT0.1S"}))
    assert f'the group "of-{topic}" is 20 messages behind' in late
    properties = {**cast("dict[str, str]", broker["properties"]), "auto.offset.reset": "earliest"}
    done(local.run("kafka.consume", {"properties": properties, "topic": topic, "groupId": f"of-{topic}"}))
    caught = done(local.run("kafka.wait_for_group", group))
    assert (caught["lag"], caught["messages"]) == (0, 20)


def test_schemas_are_registered_once_and_refused_where_they_do_not_fit(
    local: LocalContext, registry: dict[str, object], topic: str
) -> None:
    subject = {**registry, "subject": f"{topic}-value"}
    first = done(local.run("kafka.register_schema", {**subject, "schema": schema(), "compatibility": "BACKWARD"}))
    assert first["version"] == 1
    assert done(local.run("kafka.register_schema", {**subject, "schema": schema()})) == first
    second = done(local.run("kafka.register_schema", {**subject, "schema": schema("zone")}))
    assert second["version"] == 2 and second["id"] != first["id"]
    found = done(local.run("kafka.fetch_schema", subject))
    assert found["id"] == second["id"] and json.loads(str(found["schema"])) == json.loads(schema("zone"))
    old = done(local.run("kafka.fetch_schema", {**subject, "version": 1}))
    assert old["id"] == first["id"]
    bad = {**subject, "schema": schema("zone", "fare", default=False)}
    said = f'The schema does not fit those of "{topic}-value". Unlike the last one: "fare" is new: int;'
    assert said in message(local.run("kafka.check_schema", bad))
    found = done(local.run("kafka.check_schema", {**bad, "fail": False}))
    assert found == {"compatible": False, "differences": ['"fare" is new: int', '"zone" was int = 0, is int']}
    refused = message(local.run("kafka.register_schema", bad))
    assert said in refused and "fare at /fields/2" in refused
    fits = {"compatible": True, "differences": []}
    assert done(local.run("kafka.check_schema", {**subject, "schema": schema("fare")})) == fits
