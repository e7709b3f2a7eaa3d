"""Do lists come in pages, filtered and sorted, and never show what lies outside the caller's scope?"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.model.trigger import looker
from penstock.services import flows
from tests.api.house import HELLO, House


def test_runs_come_newest_first_a_page_at_a_time(either: House) -> None:
    plan = either.push()
    made = [either.start(plan, {"who": str(number)}) for number in range(5)]

    first = either.client.get("/v1/runs", params={"limit": 2}).json()
    second = either.client.get("/v1/runs", params={"limit": 2, "cursor": first["next"]}).json()
    third = either.client.get("/v1/runs", params={"limit": 2, "cursor": second["next"]}).json()

    assert [each["id"] for page in (first, second, third) for each in page["items"]] == sorted(made)[::-1]
    assert third["next"] == ""


def test_runs_come_oldest_first_when_asked_so(either: House) -> None:
    plan = either.push()
    made = [either.start(plan) for _ in range(3)]

    first = either.client.get("/v1/runs", params={"limit": 2, "sort": "oldest"}).json()
    second = either.client.get("/v1/runs", params={"limit": 2, "sort": "oldest", "cursor": first["next"]}).json()

    assert [each["id"] for page in (first, second) for each in page["items"]] == sorted(made)


def test_runs_are_chosen_by_closed_filters(either: House) -> None:
    hello = either.push()
    other = either.push(HELLO.replace("namespace: shop", "namespace: shop.deep").replace("id: hello", "id: second"))
    labelled = either.start(hello, labels={"team": "a"})
    deep = either.start(other)

    def ids(**asked: str | list[str]) -> list[str]:
        return [each["id"] for each in either.client.get("/v1/runs", params=asked).json()["items"]]

    assert ids(label="team=a") == [labelled]
    assert ids(namespace="shop.deep") == [deep]
    assert ids(namespace="shop", flow="second", status="running") == [deep]
    assert ids(text="SECOND") == [deep]
    assert ids(since="2100-01-01T00:00:00Z") == []
    assert ids(status=["failed", "success"]) == []


def test_a_list_shows_only_what_its_caller_may_see(either: House) -> None:
    mine = either.start(either.push())
    deep = either.start(either.push(HELLO.replace("namespace: shop", "namespace: shop.deep")))
    near = either.push(HELLO.replace("namespace: shop", "namespace: shopping"))
    either.start(near)

    runs = either.as_("viewer").get("/v1/runs").json()["items"]
    flows = either.as_("viewer").get("/v1/flows").json()["items"]

    assert [each["id"] for each in runs] == [deep, mine]
    assert [each["namespace"] for each in flows] == ["shop", "shop.deep"]
    assert either.as_("other").get("/v1/runs").json()["items"] == []


def test_flows_come_by_name_a_page_at_a_time(either: House) -> None:
    for name in ("b", "a", "c"):
        either.push(HELLO.replace("id: hello", f"id: {name}"))

    first = either.client.get("/v1/flows", params={"limit": 2}).json()
    second = either.client.get("/v1/flows", params={"limit": 2, "cursor": first["next"]}).json()

    assert [each["id"] for each in first["items"] + second["items"]] == ["a", "b", "c"]
    assert [each["id"] for each in either.client.get("/v1/flows", params={"text": "SHOP.B"}).json()["items"]] == ["b"]


def test_what_no_filter_is_called_is_refused(house: House) -> None:
    unknown = house.client.get("/v1/runs", params={"stauts": "failed"})
    wrong = house.client.get("/v1/runs", params={"status": "faild"})
    many = house.client.get("/v1/runs", params={"limit": "100000"})
    cursor = house.client.get("/v1/runs", params={"cursor": "!!"})

    assert {each.status_code for each in (unknown, wrong, many)} == {400}
    assert cursor.status_code == 422
    assert unknown.json()["hint"] == 'Did you mean "status"?'
    assert unknown.headers["content-type"] == "application/problem+json"


def test_runs_that_look_for_a_trigger_are_shown_only_when_asked_for(either: House) -> None:
    plan = either.push()
    seen = either.start(plan)
    hidden = replace(plan.flow, id=looker("hello", "watch"), revision=0)
    pushed = flows.push(either.core, hidden, "", "hidden", "")
    looks = either.start(pushed)

    usual = either.client.get("/v1/runs").json()["items"]
    every = either.client.get("/v1/runs", params={"looks": "true"}).json()["items"]

    assert [each["id"] for each in usual] == [seen]
    assert [each["id"] for each in every] == [looks, seen]
