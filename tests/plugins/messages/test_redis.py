"""Do the tasks of Redis do their work on a real server?"""

from __future__ import annotations

from urllib.parse import quote

import pytest
import redis

from penstock.model.status import Outcome
from penstock.sdk.local import LocalContext, Told
from tests.brokers import Served, redis_server

__all__ = ["redis_server"]


@pytest.fixture
def url(redis_server: Served) -> str:
    address = f"redis://:{quote(redis_server.password)}@127.0.0.1:{redis_server.port}/0"
    redis.Redis.from_url(address).flushall()
    return address


def ok(told: Told) -> dict[str, object]:
    assert told.outcome is Outcome.DONE, told.failure
    return told.outputs


def message(told: Told) -> str:
    assert told.failure is not None
    return str(told.failure["message"])


def test_what_is_set_is_got(local: LocalContext, url: str) -> None:
    value = {"a": [1, "é", None]}

    ok(local.run("redis.set", {"url": url, "key": "k", "value": value, "serdeType": "JSON"}))
    as_json = ok(local.run("io.kestra.plugin.redis.string.Get", {"url": url, "key": "k", "serdeType": "JSON"}))
    as_text = ok(local.run("redis.get", {"url": url, "key": "k"}))

    assert as_json == {"data": value, "key": "k"}
    assert as_text["data"] == '{"a":[1,"é",null]}'
    assert ok(local.run("redis.get", {"url": url, "key": "none"})) == {"data": None, "key": "none"}
    assert "no key" in message(local.run("redis.get", {"url": url, "key": "none", "failedOnMissing": True}))


def test_a_key_is_set_on_conditions_and_for_a_time(local: LocalContext, url: str) -> None:
    asked = {"url": url, "key": "k"}

    ok(local.run("redis.set", {**asked, "value": "1", "options": {"mustExist": True}}))
    assert ok(local.run("redis.ttl", asked))["ttl"] == -2
    ok(local.run("redis.set", {**asked, "value": "1", "options": {"expirationDuration": "PT1H"}}))
    ok(local.run("redis.set", {**asked, "value": "2", "options": {"mustNotExist": True}}))
    told = ok(local.run("redis.set", {**asked, "value": "3", "get": True, "options": {"keepTtl": True}}))
    ok(
        local.run(
            "redis.set", {"url": url, "key": "d", "value": "x", "options": {"expirationDate": "2100-01-01T00:00:00Z"}}
        )
    )

    assert told == {"oldValue": "1"}
    assert 3590 <= int(str(ok(local.run("redis.ttl", asked))["ttl"])) <= 3600
    assert int(str(ok(local.run("redis.ttl", {"url": url, "key": "d"}))["ttl"])) > 10**9
    both = {"expirationDuration": "PT1H", "expirationDate": "2100-01-01T00:00:00Z"}
    assert "Only one" in message(local.run("redis.set", {**asked, "value": "x", "options": both}))


def test_numbers_are_added_to(local: LocalContext, url: str) -> None:
    asked = {"url": url, "key": "n"}

    assert ok(local.run("redis.increment", asked))["value"] == 1
    assert ok(local.run("redis.increment", {**asked, "amount": 5}))["value"] == 6
    assert (
        ok(local.run("redis.increment", {**asked, "amount": 0.5, "options": {"expirationDuration": "PT1M"}}))["value"]
        == 6.5
    )
    assert int(str(ok(local.run("redis.ttl", asked))["ttl"])) > 0


def test_keys_are_deleted(local: LocalContext, url: str) -> None:
    for key in ("a", "b"):
        ok(local.run("redis.set", {"url": url, "key": key, "value": "x"}))

    told = ok(local.run("io.kestra.plugin.redis.Delete", {"url": url, "keys": ["a", "b", "c"]}))
    missing = local.run("redis.delete", {"url": url, "keys": ["a"], "failedOnMissing": True})

    assert told == {"count": 2}
    assert "Only 0 of 1" in message(missing)


def test_a_list_is_filled_and_emptied(local: LocalContext, url: str) -> None:
    records = local.put('{"n": 1}\n{"n": 2}\n')

    ok(local.run("redis.push", {"url": url, "key": "l", "from": records, "serdeType": "JSON"}))
    ok(local.run("redis.push", {"url": url, "key": "l", "from": '[{"n": 3}]', "serdeType": "JSON"}))
    some = ok(local.run("redis.pop", {"url": url, "key": "l", "serdeType": "JSON", "maxRecords": 2, "count": 1}))
    rest = ok(local.run("redis.pop", {"url": url, "key": "l", "serdeType": "JSON", "maxDuration": "PT10S"}))

    assert (some["count"], local.text(str(some["uri"]))) == (2, '{"n":3}\n{"n":2}\n')
    assert (rest["count"], local.text(str(rest["uri"]))) == (1, '{"n":1}\n')
    assert "maxRecords or maxDuration" in message(local.run("redis.pop", {"url": url, "key": "l"}))


def test_values_reach_those_who_listen(local: LocalContext, url: str) -> None:
    with redis.Redis.from_url(url) as client, client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe("news")
        listener.get_message(timeout=5)

        told = ok(local.run("redis.publish", {"url": url, "channel": "news", "from": ["a", "b"]}))
        heard = [listener.get_message(timeout=5) for _ in range(2)]

    assert told == {"count": 2}
    assert [each["data"] for each in heard if each] == [b"a", b"b"]


def test_what_goes_wrong_is_told_without_the_password(local: LocalContext, url: str, redis_server: Served) -> None:
    refused = local.run("redis.get", {"url": f"redis://:wrong@127.0.0.1:{redis_server.port}", "key": "k"})
    nobody = local.run("redis.get", {"url": "redis://:hunter2@127.0.0.1:1", "key": "k"})
    nonsense = local.run("redis.get", {"url": "mysql://:hunter2@x", "key": "k"})

    assert "WRONGPASS" in message(refused) or "password" in message(refused)
    assert "refused" in message(nobody)
    for told in (nobody, nonsense):
        assert "hunter2" not in message(told)


def until_switched_off(local: LocalContext, kind: str, properties: dict[str, object], most: int) -> None:
    """Have a trigger listen until it has fired so often and is refused once more."""
    local.most_fired = most
    told = local.run(kind, properties)
    assert told.failure is not None
    assert told.failure["message"] == "The trigger is switched off.", told.failure


def test_values_of_a_list_are_stored_before_they_are_let_go(local: LocalContext, url: str) -> None:
    client = redis.Redis.from_url(url)
    client.rpush("orders", "a", "b", "c")
    asked = {"url": url, "key": "orders", "maxRecords": 2}

    died = local.run("redis.trigger", asked)  # and nobody heard of it
    again = local.run("redis.trigger", asked)
    told = local.run("redis.trigger", asked, state=again.state)

    assert died.outcome is Outcome.SNOOZED
    assert told.outputs["count"] == 2
    assert local.text(str(told.outputs["uri"])).split() == ['"a"', '"b"']
    assert client.lrange("orders", 0, -1) == [b"c"]
    assert client.keys("orders:*") == []
    client.delete("orders")
    assert local.run("redis.trigger", asked, state=told.state).outcome is Outcome.SKIPPED


def test_each_value_of_a_list_fires_and_one_that_did_not_is_heard_again(local: LocalContext, url: str) -> None:
    client = redis.Redis.from_url(url)
    client.rpush("orders", "a", "b", "c", "d")
    asked: dict[str, object] = {"url": url, "key": "orders"}

    until_switched_off(local, "redis.realtime_trigger", asked, 2)
    until_switched_off(local, "redis.realtime_trigger", asked, 3)

    assert [each["value"] for each in local.fired.values()] == ["a", "b", "c"]
    assert client.llen("orders") + sum(client.llen(key) for key in client.keys("orders:*local")) == 1
