"""Do the tasks of AMQP do their work on a real RabbitMQ?"""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import pytest

from penstock.model.status import Outcome
from penstock.plugins.messages.amqp import CreateQueue
from penstock.plugins.messages.payload import epoch_millis
from penstock.sdk.local import LocalContext, Told
from tests.brokers import Served, rabbitmq

__all__ = ["rabbitmq"]

numbers = itertools.count(1)


@pytest.fixture
def broker(rabbitmq: Served) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": str(rabbitmq.port),
        "username": rabbitmq.user,
        "password": rabbitmq.password,
    }


@pytest.fixture
def queue(local: LocalContext, broker: dict[str, object]) -> str:
    name = f"q{next(numbers)}"
    ok(local.run("amqp.create_queue", {**broker, "name": name, "durability": False}))
    return name


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


def lines(local: LocalContext, told: dict[str, object]) -> list[dict[str, object]]:
    return [json.loads(line) for line in local.text(str(told["uri"])).splitlines()]


def test_messages_go_through_an_exchange_to_a_queue(local: LocalContext, broker: dict[str, object], queue: str) -> None:
    exchange = {**broker, "exchange": "orders"}
    named = {**broker, "name": "orders", "exchangeType": "TOPIC"}
    assert ok(local.run("amqp.declare_exchange", named)) == {"exchange": "orders"}
    assert ok(local.run("io.kestra.plugin.amqp.CreateExchange", named)) == {"exchange": "orders"}
    bound = ok(local.run("amqp.bind_queue", {**exchange, "queue": queue, "routingKey": "east.#"}))
    sent = {
        "data": "an order",
        "headers": {"kind": "new", "n": 1},
        "contentType": "text/plain",
        "expiration": "PT1M",
        "timestamp": "2016-01-02T03:04:05Z",
        "appId": "shop",
        "priority": 3,
    }

    ok(local.run("amqp.publish", {**exchange, "routingKey": "west.x", "from": {"data": "not ours"}}))
    told = ok(local.run("io.kestra.plugin.amqp.Publish", {**exchange, "routingKey": "east.x", "from": [sent]}))
    taken = ok(local.run("amqp.consume", {**broker, "queue": queue, "maxRecords": 1}))

    assert (bound, told) == ({"queue": queue, "exchange": "orders"}, {"messagesCount": 1})
    assert lines(local, taken) == [{**sent, "expiration": "PT60S"}]


def test_what_is_taken_is_gone_and_what_is_left_stays(
    local: LocalContext, broker: dict[str, object], queue: str
) -> None:
    uri = local.put("".join(f'{{"data": {{"n": {n}}}}}\n' for n in range(5)))
    to_queue = {**broker, "exchange": "", "routingKey": queue, "serdeType": "JSON"}
    ok(local.run("amqp.publish", {**to_queue, "from": uri}))
    asked = {**broker, "queue": queue, "serdeType": "JSON"}

    first = lines(local, ok(local.run("amqp.consume", {**asked, "maxRecords": 2})))
    rest = lines(local, ok(local.run("amqp.consume", {**asked, "maxDuration": "PT0.3S"})))

    assert [each["data"] for each in (*first, *rest)] == [{"n": n} for n in range(5)]


def test_what_cannot_be_read_stays_in_the_queue(local: LocalContext, broker: dict[str, object], queue: str) -> None:
    ok(local.run("amqp.publish", {**broker, "exchange": "", "routingKey": queue, "from": {"data": "no JSON"}}))

    failed = local.run("amqp.consume", {**broker, "queue": queue, "serdeType": "JSON", "maxRecords": 1})
    again = lines(local, ok(local.run("amqp.consume", {**broker, "queue": queue, "maxRecords": 1})))

    assert "no JSON" in message(failed)
    assert [each["data"] for each in again] == ["no JSON"]


def test_what_goes_wrong_is_told(local: LocalContext, broker: dict[str, object], rabbitmq: Served, queue: str) -> None:
    address = f"amqp://{rabbitmq.user}:{quote(rabbitmq.password)}@127.0.0.1:{rabbitmq.port}"

    def said(name: str, more: dict[str, object]) -> str:
        return message(local.run(f"amqp.{name}", {**broker, **more}))

    assert ok(local.run("amqp.create_queue", {"url": f"{address}/", "name": queue, "durability": False}))
    assert "does not let shop in" in said("create_queue", {"name": "x", "password": "wrong"})
    assert "refused" in said("create_queue", {"name": "x", "port": 1})
    assert "no queue 'nowhere'" in said("consume", {"queue": "nowhere", "maxRecords": 1})
    assert "no exchange 'nowhere'" in said("publish", {"exchange": "nowhere", "from": {"data": "x"}})
    assert "inequivalent arg 'durable'" in said("create_queue", {"name": queue})
    assert "has no body" in said("publish", {"exchange": "", "from": {"body": "x"}})
    assert "Exactly one of url and host" in said("create_queue", {"url": address, "name": "x"})
    missing = local.run("amqp.create_queue", {"url": f"{address}/nowhere", "name": "x"})
    assert "/nowhere" in message(missing)


@pytest.mark.parametrize(
    "text", ["2016-01-02T03:04:05.5Z", "2016-01-02T03:04:05.500000123Z", "2016-01-02T04:04:05.5+01:00[Europe/Paris]"]
)
def test_an_instant_is_read_as_people_write_it(text: str) -> None:
    assert epoch_millis(text) == 1_451_703_845_500


@pytest.mark.parametrize(
    ("url", "host", "port", "virtual_host", "secure"),
    [
        ("amqp://h", "h", 5672, "/", False),
        ("amqp://h/", "h", 5672, "/", False),
        ("amqp://u:p@h:5/x", "h", 5, "/x", False),
        ("amqps://h/%2Fx", "h", 5671, "/x", True),
    ],
)
def test_an_address_names_its_virtual_host(url: str, host: str, port: int, virtual_host: str, secure: bool) -> None:
    place = CreateQueue(url=url, name="q").place()

    assert (place.host, place.port, place.virtual_host, place.secure) == (host, port, virtual_host, secure)


def until_switched_off(local: LocalContext, kind: str, properties: dict[str, object], most: int) -> None:
    """Have a trigger listen until it has fired so often and is refused once more."""
    local.most_fired = most
    told = local.run(kind, properties)
    assert told.failure is not None
    assert told.failure["message"] == "The trigger is switched off.", told.failure


def test_messages_of_a_queue_stay_until_the_trigger_has_fired(
    local: LocalContext, broker: dict[str, object], queue: str
) -> None:
    asked = {**broker, "queue": queue, "maxRecords": 2, "maxDuration": "PT0.3S"}
    messages = [{"data": "a"}, {"data": "b"}]
    ok(local.run("amqp.publish", {**broker, "exchange": "", "routingKey": queue, "from": messages}))

    local.most_fired = 0
    assert local.run("amqp.trigger", asked).failure
    local.most_fired = None
    assert local.run("amqp.trigger", asked).outcome is Outcome.SKIPPED
    assert local.run("amqp.trigger", asked).outcome is Outcome.SKIPPED

    (fired,) = local.fired.values()
    assert fired["count"] == 2


def test_each_message_of_a_queue_fires(local: LocalContext, broker: dict[str, object], queue: str) -> None:
    amqp = {**broker, "queue": queue}
    messages = [{"data": name, "messageId": name} for name in "abc"]
    ok(local.run("amqp.publish", {**broker, "exchange": "", "routingKey": queue, "from": messages}))

    until_switched_off(local, "amqp.realtime_trigger", amqp, 2)

    assert [each["data"] for each in local.fired.values()] == ["a", "b"]
    left = ok(local.run("amqp.consume", {**amqp, "maxDuration": "PT0.3S"}))
    assert left["count"] == 1


def test_a_message_that_comes_again_is_known_by_what_its_producer_calls_it(
    local: LocalContext, broker: dict[str, object], queue: str
) -> None:
    named, other, nameless = {"data": "a", "messageId": "7"}, {"data": "b", "messageId": "7"}, {"data": "a"}
    messages = [named, named, other, nameless, nameless]
    ok(local.run("amqp.publish", {**broker, "exchange": "", "routingKey": queue, "from": messages}))
    until_switched_off(local, "amqp.realtime_trigger", {**broker, "queue": queue}, 3)

    assert [each["data"] for each in local.fired.values()] == ["a", "b", "a"]
