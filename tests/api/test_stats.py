"""Is it told how runs ended, day by day, as they did, to whoever may see them and nobody else?"""

from __future__ import annotations

import datetime

import pytest

from penstock.services import retention, stats
from tests.api.house import HELLO, House

FAILS = "id: fails\nnamespace: shop\nlabels: {team: red}\ntasks:\n  - id: no\n    type: fail\n"
ELSEWHERE = HELLO.replace(": shop", ": other")


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def test_each_run_is_counted_as_it_ended_and_one_that_goes_on_no_more(either: House) -> None:
    either.ran()
    failed = either.ran(FAILS)
    first = {each["flow"]: each["statuses"] for each in either.client.get("/v1/stats/flows").json()["items"]}

    either.client.post(f"/v1/runs/{failed}/mark", json={"status": "success"})
    either.ran()
    stats.sum_up(either.core)
    told = either.client.get("/v1/stats/flows").json()["items"]
    days = either.client.get("/v1/stats/days?namespace=shop").json()["items"]

    assert first == {"hello": {"success": 1}, "fails": {"failed": 1}}
    assert {each["flow"]: each["statuses"] for each in told} == {"hello": {"success": 2}, "fails": {"success": 1}}
    assert all(each["day"] == today() and 0 < each["took"]["p50"] <= each["took"]["p95"] for each in told)
    assert [(each["statuses"], each["took"]["count"]) for each in days] == [({"success": 3}, 3)]
    assert either.client.get("/v1/stats/runs").json()["by_status"] == {"success": 3}


def test_a_list_goes_on_and_keeps_to_what_is_asked(house: House) -> None:
    house.ran()
    house.ran(ELSEWHERE)
    house.ran(FAILS)

    first = house.client.get("/v1/stats/flows?limit=2").json()
    rest = house.client.get("/v1/stats/flows", params={"limit": 2, "cursor": first["next"]}).json()
    mine = house.as_("viewer").get("/v1/stats/flows").json()["items"]
    before = house.client.get("/v1/stats/flows?until=2020-02-01&since=2020-01-01").json()

    assert [(each["namespace"], each["flow"]) for each in (*first["items"], *rest["items"])] == [
        ("other", "hello"),
        ("shop", "fails"),
        ("shop", "hello"),
    ]
    assert rest["next"] == "" and before["items"] == []
    assert {each["namespace"] for each in mine} == {"shop"}
    assert house.as_("other").get("/v1/stats/days").json()["items"][0]["ended"] == 1


@pytest.mark.parametrize(
    ("asked", "status"),
    [("since=2020-02-01&until=2020-01-01", 422), ("since=0001-01-01", 422), ("since=soon", 400), ("cursor=W10", 422)],
)
def test_days_that_cannot_be_told_are_refused(house: House, asked: str, status: int) -> None:
    assert house.client.get(f"/v1/stats/flows?{asked}").status_code == status


def test_what_was_counted_stays_when_runs_are_removed_and_is_counted_anew_without_loss(house: House) -> None:
    house.ran()
    before = house.client.get("/v1/stats/flows").json()

    removed = retention.prune(house.core, house.app.files, retention.Keep(runs=-1_000_000))
    counted = stats.recount(house.core)

    assert (removed.runs, counted.runs) == (1, 0)
    assert house.client.get("/v1/stats/flows").json() == before
