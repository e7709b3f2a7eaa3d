"""Is each message there once, and in one file, when a task is tried again that had done its work already?"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from penstock.plugins.kafka.share import Share
from penstock.plugins.kafka.takes import MOST, Take, read, written
from penstock.sdk.local import LocalContext
from tests.acceptance.observe import eventually
from tests.plugins.kafka.reading import lines, message, ok, values
from tests.plugins.kafka.servers import Brokers, forbidden, kafka

__all__ = ["kafka"]

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
numbers = itertools.count(1)
ROWS = [{"key": name, "value": name, "partition": 0} for name in "abcde"]


@pytest.fixture
def broker(kafka: Brokers) -> dict[str, object]:
    return {"properties": {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest"}}


@pytest.fixture
def topic() -> str:
    return f"sure-{os.getpid()}-{next(numbers)}"


def test_what_a_transaction_has_sent_is_not_sent_again(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    asked = {**broker, "topic": topic, "from": ROWS}
    ok(local.run("kafka.produce", asked))  # and nobody heard of it

    again = local.run("kafka.produce", asked, attempt=2)
    other = local.run("kafka.produce", {**asked, "from": [{"value": "x", "partition": 0}]}, attempt=3)

    assert ok(again) == {"messagesCount": 5}
    assert ok(other) == {"messagesCount": 1}
    assert values(local, broker, topic) == [*"abcde", "x"]


def test_what_is_handed_back_under_its_number_is_neither_sent_nor_taken_twice(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    asked = {**broker, "topic": topic, "from": ROWS}
    ok(local.run("kafka.produce", asked))
    ok(local.run("kafka.produce", asked, again=True))
    group = {**broker, "topic": topic, "groupId": f"group-{topic}", "maxRecords": 2, "pollDuration": "PT1S"}
    first = ok(local.run("kafka.consume", group))

    assert ok(local.run("kafka.consume", group, again=True)) == first
    assert values(local, broker, topic) == [*"abcde"]


def test_what_is_sent_without_a_transaction_is_sent_again(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    asked = {**broker, "topic": topic, "from": ROWS, "transactional": False}
    ok(local.run("kafka.produce", asked))

    ok(local.run("kafka.produce", asked, attempt=2))

    assert values(local, broker, topic) == [*"abcde", *"abcde"]


def test_a_transaction_that_was_left_open_is_given_up_by_the_next_attempt(
    local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers
) -> None:
    bad = [*ROWS, {"value": "x", "nonsense": 1}]
    assert "Message 6 has no nonsense" in message(local.run("kafka.produce", {**broker, "topic": topic, "from": bad}))
    left = Producer({"bootstrap.servers": kafka.servers, "transactional.id": f"penstock/{local.key}"})
    left.init_transactions(30)
    left.begin_transaction()
    left.produce(topic, "left", partition=0)
    left.flush()

    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS}, attempt=2))
    properties = {"bootstrap.servers": kafka.servers, "auto.offset.reset": "earliest"}
    uncommitted: dict[str, object] = {"properties": {**properties, "isolation.level": "read_uncommitted"}}

    assert values(local, broker, topic) == [*"abcde"]
    assert "left" in values(local, uncommitted, topic)


def test_who_may_not_leave_a_mark_is_told_and_sends(
    local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers
) -> None:
    with forbidden(kafka, "GROUP", "penstock/", "READ"):
        told = local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS})

    assert ok(told) == {"messagesCount": 5}
    assert any("Not allowed to read as the group" in line.message for line in told.logs)
    assert values(local, broker, topic) == [*"abcde"]


def test_who_may_not_look_for_a_mark_sends(
    local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers
) -> None:
    with forbidden(kafka, "GROUP", "penstock/", "DESCRIBE"):
        told = local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS})

    assert ok(told) == {"messagesCount": 5}
    assert values(local, broker, topic) == [*"abcde"]


def test_what_was_taken_is_found_again_and_not_taken_twice(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS}))
    asked = {**broker, "topic": topic, "groupId": f"group-{topic}", "maxRecords": 2, "pollDuration": "PT1S"}
    first = ok(local.run("kafka.consume", asked))  # and nobody heard of it

    again = ok(local.run("kafka.consume", asked, attempt=2))
    rest = ok(local.run("kafka.consume", {**asked, "maxRecords": 5}))

    assert again == first
    assert [[each["value"] for each in lines(local, told)] for told in (again, rest)] == [["a", "b"], ["c", "d", "e"]]


def test_what_was_taken_is_found_although_others_have_taken_since(
    local: LocalContext, broker: dict[str, object], topic: str
) -> None:
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS}))
    asked = {**broker, "topic": topic, "groupId": f"group-{topic}", "maxRecords": 2, "pollDuration": "PT1S"}
    with LocalContext() as other:
        first = ok(local.run("kafka.consume", asked))
        ok(other.run("kafka.consume", asked))

    again = ok(local.run("kafka.consume", asked, attempt=2))

    assert again == first


def test_a_file_that_is_gone_is_not_handed_on(local: LocalContext, broker: dict[str, object], topic: str) -> None:
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": ROWS}))
    asked = {**broker, "topic": topic, "groupId": f"group-{topic}", "maxRecords": 2, "pollDuration": "PT1S"}
    first = ok(local.run("kafka.consume", asked))
    local.path(str(first["uri"])).unlink()

    again = ok(local.run("kafka.consume", asked, attempt=2))

    assert [each["value"] for each in lines(local, again)] == ["c", "d"]


def test_what_goes_to_another_member_while_it_is_taken_is_not_handed_on(
    local: LocalContext, broker: dict[str, object], topic: str, kafka: Brokers
) -> None:
    rows = [{"value": str(number), "partition": number % 2} for number in range(100)]
    ok(local.run("kafka.produce", {**broker, "topic": topic, "from": rows}))
    group = f"group-{topic}"
    asked = {**broker, "topic": topic, "groupId": group, "pollDuration": "PT5S"}
    client = {"bootstrap.servers": kafka.servers, "group.id": group, "auto.offset.reset": "earliest"}
    admin = AdminClient({"bootstrap.servers": kafka.servers})

    def joined() -> bool:
        (about,) = admin.describe_consumer_groups([group]).values()
        return [len(each.assignment.topic_partitions) for each in about.result(30).members] == [2]

    with ThreadPoolExecutor(1) as beside:
        taking = beside.submit(local.run, "kafka.consume", asked)
        eventually(joined, "the task has both partitions")
        other, got = Consumer({**client, "enable.auto.commit": False}), list[bytes]()
        while not taking.done():
            found = other.poll(0.5)
            if found is None:
                other.subscribe([topic])
            elif found.error() is None:
                got.append(found.value() or b"")
        other.close()
    ours = {str(each["value"]).encode() for each in lines(local, ok(taking.result()))}

    assert len(ours) == 50 and sorted(ours | set(got)) == sorted(str(number).encode() for number in range(100))


def test_a_partition_that_comes_back_is_gone_on_with_from_where_it_was_given_up() -> None:
    share, said = Share(), Assigned()

    share.assigned(said, [TopicPartition("t", 0), TopicPartition("t", 1)])
    for number, (part, offset) in enumerate([(0, 5), (1, 7), (0, 6)], 1):
        share.ends["t", part] = offset + 1
        share.written = number
    share.assigned(said, [TopicPartition("t", 0)])

    assert [(each.partition, each.offset) for each in said.parts] == [(0, 7)]
    assert share.ends == {("t", 0): 7} and share.torn
    records = [{"topic": "t", "partition": part} for part in (0, 1, 0, 1)]
    assert list(share.ours(records)) == [records[0], records[2], records[3]]
    share.lost(said, [])
    assert share.ends == {} and list(share.ours(records)) == [records[3]]


class Assigned:
    """Who is told what it is to take."""

    def __init__(self) -> None:
        self.parts: list[TopicPartition] = []

    def assign(self, parts: list[TopicPartition]) -> None:
        """Take these."""
        self.parts = parts


def test_as_much_is_kept_beside_an_offset_as_there_is_room_for() -> None:
    takes = [Take(str(number), {"uri": "x" * 300}) for number in range(40)]

    text = written(takes)

    assert len(text) <= MOST
    assert read(text) == takes[: len(read(text))] and len(read(text)) > 10
    assert read("what others wrote") == []
