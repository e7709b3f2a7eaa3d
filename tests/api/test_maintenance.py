"""Do those who may keep a namespace still by HTTP, and nobody else?"""

from __future__ import annotations

from tests.api.house import HELLO, House

WHERE = "/v1/maintenance"


def test_runs_that_are_started_meanwhile_wait_for_its_end(house: House) -> None:
    plan = house.push(HELLO)

    begun = house.as_("admin").post(WHERE, json={"namespace": "shop", "on": True, "reason": "new disk"})
    again = house.client.post(WHERE, json={"namespace": "shop", "on": True})
    waits = house.start(plan)
    told = house.client.get(WHERE).json()
    ended = house.client.post(WHERE, json={"namespace": "shop", "on": False})
    house.work()

    assert (begun.json(), again.json()["changed"]) == ({"changed": True, "killed": []}, False)
    assert told["waiting"] == 1
    assert [(each["namespace"], each["by"], each["reason"]) for each in told["held"]] == [("shop", "admin", "new disk")]
    assert ended.json()["changed"]
    assert house.client.get(f"/v1/runs/{waits}").json()["status"] == "success"


def test_what_is_not_ones_own_is_not_kept_still(house: House) -> None:
    everywhere, own = {"namespace": "", "on": True}, {"namespace": "other.daily", "on": True}

    assert house.as_("editor").post(WHERE, json={"namespace": "shop", "on": True}).status_code == 403
    assert house.as_("other").post(WHERE, json=everywhere).status_code == 403
    assert house.as_("other").post(WHERE, json=own).status_code == 200
    assert house.as_("other").get(WHERE).status_code == 403
    assert house.client.post(WHERE, json={"namespace": "NO SUCH", "on": True}).status_code in (400, 422)
