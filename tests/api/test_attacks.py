"""What does somebody reach who tries what they must not? Nothing: each attempt here is one that was thought of."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.api.route import Kind
from penstock.api.routes.table import SERVED
from penstock.api.serve import Served
from penstock.api.who import who_of
from penstock.app import App, open_app
from penstock.cli.welcome import check_address
from penstock.errors.project import WrongCall
from penstock.model.access import ActorKind
from penstock.model.plan import Plan
from penstock.services import flows
from penstock.services.access import people
from penstock.services.project import Manner, read_text
from penstock.settings.read import Project
from tests.api.house import ACTORS, House

KEEPS = """
id: keeps
namespace: NAMESPACE
tasks:
  - {id: made, type: shell.commands, outputFiles: ["*.txt"], commands: ["printf 'for us alone' > kept.txt"]}
"""
TAKES = """
id: takes
namespace: shop
inputs: [{id: file, type: STRING}, {id: real, type: FILE, required: false}]
tasks: [{id: say, type: log, message: "{{ inputs.file }}"}]
"""


class Gate:
    """An installation with real logins; opens with a folder, closes all of it."""

    def __init__(self, folder: Path) -> None:
        self.app: App = open_app(Project(root=folder), {})
        self.served = Served(self.app, who_of(self.app, "ann"))
        for name, role in (("olga", "owner"), ("vic", "viewer")):
            people.add(self.app.core, name, "correct horse battery")
            people.grant(self.app.core, name, role, "" if role == "owner" else "shop")

    def client(self) -> TestClient:
        """A browser of a stranger."""
        return TestClient(self.served.asgi, raise_server_exceptions=False)

    def logged_in(self, name: str = "olga") -> TestClient:
        """A browser of somebody, with what its forms send along."""
        browser = self.client()
        told = browser.post("/v1/login", json={"name": name, "password": "correct horse battery"})
        assert told.status_code == 200, told.text
        browser.headers["X-CSRF-Token"] = told.json()["csrf"]
        return browser

    def close(self) -> None:
        """Close all of it."""
        self.served.close()
        self.app.close()


@pytest.fixture
def gate(tmp_path: Path) -> Any:
    """Real logins."""
    made = Gate(tmp_path)
    yield made
    made.close()


def pushed(house: House, text: str) -> Plan:
    """Store a flow."""
    reading = read_text(text, Manner())
    assert reading.flow is not None, reading.problems
    return flows.push(house.core, reading.flow, reading.source, reading.digest, "ann")


def test_a_session_that_was_there_before_a_login_is_not_the_one_after_it(gate: Gate) -> None:
    browser = gate.client()
    browser.cookies.set("penstock_session", "chosen-by-somebody-else")
    told = browser.post("/v1/login", json={"name": "olga", "password": "correct horse battery"})

    assert "chosen-by-somebody-else" not in told.headers["set-cookie"]
    thief = gate.client()
    thief.cookies.set("penstock_session", "chosen-by-somebody-else")
    assert thief.get("/v1/me").status_code == 401


def test_another_page_can_neither_log_somebody_in_nor_act_for_them(gate: Gate) -> None:
    body = json.dumps({"name": "olga", "password": "correct horse battery"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert gate.client().post("/v1/login", content=body, headers={"Content-Type": kind}).status_code == 415
    browser, other = gate.logged_in(), gate.logged_in("vic")
    for token in ("", "0" * 64, other.headers["X-CSRF-Token"]):
        browser.headers["X-CSRF-Token"] = token
        for method, path in (("PUT", "/v1/kv/shop/k"), ("POST", "/v1/logout"), ("DELETE", "/v1/people/vic")):
            assert browser.request(method, path, json={"value": 1}).status_code in (401, 404, 405)
    assert browser.get("/v1/me").json()["name"] == "olga"


def test_who_is_put_out_is_out_at_once_on_every_way_in(gate: Gate) -> None:
    owner, browser = gate.logged_in(), gate.logged_in("vic")
    token = browser.post("/v1/me/tokens", json={"label": "t"}).json()["secret"]
    by_token = gate.client()
    by_token.headers["Authorization"] = f"Bearer {token}"
    assert [each.get("/v1/me").status_code for each in (browser, by_token)] == [200, 200]

    assert owner.post("/v1/people/vic/logout").status_code == 200
    assert [each.get("/v1/me").status_code for each in (browser, by_token)] == [401, 200]
    owner.post("/v1/people/vic/disable")
    assert [each.get("/v1/me").status_code for each in (browser, by_token)] == [401, 401]
    assert gate.client().post("/v1/login", json={"name": "vic", "password": "correct horse battery"}).status_code == 401


def test_a_narrowed_token_does_no_more_by_any_address(gate: Gate) -> None:
    owner = gate.logged_in()
    made = owner.post("/v1/me/tokens", json={"label": "t", "actions": ["runs.view"], "namespaces": ["shop"]})
    assert made.status_code in (200, 201), made.text
    client = gate.client()
    client.headers["Authorization"] = f"Bearer {made.json()['secret']}"

    for row in SERVED:
        if row.action is None or row.action == "runs.view" or row.kind is Kind.STREAM:
            continue
        path = row.path.replace("{namespace}", "shop").replace("{run}", "0" * 26)
        answer = client.request(row.method, path.replace("{", "").replace("}", ""))
        assert answer.status_code in (400, 403, 404, 415), (row.method, row.path, answer.status_code)


def test_a_file_of_another_namespace_is_not_read_by_giving_its_address_to_a_run(house: House) -> None:
    secret = house.start(pushed(house, KEEPS.replace("NAMESPACE", "private")))
    own = house.start(pushed(house, KEEPS.replace("NAMESPACE", "shop")))
    house.work()
    uris = {run: house.client.get(f"/v1/runs/{run}/files").json()["items"][0]["uri"] for run in (secret, own)}
    operator, plan = house.as_("operator"), pushed(house, TAKES)
    assert ACTORS["operator"].grants[0].namespace == "shop" and plan.flow.id == "takes"

    def read(uri: str) -> int:
        told = operator.post("/v1/runs", json={"namespace": "shop", "flow": "takes", "inputs": {"file": uri}})
        assert told.status_code < 300, told.text
        found = operator.get(f"/v1/runs/{told.json()['id']}/files/content", params={"uri": uri})
        return int(found.status_code)

    assert read(uris[secret]) == 404
    assert read(uris[own]) == 200
    for odd in (
        f"penstock:///runs/{own}/../{secret}/made/1/kept.txt",
        "penstock:///namespaces/private/x",
        "file:///etc/passwd",
    ):
        assert read(odd) == 404


def test_every_answer_forbids_pages_and_none_leads_elsewhere(house: House) -> None:
    plan = house.push()
    run = house.start(plan)
    seen = 0
    for row in SERVED:
        if row.method != "GET" or row.kind is Kind.STREAM:
            continue
        path = row.path.replace("{run}", run).replace("{namespace}", "shop").replace("{flow}", "hello")
        for client in (house.client, house.as_("")):
            answer = client.get(
                path.replace("{", "").replace("}", ""), follow_redirects=False, headers={"Host": "evil.example"}
            )
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy, (path, policy)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "evil.example" not in str(answer.headers) and "evil.example" not in answer.text
            assert answer.headers.get("location", "/").startswith("/")
            seen += 1
    assert seen > 100
    for path in ("/v1/runs/", "/docs/", "/v1//runs", "/\\evil.example"):
        assert house.client.get(path, follow_redirects=False).status_code in (400, 404)


def test_the_reader_page_has_no_script_or_style_within(house: House) -> None:
    page = house.as_("").get("/docs")

    assert "<style" not in page.text and "onclick" not in page.text and "javascript:" not in page.text
    assert page.text.count("<script") == 1 and 'src="/docs/reader.js"' in page.text


def test_texts_that_grow_when_they_are_read_are_refused_quickly(house: House) -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    deep = "id: x\nnamespace: shop\nvariables: " + "[" * 20_000 + "]" * 20_000
    grows = """
id: grows
namespace: shop
inputs: [{id: a, type: STRING, defaults: "{{ range(0, 999999999) | join }}"}]
tasks: [{id: t, type: log, message: m}]
"""
    began = time.monotonic()
    for text in (f"id: x\nnamespace: shop\nvariables:\n  {laughs.replace(chr(10), chr(10) + '  ')}", deep):
        answer = house.client.put("/v1/flows/shop/x", content=text, headers={"Content-Type": "application/yaml"})
        assert answer.status_code in (400, 413, 422), answer.text[:300]
    pushed(house, grows)
    started = house.client.post("/v1/runs", json={"namespace": "shop", "flow": "grows"})

    assert started.status_code == 422, started.text[:300]
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("kind", ["planted.module:Thing", "os.system", "penstock.cli.main:main", "builtins:eval"])
def test_no_class_is_found_by_a_path_that_a_text_names(house: House, kind: str) -> None:
    text = f"id: x\nnamespace: shop\ntasks: [{{id: t, type: '{kind}'}}]\n"
    answer = house.client.put("/v1/flows/shop/x", content=text, headers={"Content-Type": "application/yaml"})

    assert answer.status_code == 422
    assert house.client.get(f"/v1/types/{kind}").status_code == 404


def test_who_cannot_log_in_makes_no_address_safe_to_listen_at(tmp_path: Path) -> None:
    with open_app(Project(root=tmp_path), {}) as app:
        core = app.core
        people.add(core, "robot", kind=ActorKind.SERVICE)
        people.grant(core, "robot", "owner")
        people.add(core, "vic", "correct horse battery")
        for host in ("0.0.0.0", "::", "10.0.0.1", "penstock.example"):
            with pytest.raises(WrongCall):
                check_address(app, host)
        check_address(app, "127.0.0.1")
        people.add(core, "olga", "correct horse battery")
        people.grant(core, "olga", "owner")
        check_address(app, "0.0.0.0")


SECRETIVE = """
id: secretive
namespace: shop
inputs: [{id: who, type: STRING}, {id: key, type: STRING, required: false}]
triggers:
  - id: daily
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "0 5 * * *"
    inputs: {who: "day", key: "{{ secret('KEY') }}"}
tasks: [{id: say, type: log, message: "{{ inputs.who }}"}]
"""
TEXT = "n0body-but-a-task-sees-this"


def test_who_may_only_look_or_start_reads_no_secret_by_what_they_ask_for(house: House) -> None:
    house.client.put("/v1/secrets/shop/KEY", json={"value": TEXT})
    pushed(house, SECRETIVE)
    operator, viewer = house.as_("operator"), house.as_("viewer")

    def tried(**asked: object) -> str:
        body = {"namespace": "shop", "flow": "secretive", "dry_run": True, **asked}
        return operator.post("/v1/backfills", json=body).text

    span = {"from": "2016-01-01T00:00:00Z", "to": "2016-01-03T00:00:00Z"}
    key = "{{ secret('KEY') }}"
    reaches = (key, "{{ kv('x') }}", "{{ read('penstock.yaml') }}", "{{ http('http://127.0.0.1:1') }}",
               "{{ fromJson(secret('KEY')) }}", "{{ trigger.date }} {{ secret('KEY') | upper }}")  # fmt: skip
    for template in reaches:
        for told in (tried(inputs={"who": template}, **span), tried(sets=[{"who": template}])):
            assert TEXT not in told and TEXT.upper() not in told
            assert '"code":"PS-' in told and "planned" not in told, told[:300]
    plain = tried(inputs={"who": "{{ date }}"}, **span)
    dates = viewer.get("/v1/triggers/shop/secretive/daily/dates?limit=3")

    assert '"who":"2016-01-0' in plain and TEXT not in plain and '"key":"********"' in plain
    assert dates.status_code == 200 and TEXT not in dates.text and "********" in dates.text
    begun = operator.post("/v1/backfills", json={"namespace": "shop", "flow": "secretive", **span})
    assert begun.status_code < 300, begun.text
    listed = operator.get(f"/v1/backfills/{begun.json()['backfill']['id']}/runs").text
    assert TEXT not in listed and "sealed" not in listed
