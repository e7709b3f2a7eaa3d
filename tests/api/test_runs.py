"""Do runs start, tell of themselves, and obey, by HTTP as by the command line?"""

from __future__ import annotations

from tests.api.house import HELLO, WAITS, House

START = {"namespace": "shop", "flow": "hello", "inputs": {"who": "me"}}


def test_a_started_run_is_told_with_its_inputs_and_where_it_stands(house: House) -> None:
    house.push()

    answer = house.client.post("/v1/runs", json=START)

    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/runs/{told['id']}"
    assert (told["inputs"], told["started_by"], told["status"]) == ({"who": "me"}, "ann", "running")
    assert house.client.get(answer.headers["location"]).json() == told


def test_the_same_key_gives_the_same_run(either: House) -> None:
    either.push()
    headers = {"Idempotency-Key": "once"}

    first = either.client.post("/v1/runs", json=START, headers=headers)
    again = either.client.post("/v1/runs", json=START, headers=headers)
    other = either.client.post("/v1/runs", json=START, headers={"Idempotency-Key": "twice"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]


def test_a_start_that_is_wrong_says_why(house: House) -> None:
    house.push()

    unknown = house.client.post("/v1/runs", json={**START, "flow": "helo"})
    inputs = house.client.post("/v1/runs", json={**START, "inputs": {"whom": 1}})
    shape = house.client.post("/v1/runs", json={**START, "input": {}})
    text = house.client.post("/v1/runs", content="{", headers={"Content-Type": "application/json"})
    media = house.client.post("/v1/runs", content="x", headers={"Content-Type": "text/csv"})

    statuses = [each.status_code for each in (unknown, inputs, shape, text, media)]
    assert statuses == [404, 422, 400, 400, 415]
    assert inputs.json()["code"] == "PS-304"
    assert "hint" not in unknown.json()


def test_a_run_is_told_with_its_steps_attempts_and_outputs(either: House) -> None:
    run_id = either.ran(inputs={"who": "me"})

    told = either.client.get(f"/v1/runs/{run_id}").json()
    first = either.client.get(f"/v1/runs/{run_id}/steps", params={"limit": 1}).json()
    second = either.client.get(f"/v1/runs/{run_id}/steps", params={"limit": 1, "cursor": first["next"]}).json()
    failed = either.client.get(f"/v1/runs/{run_id}/steps", params={"status": "failed"}).json()
    attempts = either.client.get(f"/v1/runs/{run_id}/attempts", params={"step": "say"}).json()["items"]
    outputs = either.client.get(f"/v1/runs/{run_id}/outputs", params={"step": "give"}).json()["items"]
    document = either.client.get(f"/v1/runs/{run_id}/document").json()

    assert (told["status"], told["steps"]) == ("success", {"success": 2})
    assert [each["key"] for each in first["items"] + second["items"]] == ["give", "say"]
    assert (second["next"], failed["items"]) == ("", [])
    assert [(each["number"], each["status"]) for each in attempts] == [(1, "success")]
    assert outputs[0]["values"] == {"value": "me"}
    assert [step["key"] for step in document["steps"]] == ["say", "give"]


def test_a_run_tells_why_it_waits_and_why_it_went_so(house: House) -> None:
    run_id = house.ran(WAITS)

    why = house.client.get(f"/v1/runs/{run_id}/why").json()["items"]
    story = house.client.get(f"/v1/runs/{run_id}/explain").json()
    unknown = house.client.get(f"/v1/runs/{run_id}/explain", params={"step": "nope"})

    assert [each["kind"] for each in why] == ["somebody"]
    assert story["chapters"][0]["kind"] == "begin"
    assert unknown.status_code == 404


def test_runs_obey(house: House) -> None:
    run_id = house.ran(WAITS)

    def post(verb: str, body: object = None) -> tuple[int, str]:
        answer = house.client.post(f"/v1/runs/{run_id}/{verb}", json=body)
        return answer.status_code, answer.json().get("code") or answer.json()["status"]

    assert post("restart", {}) == (409, "PS-305")
    assert post("resume", {"step": "ask"}) == (200, "running")
    house.work()
    assert house.client.get(f"/v1/runs/{run_id}").json()["status"] == "success"
    assert post("pause")[0] == 409
    assert post("mark", {"status": "failed", "reason": "wrong numbers"}) == (200, "failed")
    replayed = house.client.post(f"/v1/runs/{run_id}/replay", json={"from": "after"})
    assert replayed.status_code == 201
    assert replayed.json()["origin"] == run_id
    assert house.client.post(f"/v1/runs/{replayed.json()['id']}/kill").json()["status"] == "killed"


def test_many_runs_are_dealt_with_at_once(either: House) -> None:
    plan = either.push(WAITS)
    mine = [either.start(plan) for _ in range(2)]
    hidden = either.start(either.push(WAITS.replace("namespace: shop", "namespace: other")))
    client = either.as_("operator")

    dry = client.post("/v1/bulk/runs", json={"verb": "kill", "query": {}, "dry_run": True}).json()
    done = client.post("/v1/bulk/runs", json={"verb": "kill", "query": {"flow": "waits"}}).json()
    named = client.post("/v1/bulk/runs", json={"verb": "pause", "ids": [mine[0], hidden, "nope"]}).json()
    both = client.post("/v1/bulk/runs", json={"verb": "kill", "ids": mine, "query": {}})

    assert sorted(each["run"] for each in dry["done"]) == sorted(mine)
    assert sorted(each["run"] for each in done["done"]) == sorted(mine)
    assert {each["run"]: each["code"] for each in named["refused"]} == {
        hidden: "PS-303",
        "nope": "PS-303",
        mine[0]: "PS-314",
    }
    assert both.status_code == 422
    assert either.client.get(f"/v1/runs/{hidden}").json()["status"] == "paused"


def test_runs_are_counted_by_status_in_the_scope_of_who_asks(either: House) -> None:
    either.ran()
    either.ran(HELLO.replace("namespace: shop", "namespace: other"))

    mine = either.as_("viewer").get("/v1/stats/runs").json()
    everything = either.client.get("/v1/stats/runs", params={"namespace": "other"}).json()

    assert mine == {"total": 1, "by_status": {"success": 1}}
    assert everything["total"] == 1
    assert either.client.get("/v1/stats/runs").json()["total"] == 2
