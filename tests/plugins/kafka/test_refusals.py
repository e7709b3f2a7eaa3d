"""Is what goes wrong with Kafka and its registry told so that people know where, what and why?"""

from __future__ import annotations

import itertools
import json
import os

import pytest

from penstock.sdk.local import LocalContext
from tests.plugins.kafka.reading import lines, message, ok
from tests.plugins.kafka.servers import Brokers, forbidden, kafka

__all__ = ["kafka"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
numbers = itertools.count(1)
NOBODY = {"properties": {"bootstrap.servers": "127.0.0.1:1"}, "patience": "PT1S"}
OLD = {
    "type": "record",
    "name": "order",
    "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"], "default": None}],
}
NEW = {**OLD, "fields": [{"name": "id", "type": "long"}, {"name": "shop", "type": "string", "default": "main"}]}


@pytest.fixture
def broker(kafka: Brokers) -> dict[str, dict[str, str]]:
    return {"properties": {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest"}}


@pytest.fixture
def registry(kafka: Brokers) -> dict[str, object]:
    return {"schema.registry.url": kafka.registry}


@pytest.fixture
def topic() -> str:
    return f"refused-{os.getpid()}-{next(numbers)}"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("kafka.produce", {"topic": "t", "from": {"value": "x"}}),
        ("kafka.produce", {"topic": "t", "from": {"value": "x"}, "transactional": False}),
        ("kafka.consume", {"topic": "t"}),
        ("kafka.consume", {"topic": "t", "groupId": "g"}),
        ("kafka.create_topics", {"topics": [{"name": "t"}]}),
        ("kafka.describe_topics", {}),
        ("kafka.delete_topics", {"names": ["t"]}),
        ("kafka.wait_for_group", {"groupId": "g"}),
    ],
)
def test_a_broker_that_is_away_is_named_and_how_long_it_was_tried(
    local: LocalContext, name: str, more: dict[str, object]
) -> None:
    told = local.run(name, {**NOBODY, **more})

    assert told.failure is not None
    said = str(told.failure["message"])
    assert "Kafka at 127.0.0.1:1" in said and " s: " in said and "Is the address right, and the server up?" in said


def test_a_topic_that_is_not_there_is_named(local: LocalContext, broker: dict[str, dict[str, str]], topic: str) -> None:
    wrong = f"{topic} is none"

    taken = local.run("kafka.consume", {**broker, "topic": topic})
    told = local.run("kafka.describe_topics", {**broker, "names": [topic]})
    sent = local.run("kafka.produce", {**broker, "topic": wrong, "from": {"value": "x"}})

    assert f'There is no topic "{topic}" at {broker["properties"]["bootstrap.servers"]}' in message(taken)
    assert message(told) == message(taken)
    assert message(sent).startswith(f'Message 1 to "{wrong}": ')


def test_a_message_that_is_too_large_is_named_by_client_and_broker(
    local: LocalContext, broker: dict[str, dict[str, str]], topic: str, kafka: Brokers
) -> None:
    small = {"name": topic, "partitions": 1, "config": {"max.message.bytes": "2000"}}
    ok(local.run("kafka.create_topics", {**broker, "topics": [small]}))
    asked = {**broker, "topic": topic, "from": [{"value": "x"}, {"value": "y" * 5_000}]}
    client = {"properties": {"bootstrap.servers": kafka.servers, "max.request.size": "2000"}}

    by_broker = message(local.run("kafka.produce", asked))
    by_client = message(local.run("kafka.produce", {**asked, **client}))

    for said in (by_broker, by_client):
        assert said.startswith(f'Message 2 to "{topic}": A message is larger than may be sent'), said
        assert "max.message.bytes" in said


def test_what_a_user_is_not_allowed_is_said(
    local: LocalContext, broker: dict[str, dict[str, str]], topic: str, kafka: Brokers
) -> None:
    ok(local.run("kafka.create_topics", {**broker, "topics": [{"name": topic}]}))
    with forbidden(kafka, "TOPIC", topic, "WRITE"):
        told = message(local.run("kafka.produce", {**broker, "topic": topic, "from": {"value": "x"}}))

    assert told.startswith(f'Message 1 to "{topic}": Kafka at {kafka.servers} does not allow it to this user:')


def test_a_record_that_does_not_fit_its_schema_is_told_with_its_field(
    local: LocalContext, broker: dict[str, dict[str, str]], topic: str, registry: dict[str, object]
) -> None:
    rows = [{"key": "a", "value": {"id": 1}}, {"key": "b", "value": {"id": "none"}}]
    avro = {"serdeProperties": registry, "valueSerializer": "AVRO", "valueAvroSchema": json.dumps(OLD)}

    told = message(local.run("kafka.produce", {**broker, **avro, "topic": topic, "from": rows}))
    broken = message(
        local.run("kafka.produce", {**broker, **avro, "valueAvroSchema": "{", "topic": topic, "from": rows})
    )

    assert told.startswith("The value of message 2 (key 'b') cannot be written: Avro: \"id\": ")
    assert broken.startswith("The schema cannot be used:")


def test_a_schema_may_be_read_as_another_and_be_that_of_the_registry(
    local: LocalContext, broker: dict[str, dict[str, str]], topic: str, registry: dict[str, object]
) -> None:
    avro = {**broker, "serdeProperties": registry, "topic": topic}
    subject = {"serdeProperties": registry, "subject": f"{topic}-value"}
    first = ok(local.run("kafka.register_schema", {**subject, "schema": json.dumps(OLD)}))
    by_id = {**registry, "use.schema.id": str(first["id"])}
    latest = {**registry, "use.latest.version": "true"}
    writes = {**avro, "valueSerializer": "AVRO"}

    ok(local.run("kafka.produce", {**writes, "from": {"value": {"id": 1}, "partition": 0}, "serdeProperties": by_id}))
    ok(local.run("kafka.register_schema", {**subject, "schema": json.dumps(NEW)}))
    ok(
        local.run(
            "kafka.produce", {**writes, "from": {"value": {"id": "2"}, "partition": 0}, "serdeProperties": latest}
        )
    )
    reads = {**avro, "valueDeserializer": "AVRO", "maxRecords": 2}
    plain = lines(local, ok(local.run("kafka.consume", reads)))
    as_new = lines(local, ok(local.run("kafka.consume", {**reads, "valueAvroSchema": json.dumps(NEW)})))
    wrong = {**OLD, "fields": [{"name": "id", "type": "string"}]}
    unfit = message(local.run("kafka.consume", {**reads, "valueAvroSchema": json.dumps(wrong)}))

    assert [each["value"] for each in plain] == [{"id": 1, "note": None}, {"id": 2, "shop": "main"}]
    assert [each["value"] for each in as_new] == [{"id": 1, "shop": "main"}, {"id": 2, "shop": "main"}]
    assert unfit.startswith(f"{topic}, partition 0, offset 0: Avro: ")


def test_a_schema_that_the_registry_refuses_stops_before_anything_is_sent(
    local: LocalContext, broker: dict[str, dict[str, str]], topic: str, registry: dict[str, object]
) -> None:
    subject = {"serdeProperties": registry, "subject": f"{topic}-value"}
    ok(local.run("kafka.register_schema", {**subject, "schema": json.dumps(OLD), "compatibility": "BACKWARD"}))
    other = {**OLD, "fields": [{"name": "id", "type": "long"}, {"name": "fare", "type": "double"}]}
    avro = {"serdeProperties": registry, "valueSerializer": "AVRO", "valueAvroSchema": json.dumps(other)}

    told = local.run("kafka.produce", {**broker, **avro, "topic": topic, "from": {"value": {"id": 1, "fare": 2}}})
    found = ok(
        local.run(
            "kafka.consume",
            {**broker, "topicPattern": f"{topic}$", "groupId": topic, "patience": "PT1S", "pollDuration": "PT1S"},
        )
    )

    assert "refuses it (409)" in message(told) and "fare" in message(told)
    assert found["messagesCount"] == 0
