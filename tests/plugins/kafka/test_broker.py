"""Do the tasks of Kafka do their work on a real broker, and with a real registry of schemas?"""

from __future__ import annotations

import itertools
import json

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext
from tests.plugins.kafka.reading import lines, message, ok
from tests.plugins.kafka.servers import Brokers, kafka

__all__ = ["kafka"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
numbers = itertools.count(1)
SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "order",
        "fields": [
            {"name": "id", "type": "long"},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "note", "type": ["null", "string"], "default": None},
        ],
    }
)


@pytest.fixture
def broker(kafka: Brokers) -> dict[str, object]:
    return {"properties": {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest"}}


@pytest.fixture
def topic() -> str:
    return f"topic-{next(numbers)}"


def test_messages_arrive_with_all_that_they_carry(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    sent = {
        "key": "7",
        "value": {"id": 7},
        "headers": {"source": "shop"},
        "partition": 1,
        "timestamp": "2016-01-02T03:04:05Z",
    }
    asked = {**broker, "topic": topic, "valueDeserializer": "JSON", "maxRecords": 1}

    local.lineage = True
    produced = local.run("kafka.produce", {**broker, "topic": topic, "valueSerializer": "JSON", "from": sent})
    consumed = local.run("io.kestra.plugin.kafka.Consume", asked)
    made, (found,) = ok(produced), lines(local, ok(consumed))
    again = lines(local, ok(local.run("kafka.consume", {**asked, "partitions": [0], "pollDuration": "PT0.5S"})))

    assert made == {"messagesCount": 1}
    touched = [*produced.touched, *consumed.touched]
    told = [(each.access.value, each.name, each.rows) for each in touched]
    assert told == [("writes", topic, 1), ("reads", topic, 1)]
    assert touched[0].namespace.startswith("kafka://")
    assert found == {**sent, "headers": [{"source": "shop"}], "topic": topic, "offset": 0}
    assert again == []


def test_what_is_consumed_can_be_produced(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    rows = [{"key": str(n), "value": n, "partition": 0} for n in range(5)]
    numbered = {**broker, "valueSerializer": "INTEGER"}
    ok(
        local.run(
            "kafka.produce", {**numbered, "topic": f"{topic}-a", "from": json.dumps(rows), "transactional": False}
        )
    )
    asked = {**broker, "valueDeserializer": "INTEGER", "maxRecords": 5}

    taken = ok(local.run("kafka.consume", {**asked, "topic": f"{topic}-a"}))
    ok(local.run("io.kestra.plugin.kafka.Produce", {**numbered, "topic": f"{topic}-b", "from": taken["uri"]}))
    found = lines(local, ok(local.run("kafka.consume", {**asked, "topic": [f"{topic}-a"]})))

    assert [each["value"] for each in found] == list(range(5))


def test_a_group_goes_on_where_it_was(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    rows = [{"value": str(n), "partition": 0} for n in range(5)]
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": rows}))
    asked = {**broker, "groupId": f"group-{topic}", "pollDuration": "PT1S"}

    first = lines(local, ok(local.run("kafka.consume", {**asked, "topic": topic, "maxRecords": 2})))
    bad = local.run("kafka.consume", {**asked, "topic": topic, "valueDeserializer": "UUID"})
    rest = lines(local, ok(local.run("kafka.consume", {**asked, "topicPattern": f"{topic}$"})))

    assert [each["value"] for each in first] == ["0", "1"]
    assert "not written as UUID" in message(bad)
    assert [each["value"] for each in rest] == ["2", "3", "4"]


@pytest.mark.parametrize("kind", ["SKIPPED", "STORE", "DLQ"])
def test_a_message_that_cannot_be_read_is_passed_by(
    local: LocalContext, broker: dict[str, object], topic: str, kind: str
) -> None:
    rows = [
        {"key": "a", "value": value, "partition": 0, "headers": {"n": value}} for value in ('{"id":1}', "{no", "[2]")
    ]
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": rows}))
    asked = {**broker, "topic": topic, "groupId": f"group-{topic}", "valueDeserializer": "JSON", "maxRecords": 3}
    dead = f"{topic}-dead"

    failed = local.run("kafka.consume", asked)
    told = ok(local.run("kafka.consume", {**asked, "onSerdeError": {"type": kind, "topic": dead}}))

    assert "not written as JSON" in message(failed)
    assert [each["value"] for each in lines(local, told)] == [{"id": 1}, [2]]
    assert (told["messagesCount"], told["unreadCount"], "unreadUri" in told) == (2, 1, kind == "STORE")
    if kind == "STORE":
        (kept,) = [json.loads(line) for line in local.text(str(told["unreadUri"])).splitlines()]
        assert (kept["key"], kept["value"], kept["partition"], kept["offset"]) == ("a", "{no", 0, 1)
        assert "JSON" in kept["error"]
    if kind == "DLQ":
        (sent,) = lines(local, ok(local.run("kafka.consume", {**broker, "topic": dead, "maxRecords": 1})))
        assert (sent["key"], sent["value"]) == ("a", "{no")
        assert isinstance(sent["headers"], list)
        assert sent["headers"][0] == {"n": "{no"}
    rest = ok(local.run("kafka.consume", {**asked, "pollDuration": "PT0.5S"}))
    assert rest["messagesCount"] == 0


def test_messages_are_taken_since_an_instant(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    # A broker takes away what is as old as this.
    kept = {"name": topic, "partitions": 1, "config": {"retention.ms": "-1"}}
    ok(local.run("kafka.create_topics", {**broker, "topics": [kept]}))
    rows = [{"value": str(day), "timestamp": f"2016-01-0{day}T00:00:00Z", "partition": 0} for day in (1, 2, 3)]
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": rows}))

    asked = {**broker, "topic": topic, "since": "2016-01-02T00:00:00+00:00", "maxRecords": 2}
    found = lines(local, ok(local.run("kafka.consume", asked)))

    assert [each["value"] for each in found] == ["2", "3"]


def test_a_transaction_is_there_whole_or_not_at_all(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    rows = [{"value": "1"}, {"value": "2"}, {"value": "x", "nonsense": 1}]

    failed = local.run("kafka.produce", {**broker, "topic": topic, "from": rows})
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": {"value": "3"}}))
    found = lines(local, ok(local.run("kafka.consume", {**broker, "topic": topic, "pollDuration": "PT1S"})))

    assert "no nonsense" in message(failed)
    assert [each["value"] for each in found] == ["3"]


def test_avro_goes_by_the_registry(local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers) -> None:
    registry = {**broker, "serdeProperties": {"schema.registry.url": kafka.registry}}
    rows = [{"key": "a", "value": {"id": "1", "day": "2016-01-02", "note": None}}, {"key": "b", "value": None}]
    asked = {**registry, "topic": topic, "valueDeserializer": "AVRO", "maxRecords": 2}
    sends = {**registry, "topic": topic, "valueSerializer": "AVRO", "valueAvroSchema": SCHEMA}

    ok(local.run("kafka.produce", {**sends, "from": rows}))
    found = lines(local, ok(local.run("kafka.consume", asked)))
    wrong = local.run("kafka.produce", {**sends, "from": {"value": {"id": "no number", "day": "2016-01-02"}}})

    assert {str(each["key"]): each["value"] for each in found} == {
        "a": {"id": 1, "day": "2016-01-02", "note": None},
        "b": None,
    }
    assert "no number" in message(wrong)


def test_what_is_no_avro_is_passed_by_but_not_for_a_registry_that_is_away(
    local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers
) -> None:
    registry = {"serdeProperties": {"schema.registry.url": kafka.registry}}
    away = {"serdeProperties": {"schema.registry.url": "http://127.0.0.1:1", "max.retries": "0"}}
    sends = {**broker, **registry, "topic": topic, "valueSerializer": "AVRO", "valueAvroSchema": SCHEMA}
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": {"value": "no avro", "partition": 0}}))
    ok(local.run("kafka.produce", {**sends, "from": {"value": {"id": 1, "day": "2016-01-02"}, "partition": 0}}))
    asked = {**broker, "topic": topic, "valueDeserializer": "AVRO", "onSerdeError": {}, "maxRecords": 2}

    told = ok(local.run("kafka.consume", {**asked, **registry}))
    failed = local.run("kafka.consume", {**asked, **away})

    assert (told["messagesCount"], told["unreadCount"]) == (1, 1)
    assert "The registry of schemas at http://127.0.0.1:1 does not answer" in message(failed)


def test_what_goes_wrong_is_told(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    nobody = {"properties": {"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": "500"}}

    unsent = local.run("kafka.produce", {**nobody, "topic": topic, "from": {"value": "x"}, "transactional": False})
    unknown = local.run(
        "kafka.produce",
        {"properties": {"bootstrap.servers": "x", "no.such": "1"}, "topic": "t", "from": {"value": "x"}},
    )
    both = local.run("kafka.consume", {**broker, "topic": topic, "topicPattern": "x"})

    assert f'Message 1 to "{topic}": Kafka at 127.0.0.1:1 does not answer; it was tried for' in message(unsent)
    assert "no.such" in message(unknown)
    assert "Exactly one of topic and topicPattern" in message(both)


def test_a_trigger_lets_its_group_go_on_once_what_it_took_is_told(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": [{"value": "a"}, {"value": "b"}]}))
    asked = {**broker, "topic": topic, "groupId": f"looks-{topic}", "pollDuration": "PT2S"}

    died = local.run("kafka.trigger", asked)  # and nobody heard of it
    first = local.run("io.kestra.plugin.kafka.Trigger", asked)
    told = local.run("kafka.trigger", asked, state=first.state)

    assert died.outcome is first.outcome is Outcome.SNOOZED
    assert sorted(str(line["value"]) for line in lines(local, ok(told))) == ["a", "b"]
    assert local.run("kafka.trigger", asked, state=told.state).outcome is Outcome.SKIPPED


def test_each_message_fires_and_one_that_did_not_is_heard_again(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    sent = [{"value": str(number), "partition": 0} for number in range(4)]
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": sent}))
    asked = {**broker, "topic": topic, "groupId": f"hears-{topic}"}

    for most in (2, 3):
        local.most_fired = most
        assert message(local.run("kafka.realtime_trigger", asked)) == "The trigger is switched off."

    assert [each["value"] for each in local.fired.values()] == ["0", "1", "2"]
    assert [key.split("/")[:3] for key in local.fired] == [[topic, "0", str(offset)] for offset in range(3)]
