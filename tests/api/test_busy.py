"""Are values kept, pools sized, and queues, workers and settings told?"""

from __future__ import annotations

from tests.api.house import HELLO, House


def test_values_are_kept_listed_and_forgotten(either: House) -> None:
    put = either.client.put("/v1/kv/shop/color", json={"value": {"a": 1}})
    again = either.client.put("/v1/kv/shop/color", json={"value": "blue", "expires": "2100-01-01T00:00:00Z"})
    either.client.put("/v1/kv/shop/size", json={"value": 3})

    first = either.client.get("/v1/kv/shop", params={"limit": 1}).json()
    rest = either.client.get("/v1/kv/shop", params={"limit": 1, "cursor": first["next"]}).json()

    assert (put.json()["version"], again.json()["version"]) == (1, 2)
    assert either.client.get("/v1/kv/shop/color").json()["value"] == "blue"
    assert [each["key"] for each in first["items"] + rest["items"]] == ["color", "size"]
    assert "value" not in first["items"][0]
    assert either.client.get("/v1/kv/shop", params={"prefix": "si"}).json()["items"][0]["key"] == "size"
    assert either.client.delete("/v1/kv/shop/color").status_code == 204
    assert either.client.get("/v1/kv/shop/color").status_code == 404
    assert either.client.delete("/v1/kv/shop/color").status_code == 404


def test_a_value_is_refused_that_nobody_could_read(house: House) -> None:
    key = house.client.put("/v1/kv/shop/a b", json={"value": 1})
    namespace = house.client.put("/v1/kv/SHOP/a", json={"value": 1})
    past = house.client.put("/v1/kv/shop/a", json={"value": 1, "expires": "2000-01-01T00:00:00Z"})
    viewer = house.as_("viewer").put("/v1/kv/shop/a", json={"value": 1})

    assert [each.status_code for each in (key, namespace, past, viewer)] == [422, 422, 422, 403]


def test_pools_are_sized_and_forgotten(either: House) -> None:
    made = either.as_("admin").put("/v1/pools/db", json={"slots": 2})
    listed = either.client.get("/v1/pools").json()["items"]

    assert (made.status_code, made.json()["slots"]) == (200, 2)
    assert [(each["name"], each["slots"], each["used"]) for each in listed] == [("db", 2, 0)]
    assert either.as_("editor").put("/v1/pools/db", json={"slots": 9}).status_code == 403
    assert either.client.put("/v1/pools/db", json={"slots": -1}).status_code == 400
    assert either.client.delete("/v1/pools/db").status_code == 204
    assert either.client.delete("/v1/pools/db").status_code == 404


def test_queues_limits_and_workers_are_told(either: House) -> None:
    limited = HELLO.replace("tasks:", "concurrency:\n  limit: 1\ntasks:", 1)
    plan = either.push(limited)
    first, second = either.start(plan), either.start(plan)

    queues = either.client.get("/v1/queues").json()["items"]
    limits = either.client.get("/v1/limits").json()["items"]

    assert [(each["name"], each["waiting"], each["workers"]) for each in queues] == [("default", 1, 0)]
    assert [(each["used"], each["holders"], each["waiting"], each["count"]) for each in limits] == [(1, 1, 1, 1)]
    assert either.client.get("/v1/workers").json()["items"] == []
    assert first != second


def test_settings_tell_no_password(either: House) -> None:
    told = either.as_("admin").get("/v1/settings").json()

    assert told["database"] == either.core.store.kind
    assert told["store"] == either.app.where.shown
    assert (told["limits"]["calls"], told["limits"]["lease"], told["git"], told["login"]) == (1000, 10.0, [], "")
    assert either.as_("editor").get("/v1/settings").status_code == 403
