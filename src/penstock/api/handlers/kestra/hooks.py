"""How do the requests arrive that Kestra's webhooks take, and what are they answered?"""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from penstock.api.handlers.webhooks import answered
from penstock.api.route import Answer, Awaited, Call
from penstock.api.shapes.kestra.asked import Asked
from penstock.api.shapes.kestra.executions import History, Label, State, TriggerTold, word
from penstock.model.run import Run
from penstock.services.document import instant
from penstock.services.webhooks import Opened, outputs_of


class WebhookAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The execution that a request has started, without what it was given."""

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    trigger: TriggerTold
    outputs: dict[str, object]
    labels: list[Label]
    state: State
    url: str


def get_hook(call: Call[Asked, None]) -> Answer | Awaited:
    """Fire it without a body."""
    return _hooked(call, b"")


def post_hook(call: Call[Asked, BinaryIO]) -> Answer | Awaited:
    """Fire it."""
    return _hooked(call, call.body.read())


def put_hook(call: Call[Asked, BinaryIO]) -> Answer | Awaited:
    """Fire it."""
    return _hooked(call, call.body.read())


def _hooked(call: Call[Any, Any], body: bytes) -> Answer | Awaited:
    return answered(call, body, _told)


def _told(opened: Opened, run: Run) -> WebhookAnswer:
    told = [
        History(word(each.status, "" if number == 0 else "again"), instant(each.at) or "")
        for number, each in enumerate(run.history)
    ] or [History("CREATED", instant(run.created_at) or "")]
    took = ((run.ended_at or run.created_at) - run.created_at) / 1e6
    return WebhookAnswer(
        id=run.id,
        namespace=run.namespace,
        flow_id=run.flow,
        flow_revision=run.revision,
        trigger=TriggerTold(opened.trigger.id, opened.trigger.type, {}),
        outputs=outputs_of(run, opened),
        labels=[Label(name, value) for name, value in run.labels.items()],
        state=State(
            current=word(run.status, run.reason),
            histories=told,
            start_date=told[0].date,
            end_date=instant(run.ended_at),
            duration=f"PT{took:.6f}S",
        ),
        url=f"/v1/runs/{run.id}",
    )
