"""Are triggers told and switched, and backfills begun, steered and told, by HTTP as by the command line?"""

from __future__ import annotations

from tests.api.house import HELLO, House

DAILY = (
    HELLO
    + """
triggers:
  - id: nightly
    type: Schedule
    cron: "0 3 * * *"
"""
)
WHERE = "/v1/triggers/shop/hello/nightly"
JANUARY = {
    "namespace": "shop",
    "flow": "hello",
    "from": "2016-01-01T00:00:00Z",
    "to": "2016-01-05T00:00:00Z",
    "every": "P1D",
    "inputs": {"who": "{{ date }}"},
}


def test_triggers_are_listed_in_the_scope_of_who_asks_and_switched(either: House) -> None:
    either.push(DAILY)
    either.push(DAILY.replace("namespace: shop", "namespace: other"))
    viewer, operator = either.as_("viewer"), either.as_("operator")

    first = either.client.get("/v1/triggers", params={"limit": 1}).json()
    rest = either.client.get("/v1/triggers", params={"limit": 1, "cursor": first["next"]}).json()
    off = operator.put(f"{WHERE}/on", json={"on": False})

    assert [each["namespace"] for each in first["items"] + rest["items"]] == ["other", "shop"]
    assert [each["namespace"] for each in viewer.get("/v1/triggers").json()["items"]] == ["shop"]
    of_flow = either.client.get("/v1/triggers?namespace=shop&flow=hello").json()["items"]
    assert [each["id"] for each in of_flow] == ["nightly"]
    assert either.client.get("/v1/triggers?flow=nothing").json()["items"] == []
    assert (off.status_code, off.json()["off_by"]) == (200, "operator")
    assert viewer.put(f"{WHERE}/on", json={"on": True}).status_code == 403
    assert operator.put(f"{WHERE}/on", json={"on": True}).json()["off_by"] == ""
    assert operator.put("/v1/triggers/shop/hello/x/on", json={"on": True}).status_code == 404


def test_the_next_dates_of_a_schedule_are_told(house: House) -> None:
    house.push(DAILY)

    dates = house.client.get(f"{WHERE}/dates", params={"after": "2016-01-01T00:00:00Z", "limit": 2}).json()["items"]

    assert [each["at"] for each in dates] == ["2016-01-01T03:00:00.000Z", "2016-01-02T03:00:00.000Z"]
    assert house.client.get("/v1/triggers/shop/hello/x/dates").status_code == 404
    assert house.client.get("/v1/triggers/shop/none/x/dates").status_code == 404


def test_a_backfill_is_looked_at_begun_and_steered(either: House) -> None:
    either.push()
    operator = either.as_("operator")

    dry = operator.post("/v1/backfills", json={**JANUARY, "dry_run": True})
    made = operator.post("/v1/backfills", json=JANUARY)
    where = made.headers["location"]
    runs = operator.get(f"{where}/runs", params={"limit": 2}).json()
    rest = operator.get(f"{where}/runs", params={"limit": 9, "cursor": runs["next"]}).json()

    assert (dry.status_code, dry.json()["total"], dry.json()["backfill"]) == (200, 5, None)
    assert dry.json()["planned"][0]["inputs"]["who"].startswith("2016-01-01")
    assert (made.status_code, made.json()["backfill"]["progress"]["waiting"]) == (201, 5)
    assert [each["number"] for each in runs["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert operator.post(f"{where}/pause").json()["status"] == "paused"
    assert operator.post(f"{where}/resume", json={"at_once": 9}).json()["at_once"] == 9
    assert operator.post(f"{where}/cancel", json={}).json()["progress"]["left"] == 5
    assert operator.post(f"{where}/retry").json() == {"runs": 5}
    assert [each["id"] for each in operator.get("/v1/backfills").json()["items"]] == [made.json()["backfill"]["id"]]


def test_a_backfill_that_one_may_not_see_is_not_there(house: House) -> None:
    house.push()
    where = house.client.post("/v1/backfills", json=JANUARY).headers["location"]

    assert house.as_("other").get(where).status_code == 404
    assert house.as_("viewer").post(f"{where}/pause").status_code == 403
    assert house.as_("viewer").post("/v1/backfills", json=JANUARY).status_code == 403
    assert house.as_("other").get("/v1/backfills").json()["items"] == []
    assert house.client.get("/v1/backfills/nope").status_code == 404


def test_a_backfill_that_cannot_be_says_why(house: House) -> None:
    house.push()

    nothing = house.client.post("/v1/backfills", json={"namespace": "shop", "flow": "hello"})
    strange = house.client.post("/v1/backfills", json={**JANUARY, "inputs": {"whom": "x"}})
    unknown = house.client.post("/v1/backfills", json={**JANUARY, "flow": "helo"})

    assert [each.status_code for each in (nothing, strange, unknown)] == [422, 422, 404]
    assert "hint" not in unknown.json()
