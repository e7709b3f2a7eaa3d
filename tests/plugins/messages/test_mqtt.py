"""Do the tasks of MQTT do their work on a real broker?"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from tests.brokers import Served, mosquitto

__all__ = ["mosquitto"]


@pytest.fixture
def broker(mosquitto: Served) -> dict[str, object]:
    return {
        "server": f"tcp://127.0.0.1:{mosquitto.port}",
        "username": mosquitto.user,
        "password": mosquitto.password,
    }


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


def lines(local: LocalContext, told: dict[str, object]) -> list[dict[str, object]]:
    return [json.loads(line) for line in local.text(str(told["uri"])).splitlines()]


@pytest.mark.parametrize("version", ["V3", "V5"])
def test_what_is_published_arrives(local: LocalContext, broker: dict[str, object], version: str) -> None:
    kept = {**broker, "version": version, "retain": True}
    topic = f"shop/{version}"

    first = ok(local.run("mqtt.publish", {**kept, "topic": f"{topic}/a", "from": {"value": 1.5}}))
    second = ok(local.run("io.kestra.plugin.mqtt.Publish", {**kept, "topic": f"{topic}/b", "qos": 2, "from": [1, "é"]}))
    told = ok(local.run("mqtt.subscribe", {**broker, "version": version, "topic": f"{topic}/+", "maxRecords": 2}))

    assert (first["messagesCount"], second["messagesCount"], told["messagesCount"]) == (1, 2, 2)
    found = {str(each["topic"]): each for each in lines(local, told)}
    assert found[f"{topic}/a"]["payload"] == {"value": 1.5}
    assert (found[f"{topic}/b"]["payload"], found[f"{topic}/b"]["retain"]) == ("é", True)


def test_text_and_bytes_are_kept_as_they_are(local: LocalContext, broker: dict[str, object]) -> None:
    ok(local.run("mqtt.publish", {**broker, "topic": "kinds/s", "from": "a b", "serdeType": "STRING", "retain": True}))
    ok(local.run("mqtt.publish", {**broker, "topic": "kinds/b", "from": "AP8=", "serdeType": "BYTES", "retain": True}))

    asked = {**broker, "topic": ["kinds/s", "kinds/b"], "serdeType": "BYTES", "maxRecords": 2}
    found = lines(local, ok(local.run("io.kestra.plugin.mqtt.Subscribe", asked)))

    assert {str(each["topic"]): each["payload"] for each in found} == {"kinds/s": "YSBi", "kinds/b": "AP8="}


def test_null_removes_what_is_retained_and_a_time_ends_the_wait(local: LocalContext, broker: dict[str, object]) -> None:
    kept = {**broker, "topic": "gone", "retain": True}
    ok(local.run("mqtt.publish", {**kept, "from": 1}))
    ok(local.run("mqtt.publish", {**kept, "from": [None]}))

    told = ok(local.run("mqtt.subscribe", {**broker, "topic": "gone", "maxDuration": "PT0.2S"}))

    assert told["messagesCount"] == 0


def test_who_may_not_come_in_is_told_so(local: LocalContext, broker: dict[str, object], tmp_path: Path) -> None:
    def said(**more: object) -> str:
        return message(local.run("mqtt.publish", {**broker, "topic": "t", "from": 1, **more}))

    assert "Not authorized" in said(password="wrong")
    assert "refused" in said(server="tcp://127.0.0.1:1")
    assert "address of the broker cannot be used" in said(server="http://x")
    assert "certificate" in said(server="ssl://127.0.0.1", crt=str(tmp_path / "none.pem"))
    assert "maxRecords or maxDuration" in message(local.run("mqtt.subscribe", {**broker, "topic": "t"}))


def test_an_address_may_say_who_asks(local: LocalContext, mosquitto: Served) -> None:
    server = f"tcp://{quote(mosquitto.user)}:{quote(mosquitto.password, safe='')}@127.0.0.1:{mosquitto.port}"

    assert ok(local.run("mqtt.publish", {"server": server, "topic": "t", "from": 1}))["messagesCount"] == 1


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("mqtt.publish", {"server": "tcp://ann:hush@127.0.0.1:1", "topic": "t", "from": 1}),
        ("mqtt.publish", {"server": "http://ann:hush@127.0.0.1", "topic": "t", "from": 1}),
        ("mqtt.publish", {"server": "tcp://ann:hush/x@127.0.0.1", "topic": "t", "from": 1}),
        ("redis.get", {"url": "redis://ann:hush@127.0.0.1:1", "key": "k"}),
        ("redis.get", {"url": "http://ann:hush@127.0.0.1", "key": "k"}),
        ("redis.get", {"url": "redis://ann:hush/x@127.0.0.1", "key": "k"}),
        ("amqp.create_queue", {"url": "amqp://ann:hush@127.0.0.1:1", "name": "q"}),
        ("amqp.create_queue", {"url": "http://ann:hush@127.0.0.1", "name": "q"}),
        ("amqp.create_queue", {"url": "amqp://ann:hush/x@127.0.0.1", "name": "q"}),
    ],
)
def test_a_password_in_an_address_is_never_told(local: LocalContext, kind: str, properties: dict[str, object]) -> None:
    told = local.run(kind, properties)

    assert told.failure is not None
    assert "hush" not in f"{told.failure} {told.message} {told.logs}"


def until_switched_off(local: LocalContext, kind: str, properties: dict[str, object], most: int) -> None:
    """Have a trigger listen until it has fired so often and is refused once more."""
    local.most_fired = most
    told = local.run(kind, properties)
    assert told.failure is not None
    assert told.failure["message"] == "The trigger is switched off.", told.failure


@pytest.mark.parametrize("version", ["V3", "V5"])
def test_messages_that_come_while_nobody_looks_wait_with_the_broker(
    local: LocalContext, broker: dict[str, object], version: str
) -> None:
    mqtt = {**broker, "topic": f"looked/{version}"}
    asked = {**mqtt, "version": version, "maxDuration": "PT0.3S"}
    assert local.run("mqtt.trigger", asked).outcome is Outcome.SKIPPED
    ok(local.run("mqtt.publish", {**mqtt, "from": [1, 2]}))

    local.most_fired = 0
    assert local.run("mqtt.trigger", asked).failure
    local.most_fired = 1
    assert local.run("mqtt.trigger", asked).outcome is Outcome.SKIPPED
    assert local.run("mqtt.trigger", asked).outcome is Outcome.SKIPPED

    (fired,) = local.fired.values()
    assert fired["messagesCount"] == 2


def test_each_message_of_a_topic_fires(local: LocalContext, broker: dict[str, object]) -> None:
    mqtt = {**broker, "topic": "heard/each"}
    local.run("mqtt.trigger", {**mqtt, "maxDuration": "PT0.1S"})  # its session is known from then on
    ok(local.run("mqtt.publish", {**mqtt, "from": [{"n": 1}, {"n": 2}, {"n": 3}]}))

    until_switched_off(local, "mqtt.realtime_trigger", mqtt, 2)

    assert [each["payload"] for each in local.fired.values()] == [{"n": 1}, {"n": 2}]
