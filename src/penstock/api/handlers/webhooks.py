"""How does a request fire a webhook? Its body, headers and parameters reach the trigger that its key opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from penstock.api.asked import NUL
from penstock.api.handlers.verbs import KEY, LONGEST_KEY
from penstock.api.route import Answer, Awaited, Call
from penstock.api.shapes.webhooks import Knocked
from penstock.errors.api import BadRequest, Unfitting
from penstock.model.run import Run
from penstock.services.access import bearers, keys, local_key
from penstock.services.reading import load
from penstock.services.webhooks import Knock, Opened, knock, outputs_of


def get_webhook(call: Call[dict[str, list[str]], None]) -> Answer | Awaited:
    """Fire it without a body."""
    return _knocked(call, b"")


def post_webhook(call: Call[dict[str, list[str]], BinaryIO]) -> Answer | Awaited:
    """Fire it."""
    return _knocked(call, call.body.read())


def put_webhook(call: Call[dict[str, list[str]], BinaryIO]) -> Answer | Awaited:
    """Fire it."""
    return _knocked(call, call.body.read())


def answered(call: Call[Any, Any], body: bytes, tell: Callable[[Opened, Run], object]) -> Answer | Awaited:
    """Fire a webhook, and tell the run that this starts: at once, or after its end where the trigger waits for it."""
    if b"\0" in body or NUL.search(body):
        raise Unfitting("The body has a sign in it that no text may have: NUL.")
    said = call.headers.get(KEY, "")
    if len(said) > LONGEST_KEY:
        raise BadRequest(f"An Idempotency-Key has at most {LONGEST_KEY} characters.")
    asked = Knock(body=body, headers=_headers(call), parameters=call.query, key=said)
    path, core = call.path, call.app.core
    opened = knock(core, path["namespace"], path["flow"], path["key"], asked)
    if not opened.run:
        return Answer(None, 204)

    def told() -> Answer:
        return Answer(tell(opened, load(core, opened.run).run), headers={"Cache-Control": "no-store"})

    return Awaited(opened.run, told) if opened.trigger.wait else told()


def _headers(call: Call[Any, Any]) -> dict[str, list[str]]:
    """What a flow may see of the headers: not what lets whoever called into Penstock itself."""
    found: dict[str, list[str]] = {}
    for name, value in call.headers.items():
        found.setdefault(name.lower(), []).append(value)
    found.pop("cookie", None)
    given = [bearers.token_of(each) for each in found.get("authorization", ())]
    if given and any(each.startswith(keys.TOKEN) or each == local_key.read(call.app.where.state) for each in given):
        del found["authorization"]
    return found


def _knocked(call: Call[Any, Any], body: bytes) -> Answer | Awaited:
    return answered(call, body, _told)


def _told(opened: Opened, run: Run) -> Knocked:
    given = outputs_of(run, opened)
    return Knocked(run=run.id, namespace=run.namespace, flow=run.flow, status=run.status, outputs=given)
