"""Can people log in, be kept and be seen to act, by HTTP, and does nobody get further than their rights?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.api.serve import Served
from penstock.api.who import who_of
from penstock.app import App, open_app
from penstock.model.access import ActorKind
from penstock.services import audit, pools
from penstock.services.access import passwords, people, sessions, tokens
from penstock.services.access.delay import OF_USERS
from penstock.services.access.tokens import Wanted
from penstock.settings.read import Project

PASSWORD = "correct horse battery"


class Gate:
    """An application that asks everybody who they are; opens with a folder, closes with it."""

    def __init__(self, folder: Path) -> None:
        self.app: App = open_app(Project(root=folder), {}, store=str(folder / "penstock.db"))
        self.core = self.app.core
        self.served = Served(self.app, who_of(self.app, "here"))

    def client(self, token: str = "", **headers: str) -> TestClient:
        """Somebody's browser or program, with cookies of its own."""
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        return TestClient(
            self.served.asgi, headers={**shown, **headers}, raise_server_exceptions=False, client=("10.0.0.7", 50_000)
        )

    def logged_in(self, name: str) -> TestClient:
        """A browser that has logged in, and sends along what proves that a page of ours asks."""
        client = self.client()
        answer = client.post("/v1/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def close(self) -> None:
        """Close all of it."""
        self.served.close()
        self.app.close()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A server where olga owns everything, adam keeps the people of the shop, and vera looks."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(1, 8))
    made = Gate(tmp_path)
    for name, role, namespace in (("olga", "owner", ""), ("adam", "admin", "shop"), ("vera", "viewer", "shop")):
        people.add(made.core, name, PASSWORD)
        people.grant(made.core, name, role, namespace)
    yield made
    made.close()


def test_a_login_gives_a_cookie_that_only_the_server_reads(gate: Gate) -> None:
    answer = gate.client().post("/v1/login", json={"name": "vera", "password": PASSWORD})

    cookie = answer.headers["set-cookie"]
    assert answer.json()["name"] == "vera" and answer.headers["cache-control"] == "no-store"
    assert cookie.startswith("penstock_session=") and "HttpOnly; SameSite=Strict" in cookie and "Secure" not in cookie
    assert PASSWORD not in answer.text


def test_a_session_says_who_it_is_and_ends(gate: Gate) -> None:
    vera = gate.logged_in("vera")

    me: Any = vera.get("/v1/me").json()
    ended = vera.post("/v1/logout")

    assert (me["name"], me["via"], me["everywhere"]) == ("vera", "session", [])
    assert me["grants"] == [{"role": "viewer", "namespace": "shop"}] and "runs.view" in me["somewhere"]
    assert me["csrf"] == vera.headers["X-CSRF-Token"]
    assert ended.status_code == 204
    assert vera.get("/v1/me").status_code == 401


def test_what_another_page_sends_with_the_cookie_changes_nothing(gate: Gate) -> None:
    olga = gate.logged_in("olga")
    right = olga.headers.pop("X-CSRF-Token")

    without = olga.post("/v1/people", json={"name": "eve"})
    wrong = olga.post("/v1/people", json={"name": "eve"}, headers={"X-CSRF-Token": "0" * 64})
    form = gate.client().post("/v1/login", data={"name": "vera", "password": PASSWORD})
    good = olga.post("/v1/people", json={"name": "ann"}, headers={"X-CSRF-Token": right})

    assert (without.status_code, wrong.status_code, form.status_code, good.status_code) == (401, 401, 415, 201)
    assert [one.name for one in people.every(gate.core)] == ["adam", "ann", "olga", "vera"]


def test_guessing_is_slowed_and_told_for_how_long(gate: Gate) -> None:
    client = gate.client()
    answers = [client.post("/v1/login", json={"name": "vera", "password": "guess"}) for _ in range(OF_USERS.free + 1)]

    assert [each.status_code for each in answers] == [401] * OF_USERS.free + [429]
    assert answers[-1].headers["retry-after"] == "1" and answers[-1].json()["code"] == "PS-802"


def test_people_are_kept_by_who_may(gate: Gate) -> None:
    olga = gate.logged_in("olga")
    added = olga.post("/v1/people", json={"name": "bob"})
    invited: Any = olga.post("/v1/people/bob/invite").json()
    granted = olga.post("/v1/people/bob/grant", json={"role": "operator", "namespace": "shop"})
    welcomed = gate.client().post("/v1/welcome", json={"invitation": invited["invitation"], "password": PASSWORD})
    again = gate.client().post("/v1/welcome", json={"invitation": invited["invitation"], "password": PASSWORD})
    disabled = olga.post("/v1/people/bob/disable")
    listed: Any = olga.get("/v1/people").json()["items"]

    assert (added.status_code, granted.status_code, welcomed.status_code) == (201, 204, 200)
    assert (again.status_code, again.json()["code"]) == (404, "PS-810")
    assert disabled.json()["disabled"] is True
    bob = next(one for one in listed if one["name"] == "bob")
    assert (bob["password"], bob["grants"]) == (True, [{"role": "operator", "namespace": "shop"}])
    assert gate.client().post("/v1/login", json={"name": "bob", "password": PASSWORD}).status_code == 401
    assert olga.post("/v1/people/bob/enable").json()["disabled"] is False
    assert olga.put("/v1/people/bob/password", json={"password": "short"}).status_code == 422
    assert olga.post("/v1/people/nobody/disable").status_code == 404
    assert olga.post("/v1/people/olga/disable").json()["code"] == "PS-811"


def test_an_admin_of_a_namespace_grants_there_and_nowhere_else(gate: Gate) -> None:
    adam = gate.logged_in("adam")

    def grants(**asked: str) -> int:
        return adam.post("/v1/people/vera/grant", json=asked).status_code

    assert grants(role="editor", namespace="shop.eu") == 204
    assert grants(role="viewer", namespace="bank") == 403
    assert grants(role="viewer") == 403
    assert grants(role="owner", namespace="shop") == 403
    assert adam.get("/v1/people").status_code == 403
    assert adam.post("/v1/people", json={"name": "eve"}).status_code == 403
    assert adam.post("/v1/people/vera/disable").status_code == 403
    assert adam.put("/v1/roles/night", json={"actions": ["runs.view"]}).status_code == 403


def test_everybody_makes_tokens_of_their_own_and_sees_no_others(gate: Gate) -> None:
    vera, olga = gate.logged_in("vera"), gate.logged_in("olga")
    other: Any = olga.post("/v1/me/tokens", json={}).json()

    made = vera.post("/v1/me/tokens", json={"label": "mine", "actions": ["runs.view"], "days": 1})
    told: Any = made.json()
    bearer = gate.client(told["secret"])
    mine: Any = vera.get("/v1/me/tokens").json()["items"]

    assert made.status_code == 201 and [one["begins"] for one in mine] == [told["token"]["begins"]]
    assert "secret" not in mine[0]
    me: Any = bearer.get("/v1/me").json()
    assert (me["name"], me["via"], me["somewhere"]) == ("vera", f"token {mine[0]['begins']}", ["runs.view"])
    assert bearer.post("/v1/me/tokens", json={}).status_code == 403
    assert bearer.put("/v1/me/password", json={"old": PASSWORD, "new": PASSWORD * 2}).status_code == 403
    assert vera.delete(f"/v1/me/tokens/{other['token']['begins']}").status_code == 403
    assert vera.delete(f"/v1/me/tokens/{mine[0]['begins']}").status_code == 204
    assert bearer.get("/v1/me").status_code == 401


def test_tokens_of_service_accounts_are_made_by_who_keeps_people(gate: Gate) -> None:
    olga = gate.logged_in("olga")
    olga.post("/v1/people", json={"name": "nightly", "service": True})

    made: Any = olga.post("/v1/tokens", json={"person": "nightly", "days": None, "namespaces": ["shop"]}).json()
    listed: Any = olga.get("/v1/tokens", params={"person": "nightly"}).json()["items"]

    assert listed == [made["token"]] and listed[0]["expires"] is None
    assert gate.client(made["secret"]).get("/v1/me").json()["kind"] == "service"
    assert olga.post("/v1/tokens", json={"person": "nightly", "actions": ["runs.fly"]}).status_code == 422
    assert olga.delete("/v1/tokens/pst_nothing0").status_code == 404


def test_a_password_is_changed_by_its_owner(gate: Gate) -> None:
    vera, elsewhere = gate.logged_in("vera"), gate.logged_in("vera")

    wrong = vera.put("/v1/me/password", json={"old": "guess", "new": "another one entirely"})
    right = vera.put("/v1/me/password", json={"old": PASSWORD, "new": "another one entirely"})

    assert (wrong.status_code, right.status_code) == (401, 204)
    assert (vera.get("/v1/me").status_code, elsewhere.get("/v1/me").status_code) == (200, 401)


def test_roles_of_ones_own_are_kept(gate: Gate) -> None:
    olga = gate.logged_in("olga")

    put: Any = olga.put("/v1/roles/night", json={"actions": ["runs.*"]}).json()
    names = [one["name"] for one in gate.logged_in("vera").get("/v1/roles").json()["items"]]

    assert put["actions"] == ["runs.view", "runs.start", "runs.operate", "runs.delete"]
    assert names == ["viewer", "operator", "editor", "admin", "owner", "night"]
    assert olga.put("/v1/roles/viewer", json={"actions": ["runs.*"]}).status_code == 422
    assert [olga.delete("/v1/roles/night").status_code for _ in range(2)] == [204, 404]


def test_what_is_done_by_http_is_told_with_its_address(gate: Gate) -> None:
    olga = gate.logged_in("olga")
    olga.post("/v1/people", json={"name": "bob", "password": PASSWORD})
    olga.post("/v1/people/bob/grant", json={"role": "viewer", "namespace": "shop"})
    audit.seal(gate.core)

    first: Any = olga.get("/v1/audit", params={"limit": 2}).json()
    rest: Any = olga.get("/v1/audit", params={"cursor": first["next"]}).json()
    shop: Any = gate.logged_in("adam").get("/v1/audit").json()["items"]
    chain: Any = olga.get("/v1/audit/verify").json()
    export = olga.get("/v1/audit/export").text

    told = [(one["who"], one["verb"], one["via"], one["origin"]) for one in (*first["items"], *rest["items"])]
    assert told == [
        ("olga", "people.grant", "session", "10.0.0.7"),
        ("olga", "people.add", "session", "10.0.0.7"),
        ("olga", "sessions.open", "session", "10.0.0.7"),
    ]
    assert [one["verb"] for one in shop] == ["people.grant"]
    assert (chain["sound"], chain["acts"], chain["seals"]) == (True, 3, 1)
    assert chain["head"] in export and PASSWORD not in export
    assert gate.logged_in("vera").get("/v1/audit").status_code == 403
    assert gate.logged_in("adam").get("/v1/audit/export").status_code == 403


def test_a_verb_is_done_in_the_name_of_who_called(gate: Gate) -> None:
    people.add(gate.core, "nightly", kind=ActorKind.SERVICE)
    people.grant(gate.core, "nightly", "owner")
    secret = tokens.add(gate.core, "nightly", Wanted()).secret

    made = gate.client(secret).put("/v1/roles/night", json={"actions": ["runs.view"]})

    assert made.status_code == 200
    (act,) = gate.logged_in("olga").get("/v1/audit", params={"verb": "roles.set"}).json()["items"]
    assert (act["who"], act["kind"], act["via"][:10]) == ("nightly", "service", "token pst_")


def test_a_token_may_be_the_password_of_programs_that_know_no_other_way(gate: Gate) -> None:
    made: Any = gate.logged_in("vera").post("/v1/me/tokens", json={}).json()
    client = gate.client()

    basic = client.get("/v1/me", auth=("anybody", made["secret"]))
    password = client.get("/v1/me", auth=("vera", PASSWORD))
    elsewhere = client.get("/v1/me", auth=("vera", made["secret"]), headers={"Sec-Fetch-Site": "cross-site"})
    odd = [
        client.get("/v1/me", headers={"Authorization": each}) for each in ("Basic", "Basic !", "Basic eA==", "Other x")
    ]

    assert (basic.status_code, basic.json()["name"]) == (200, "vera")
    assert [each.status_code for each in (password, elsewhere, *odd)] == [401] * 6


def test_the_key_of_the_machine_is_good_from_the_machine_alone(gate: Gate) -> None:
    key = (gate.app.where.state / "key").read_text().strip()

    far = gate.client(key).get("/v1/me")
    near = TestClient(gate.served.asgi, client=("127.0.0.1", 1)).get(
        "/v1/me", headers={"Authorization": f"Bearer {key}"}
    )

    assert (far.status_code, near.status_code) == (401, 200)
    assert near.json()["csrf"] == ""


def test_a_session_of_who_was_put_out_is_worth_nothing(gate: Gate) -> None:
    vera, olga = gate.logged_in("vera"), gate.logged_in("olga")

    ended = olga.post("/v1/people/vera/logout")

    assert ended.json() == {"sessions": 1}
    assert vera.get("/v1/me").status_code == 401
    assert sessions.sessions_of(gate.core, "vera") == []
    assert pools.every(gate.core) == ([], [])
