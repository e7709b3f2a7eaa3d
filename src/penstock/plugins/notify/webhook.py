"""What have incoming webhooks in common? An address that is a secret, and a payload or a text."""

from __future__ import annotations

import json
from typing import Annotated

from msgspec import Meta

from penstock.plugins.notify.accounts import Report, Told
from penstock.plugins.notify.wire import Message, Sender, deliver
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Secret

ADDRESS = "Address of the webhook; who knows it can write."
PAYLOAD = "The message as the service wants it, JSON."


class Incoming(Sender, frozen=True, kw_only=True):
    """What a task that sends a payload to a webhook declares."""

    url: Annotated[Secret, Meta(description=ADDRESS, examples=["{{ secret('WEBHOOK') }}"])]
    payload: Annotated[str | dict[str, object] | None, Meta(description=PAYLOAD)] = None
    message_text: Annotated[str, Meta(description="The message as text, instead of a payload.")] = ""

    def run(self, context: Context) -> None:
        """Send it."""
        if isinstance(self.payload, str) and self.payload.strip():
            body = checked(context, self.payload).encode()
            message = Message(service=self.service, url=str(self.url), body=body, headers=self.headers())
            deliver(context, message, self.options)
        elif self.payload:
            self.post(context, str(self.url), self.payload)
        elif self.message_text:
            self.post(context, str(self.url), self.plain(self.message_text))
        else:
            raise TaskFailed("There is nothing to send: it wants a payload, or a messageText.")

    def plain(self, text: str) -> dict[str, object]:
        """A text as the service wants it."""
        return {"text": text}


class HookReport(Report, frozen=True, kw_only=True):
    """What a task that tells of a run through a webhook declares."""

    url: Annotated[Secret, Meta(description=ADDRESS, examples=["{{ secret('WEBHOOK') }}"])]

    def run(self, context: Context) -> None:
        """Send the account."""
        self.post(context, str(self.url), self.account(self.told(context)))

    def account(self, told: Told) -> dict[str, object]:
        """The account as the service wants it."""
        return {"text": self.text(told)}


def checked(context: Context, payload: str) -> str:
    """A payload as written; that it is no JSON is said, and left to the service to refuse."""
    try:
        json.loads(payload)
    except ValueError as error:
        context.log(f"The payload is no JSON: {error}.", Level.WARN)
    return payload
