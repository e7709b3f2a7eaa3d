"""Is each message there once, and taken once, when the broker itself is killed meanwhile?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from penstock.sdk.local import LocalContext
from projects.lakehouse.services.kafka import Kafka
from projects.lakehouse.services.service import answered
from projects.servers.child import free_port
from tests.acceptance.observe import eventually
from tests.plugins.kafka.reading import lines, message, ok
from tests.plugins.kafka.servers import Brokers, kafka

__all__ = ["kafka"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
COUNT, BEGUN = 60_000, 2_000


@pytest.fixture
def mortal(kafka: Brokers, server_folder: Path) -> Iterator[Kafka]:
    """A broker of the test's own, to be killed; by the other one it is known that there are jars."""
    broker = Kafka(server_folder / "mortal", free_port(), free_port())
    try:
        broker.launch()
        answered([broker])
        yield broker
    finally:
        broker.stop()


def held(broker: Kafka, topic: str) -> int:
    """How many messages a topic holds, committed or not."""
    consumer = Consumer(
        {"bootstrap.servers": broker.address, "group.id": "held", "isolation.level": "read_uncommitted"}
    )
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), 10)[1])
    except KafkaException:
        return 0
    finally:
        consumer.close()


@pytest.mark.parametrize("transactional", [True, False])
def test_a_broker_that_is_killed_and_comes_back_has_each_message_once(
    local: LocalContext, mortal: Kafka, transactional: bool
) -> None:
    topic = f"crash-{transactional}"
    reached: dict[str, object] = {
        "properties": {"bootstrap.servers": mortal.address, "auto.offset.reset": "earliest"},
        "patience": "PT3M",
    }
    ok(local.run("kafka.create_topics", {**reached, "topics": [{"name": topic, "partitions": 1}]}))
    rows = "".join(json.dumps({"key": str(n), "value": f"{n:0200}"}) + "\n" for n in range(COUNT))
    asked = {**reached, "topic": topic, "from": local.put(rows, "rows.jsonl"), "transactional": transactional}

    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(local.run, "kafka.produce", asked)
        eventually(partial(begun, mortal, topic), "it sends", 60)
        mortal.crash()
        early = sending.done()
        mortal.launch()
        answered([mortal])
        sent = ok(sending.result())
    taken = ok(local.run("kafka.consume", {**reached, "topic": topic, "maxRecords": COUNT + 1}))

    assert not early and sent["messagesCount"] == COUNT
    counted = Counter(each["key"] for each in lines(local, taken))
    assert len(counted) == COUNT and set(counted.values()) == {1}


def begun(broker: Kafka, topic: str) -> bool:
    """Whether some messages are there already."""
    return held(broker, topic) > BEGUN


def test_a_task_whose_broker_goes_away_does_not_think_that_nothing_comes(local: LocalContext, mortal: Kafka) -> None:
    properties = {"bootstrap.servers": mortal.address, "auto.offset.reset": "earliest"}
    reached: dict[str, object] = {"properties": properties, "topic": "away"}
    rows = [{"value": str(number)} for number in range(10)]
    ok(local.run("kafka.create_topics", {"properties": properties, "topics": [{"name": "away", "partitions": 1}]}))
    ok(local.run("kafka.produce", {**reached, "from": rows}))
    asked = {**reached, "groupId": "away", "pollDuration": "PT15S", "patience": "PT2S"}

    with ThreadPoolExecutor(1) as beside:
        taking = beside.submit(local.run, "kafka.consume", asked)
        eventually(partial(has_member, mortal, "away"), "it takes", 60)
        mortal.crash()
        gone = message(taking.result())
    mortal.launch()
    answered([mortal])
    later = ok(local.run("kafka.consume", {**asked, "patience": "PT1M", "maxRecords": 10}, attempt=2))

    assert f"Kafka at {mortal.address} does not answer; it was tried for" in gone
    assert later["messagesCount"] == 10


def has_member(broker: Kafka, group: str) -> bool:
    """Whether somebody takes for a group."""
    admin = AdminClient({"bootstrap.servers": broker.address})
    (about,) = admin.describe_consumer_groups([group]).values()
    return any(each.assignment.topic_partitions for each in about.result(60).members)
