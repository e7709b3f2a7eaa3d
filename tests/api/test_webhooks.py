"""Does a request start a run where it knows the key, and learn nothing where it does not?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable

import pytest

from penstock.model.trigger import Signature
from penstock.services import triggers
from penstock.services.access import local_key
from penstock.services.reading import load
from penstock.services.webhooks import signature_of
from tests.api.house import House

HOOKED = """
id: hooked
namespace: shop
inputs:
  - id: what
    type: STRING
    defaults: nothing
tasks:
  - id: give
    type: return
    format: "{{ inputs.what }} {{ trigger.headers['x-kind'][0] ?? '' }} {{ trigger.parameters.a ?? '' }}"
outputs:
  - id: said
    type: STRING
    value: "{{ outputs.give.value }}"
triggers:
  - id: hook
    type: io.kestra.plugin.core.trigger.Webhook
    key: "k{{ 1 + 1 }}"
    inputs:
      what: "{{ trigger.body.what ?? 'bare' }}"
"""
WHERE = "/v1/webhooks/shop/hooked/k2"
SIGNED = """
    signature:
      header: X-Signature
      secret: "{{ 'seal' }}"
"""
CONDITION = """
    conditions:
      - type: io.kestra.plugin.core.condition.Expression
        expression: "{{ trigger.body.ok }}"
"""
SECRET = b"seal"


def given(house: House, run: str) -> object:
    """What the first task of a run has given."""
    return house.client.get(f"/v1/runs/{run}/outputs?step=give").json()["items"][0]["values"]["value"]


def test_who_knows_the_key_starts_a_run_with_what_was_sent(either: House) -> None:
    either.push(HOOKED)

    answer = either.as_("").post(f"{WHERE}?a=1&a=2", json={"what": "push"}, headers={"X-Kind": "big"})
    either.work()

    assert answer.status_code == 200
    told = answer.json()
    assert (told["namespace"], told["flow"], told["outputs"]) == ("shop", "hooked", {})
    assert given(either, told["run"]) == 'push big ["1","2"]'
    run = load(either.core, told["run"]).run
    assert run.started_by == "trigger hook"
    assert run.trigger["body"] == {"what": "push"}


@pytest.mark.parametrize(
    ("method", "body", "seen"), [("GET", None, None), ("PUT", b"text", "text"), ("POST", b"", None)]
)
def test_each_method_fires_and_a_body_that_is_no_json_is_text(
    method: str, body: bytes | None, seen: object, house: House
) -> None:
    house.push(HOOKED)

    answer = house.as_("").request(method, WHERE, content=body)

    assert load(house.core, answer.json()["run"]).run.trigger["body"] == seen


def test_whatever_is_not_there_is_answered_alike(house: House) -> None:
    house.push(HOOKED)
    house.push(HOOKED.replace("id: hooked", "id: off").replace("    key:", "    disabled: true\n    key:"))
    house.push(HOOKED.replace("id: hooked", "id: closed\ndisabled: true"))
    house.push(HOOKED.replace("id: hooked", "id: broken").replace("k{{ 1 + 1 }}", "{{ secret('NONE') }}"))
    house.push(HOOKED.replace("id: hooked", "id: switched"))
    triggers.switch(house.core, "shop", "switched", "hook", "ann", on=False)
    wrong = ("hooked/k3", "hooked/k", "none/k2", "off/k2", "closed/k2", "broken/k2", "broken/ ", "switched/k2")

    answers = [house.as_("").post(f"/v1/webhooks/shop/{each}") for each in (*wrong, "hooked/k%C3%A4")]
    answers.append(house.as_("").post("/v1/webhooks/none/hooked/k2"))

    told = {tuple(sorted((k, str(v)) for k, v in each.json().items() if k != "instance")) for each in answers}
    assert {each.status_code for each in answers} == {404}
    assert len(told) == 1


def test_a_request_that_does_not_meet_a_condition_starts_nothing(house: House) -> None:
    house.push(HOOKED + CONDITION)

    no = house.as_("").post(WHERE, json={"ok": False})
    yes = house.as_("").post(WHERE, json={"ok": True})

    assert (no.status_code, no.content) == (204, b"")
    assert yes.status_code == 200


def test_a_request_that_is_said_again_gives_the_run_that_it_started(house: House) -> None:
    house.push(HOOKED)

    first, again, other = (
        house.as_("").post(WHERE, json={}, headers={"Idempotency-Key": key}).json()["run"] for key in ("a", "a", "b")
    )

    assert first == again != other


def test_inputs_that_cannot_be_made_out_fail_the_run_and_tell_the_trigger(house: House) -> None:
    house.push(HOOKED.replace("type: STRING\n    defaults: nothing", "type: INT\n    defaults: 1"))

    run = load(house.core, house.as_("").post(WHERE, json={"what": "x"}).json()["run"]).run

    assert run.status == "failed"
    assert "what" in house.client.get("/v1/triggers").json()["items"][0]["problem"]


def test_who_waits_gets_the_outputs_and_holds_no_thread(house: House) -> None:
    house.push(HOOKED + "    wait: true\n    returnOutputs: true\n")
    answers: list[dict[str, object]] = []

    def ask() -> None:
        answers.append(house.as_("").post(WHERE, json={"what": "now"}).json())

    asking = threading.Thread(target=ask)
    asking.start()
    while not house.client.get("/v1/runs").json()["items"]:
        pass
    house.work()
    asking.join(20)

    assert answers[0]["status"] == "success"
    assert answers[0]["outputs"] == {"said": "now  "}


def hub(body: bytes, at: int) -> str:
    """A signature as GitHub makes it."""
    return "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()


def stripe(body: bytes, at: int) -> str:
    """A signature as Stripe makes it."""
    made = hmac.new(SECRET, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1=0,v1={made},v0=x"


def shopify(body: bytes, at: int) -> str:
    """A signature in the letters of base64."""
    return base64.b64encode(hmac.new(SECRET, body, hashlib.sha512).digest()).decode()


@pytest.mark.parametrize(
    ("more", "made"),
    [
        ('      prefix: "sha256="\n', hub),
        ("      tolerance: PT5M\n", stripe),
        ("      algorithm: sha512\n      encoding: base64\n", shopify),
    ],
    ids=["hub", "stripe", "base64"],
)
def test_a_request_proves_that_it_knows_the_secret(more: str, made: Callable[[bytes, int], str], house: House) -> None:
    house.push(HOOKED + SIGNED.lstrip("\n") + more)
    now, body = house.core.clock.now() // 1_000_000, b'{"what": "x"}'

    def status(sent: bytes, signature: str) -> int:
        return house.as_("").post(WHERE, content=sent, headers={"X-Signature": signature}).status_code

    assert status(body, made(body, now)) == 200
    assert status(body + b" ", made(body, now)) == 403
    assert status(body, "") == 403
    if made is stripe:
        assert status(body, made(body, now - 301)) == 403
        assert status(body, made(body, now + 3600)) == 403
        assert status(body, made(body, now).replace("t=", "t=x")) == 403


def test_signatures_are_those_of_a_known_case() -> None:
    signed = Signature(header="X", secret="x")

    made = signature_of(signed, "It's a Secret to Everybody", b"Hello, World!")

    assert made == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_what_lets_a_caller_into_penstock_is_not_kept(house: House) -> None:
    house.push(HOOKED)
    own = local_key.read(house.app.where.state)
    basic = base64.b64encode(f"ann:{own}".encode()).decode()

    def seen(value: str) -> dict[str, object]:
        sent = {"Authorization": value, "Cookie": "penstock_session=x"}
        found = load(house.core, house.as_("").post(WHERE, headers=sent).json()["run"]).run.trigger["headers"]
        assert isinstance(found, dict)
        return found

    for mine in ("Bearer pst_4k2m9x1c_xyz", f"Bearer {own}", f"Basic {basic}"):
        assert not {"authorization", "cookie"} & set(seen(mine))
    assert {"authorization": ["Bearer theirs"]}.items() <= seen("Bearer theirs").items()


def test_a_body_with_a_sign_that_no_database_takes_is_refused(house: House) -> None:
    house.push(HOOKED)

    assert house.as_("").post(WHERE, content=b'{"a": "\\u0000"}').status_code == 422
    assert house.as_("").post(WHERE, content=b"a\0b").status_code == 422
    assert house.as_("").post(WHERE, content=b"x" * (4 * 1024 * 1024 + 1)).status_code == 413
