"""Are rules about alerts kept, told, tried and forgotten by HTTP, each where one may?"""

from __future__ import annotations

from tests.api.house import HELLO, House

WATCH = {"watches": "failed", "namespace": "shop", "tells_namespace": "shop", "tells": "hello", "after": 1.5}


def test_a_rule_is_kept_told_tried_and_forgotten(either: House) -> None:
    either.push()

    made = either.client.put("/v1/alerts/nightly", json=WATCH)
    changed = either.client.put("/v1/alerts/nightly", json=WATCH | {"watches": "late"})
    listed = either.client.get("/v1/alerts").json()["items"]
    tried = either.client.post("/v1/alerts/nightly/test").json()
    gone = either.client.delete("/v1/alerts/nightly")

    assert (made.status_code, made.json()["after"], made.json()["made_by"]) == (200, 1.5, "ann")
    assert [(each["name"], each["watches"], each["open"]) for each in listed] == [("nightly", "late", [])]
    assert changed.json() == listed[0]
    assert either.client.get(f"/v1/runs/{tried['run']}").json()["trigger"]["state"] == "test"
    assert gone.status_code == 204 and either.client.get("/v1/alerts").json()["items"] == []
    assert either.client.delete("/v1/alerts/nightly").status_code == 404


def test_an_address_is_called_and_only_its_host_told(house: House) -> None:
    asked = {"watches": "failed", "url": "https://hooks.example.com/T000/secret"}

    made = house.client.put("/v1/alerts/crew", json=asked)

    assert (made.status_code, made.json()["host"]) == (200, "hooks.example.com")
    assert "secret" not in house.client.get("/v1/alerts").text
    assert house.client.post("/v1/alerts/crew/test").json() == {"run": ""}
    assert house.client.put("/v1/alerts/none", json={"watches": "failed"}).status_code == 422


def test_rules_are_kept_told_and_forgotten_only_where_one_may(house: House) -> None:
    house.push()
    house.push(HELLO.replace(": shop", ": other"))
    house.client.put("/v1/alerts/nightly", json=WATCH)

    assert [each["name"] for each in house.as_("viewer").get("/v1/alerts").json()["items"]] == ["nightly"]
    assert house.as_("other").get("/v1/alerts").json()["items"] == []
    assert house.as_("other").delete("/v1/alerts/nightly").status_code == 404
    assert house.as_("other").post("/v1/alerts/nightly/test").status_code == 404
    assert house.as_("other").put("/v1/alerts/nightly", json=WATCH).status_code == 403
    taken = WATCH | {"namespace": "other", "tells_namespace": "other"}
    assert house.as_("other").put("/v1/alerts/nightly", json=taken).status_code == 403
    assert house.as_("editor").put("/v1/alerts/wide", json=WATCH | {"namespace": ""}).status_code == 403
    unknown = house.client.put("/v1/alerts/nightly", json=WATCH | {"tells": "helo"})
    assert (unknown.status_code, unknown.json().get("hint", "")) == (404, "")
