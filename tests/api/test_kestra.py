"""Is what is served to Kestra's clients guarded as all else, by whatever name it is called?"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from penstock.api.route import Where
from penstock.api.routes.kestra.addresses import told
from penstock.api.routes.kestra.table import KESTRA
from penstock.api.routes.table import SERVED
from penstock.services import triggers
from penstock.store import triggers as table
from tests.api.house import HELLO, WAITS, House

PLACES = ("trigger", "key", "step", "name", "id")
PUBLIC = {f"{method} /api/v1/executions/webhook/{{namespace}}/{{flow}}/{{key}}" for method in ("GET", "POST", "PUT")}


def test_what_is_public_is_an_exact_list() -> None:
    assert {f"{row.method} {row.path}" for row in KESTRA if row.where is Where.PUBLIC} == PUBLIC


def test_no_address_is_declared_twice_and_what_changes_needs_more_than_a_look() -> None:
    keys = [(row.method, row.path) for row in SERVED]

    assert len(set(keys)) == len(keys)
    for row in KESTRA:
        if row.action is not None:
            assert (row.method == "GET") == row.action.value.endswith("view"), row.path
        else:
            assert row.where in (Where.PUBLIC, Where.SIGNED_IN)


def test_strangers_and_those_without_a_right_are_refused_by_every_name(house: House) -> None:
    run = house.start(house.push())
    for row in KESTRA:
        if row.where is Where.PUBLIC:
            continue
        where = row.path.format_map({**dict.fromkeys(PLACES, "x"), "namespace": "shop", "run": run, "flow": "hello"})
        names = {where, where.replace("/v1/", "/v1/main/", 1)}
        names |= {each.replace(f"{run}/", f"{run}/actions/", 1) for each in names if "/executions/" in each}
        for name in names:
            assert house.as_("").request(row.method, name).status_code == 401, name
            nobody = house.as_("nobody").request(row.method, name).status_code
            assert nobody == 403 or row.where is Where.SIGNED_IN, name
        if row.where in (Where.RUN, Where.PATH):
            assert house.as_("other").request(row.method, where).status_code in (403, 404), where
        if row.action is not None and row.method != "GET":
            assert house.as_("viewer").request(row.method, where).status_code == 403, where


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("/api/v1/main/flows", "/api/v1/flows"),
        ("/api/v1/main/executions/x/actions/kill", "/api/v1/executions/x/kill"),
        ("/api/v1/executions/x/actions/kill", "/api/v1/executions/x/kill"),
        ("/api/v1/main", "/api/v1/main"),
        ("/api/v1/main/main/flows", "/api/v1/main/flows"),
        ("/api/v1/executions/main/flows", "/api/v1/executions/main/flows"),
        ("/api/v1//main/flows", "/api/v1//main/flows"),
        ("/v1/runs/x/actions/kill", "/v1/runs/x/actions/kill"),
    ],
)
def test_an_address_of_another_release_is_known(said: str, meant: str) -> None:
    assert told(said) == meant


@pytest.mark.parametrize("odd", ["/api/v1/main/flows/", "/api/v1/main//flows/search", "/api/v1/other/flows/search"])
def test_odd_spellings_are_not_served(odd: str, house: House) -> None:
    assert house.as_("").get(odd).status_code in (401, 404)
    assert house.client.get(odd).status_code == 404


def test_lists_show_and_verbs_reach_only_what_one_may_see(either: House) -> None:
    either.push()
    mine = either.start(either.push())
    other = either.start(either.push(HELLO.replace("namespace: shop", "namespace: other")))
    below = either.start(either.push(WAITS.replace("namespace: shop", "namespace: shop.night")))
    operator, at = either.as_("operator"), "/api/v1/main/executions"

    every = operator.get(f"{at}/search").json()
    exact = operator.get(f"{at}/search?filters[namespace][EQUALS]=shop").json()
    prefix = operator.get(f"{at}/search?filters[namespace][PREFIX]=shop").json()
    refused = operator.request("DELETE", f"{at}/kill/by-ids", json=[mine, other])
    killed = operator.request("DELETE", f"{at}/kill/by-query?filters[namespace][EQUALS]=shop").json()

    assert {each["id"] for each in every["results"]} == {mine, below}
    assert {each["id"] for each in exact["results"]} == {mine}
    assert (exact["total"], prefix["total"]) == (1, 2)
    assert refused.status_code == 400
    assert killed == {"count": 1}
    assert operator.get("/api/v1/main/kv").json() == {"results": [], "total": 0}
    assert operator.get("/api/v1/main/flows/search").json()["total"] == 2
    assert operator.get("/api/v1/main/kv?filters[namespace][EQUALS]=other").json()["total"] == 0


def test_a_text_for_a_namespace_that_one_may_not_edit_is_refused(house: House) -> None:
    text = HELLO.replace("namespace: shop", "namespace: other")
    house.push(text)

    for answer in (
        house.as_("editor").post("/api/v1/flows", content=text),
        house.as_("editor").post("/api/v1/flows", content=text.replace("id: hello", "id: fresh")),
    ):
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "filters[namespace][REGEX]=shop",
        "filters[or][0][namespace][EQUALS]=shop",
        "filters[state][IN]=DONE",
        "filters[startDate][GREATER_THAN]=yesterday",
        "filters[timeRange][EQUALS]=long",
        "page=0",
        "page=x",
        "page=1000000",
        "size=-1",
    ],
)
def test_what_is_not_understood_is_refused_and_not_left_out(query: str, house: House) -> None:
    assert house.client.get(f"/api/v1/main/executions/search?{query}").status_code == 400


@pytest.mark.parametrize("method", ["pause", "resume", "restart", "replay"])
def test_a_verb_for_all_that_fit_needs_a_filter(method: str, house: House) -> None:
    house.start(house.push())

    assert house.client.post(f"/api/v1/executions/{method}/by-query").status_code == 400


def test_a_trigger_that_a_run_holds_is_unlocked(house: House) -> None:
    house.push(HELLO + "triggers:\n  - {id: daily, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 3 * * *'}\n")
    key = table.key_of("shop", "hello", "daily")
    state = house.core.store.read(lambda tx: table.get(tx, key))
    assert state is not None
    house.core.store.write(lambda tx: table.put(tx, [replace(state, holds="run")]))

    freed = house.client.post("/api/v1/main/triggers/shop/hello/daily/unlock").json()

    assert freed["executionId"] is None
    assert triggers.unlock(house.core, "shop", "hello", "daily").holds == ""
    assert house.client.post("/api/v1/main/triggers/shop/hello/none/unlock").status_code == 404
