"""How does a flow send through Twilio? Notifications by its own words, mail by SendGrid."""

from __future__ import annotations

import base64
import json
from typing import Annotated, ClassVar
from urllib.parse import urlencode

from msgspec import Meta, field

from penstock.plugins.http.client import basic
from penstock.plugins.notify import accounts
from penstock.plugins.notify.accounts import Report
from penstock.plugins.notify.mail import Attachment, page
from penstock.plugins.notify.wire import Answer, Message, Sender, deliver
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Secret

SENDGRID = "https://api.sendgrid.com/v3/mail/send"
SERVICE = "Address of the service's notifications."
ACCOUNT = "The account's SID."


class TwilioSend(Sender, frozen=True, kw_only=True):
    """Send a notification through Twilio."""

    type_name: ClassVar[str] = "twilio.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.twilio.TwilioAlert",
        "io.kestra.plugin.twilio.notify.TwilioAlert",
        "io.kestra.plugin.twilio.core.TwilioAlert",
    )
    service: ClassVar[str] = "Twilio"
    example: ClassVar[dict[str, object]] = {
        "url": "https://notify.twilio.com/v1/Services/IS123/Notifications",
        "accountSID": "{{ secret('TWILIO_SID') }}",
        "authToken": "{{ secret('TWILIO_TOKEN') }}",
        "payload": {"identity": "0000001", "body": "The day {{ inputs.day }} is loaded."},
    }

    url: Annotated[str, Meta(description=SERVICE)]
    account_sid: Annotated[Secret, Meta(description=ACCOUNT)] = field(name="accountSID")
    auth_token: Annotated[Secret, Meta(description="Its token.")]
    payload: Annotated[str | dict[str, object], Meta(description="Its parts: identity, body, tag and the like.")]

    def run(self, context: Context) -> None:
        """Send it."""
        payload = self.payload
        if isinstance(payload, str):
            try:
                payload = json.loads(payload)
            except ValueError as error:
                raise TaskFailed(f"The payload is no JSON: {error}.") from None
        if not isinstance(payload, dict):
            raise TaskFailed("The payload is no map of the notification's parts.")
        _notify(context, self, payload)


class TwilioReport(Report, frozen=True, kw_only=True):
    """Tell of a run by a notification of Twilio."""

    type_name: ClassVar[str] = "twilio.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.twilio.TwilioExecution",
        "io.kestra.plugin.twilio.notify.TwilioExecution",
        "io.kestra.plugin.twilio.core.TwilioExecution",
    )
    service: ClassVar[str] = "Twilio"
    example: ClassVar[dict[str, object]] = {
        "url": "https://notify.twilio.com/v1/Services/IS123/Notifications",
        "accountSID": "{{ secret('TWILIO_SID') }}",
        "authToken": "{{ secret('TWILIO_TOKEN') }}",
        "identity": "0000001",
    }

    url: Annotated[str, Meta(description=SERVICE)]
    account_sid: Annotated[Secret, Meta(description=ACCOUNT)] = field(name="accountSID")
    auth_token: Annotated[Secret, Meta(description="Its token.")]
    body: Annotated[str, Meta(description="What is written instead of the account.")] = ""
    identity: Annotated[str, Meta(description="Who is written to.")] = ""
    tag: Annotated[str, Meta(description="Everybody with this tag is written to.")] = ""

    def run(self, context: Context) -> None:
        """Send the account."""
        parts = {"body": self.body or self.text(self.told(context)), "identity": self.identity, "tag": self.tag}
        _notify(context, self, {name: value for name, value in parts.items() if value})


class SendGrid(Report, frozen=True, kw_only=True):
    """What every mail through SendGrid declares."""

    service: ClassVar[str] = "SendGrid"
    outputs: ClassVar[dict[str, str]] = {
        "statusCode": "What SendGrid answered; 202 when it took the mail.",
        "body": "The rest of its answer.",
        "headers": "Headers of its answer.",
    }

    sendgrid_api_key: Annotated[Secret, Meta(description="Key of the API.")]
    from_: Annotated[str, Meta(description="The sender's address.")] = field(name="from")
    to: Annotated[list[str], Meta(description="Addresses.")]
    cc: Annotated[list[str], Meta(description="Further addresses.")] = field(default_factory=list)
    subject: Annotated[str, Meta(description="What it is about.")] = ""
    attachments: Annotated[list[Attachment], Meta(description="Files that go along.")] = field(default_factory=list)
    embedded_images: Annotated[list[Attachment], Meta(description="Pictures that the HTML shows as `cid:NAME`.")] = (
        field(default_factory=list)
    )
    endpoint_override: Annotated[str, Meta(description="Another address of the service.")] = SENDGRID

    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Authorization": f"Bearer {self.sendgrid_api_key!s}"}

    def send(self, context: Context, subject: str, plain: str, marked: str) -> dict[str, object]:
        """Send one mail, and hand on what was answered."""
        people: dict[str, object] = {"to": [{"email": one} for one in self.to], "subject": subject}
        people |= {"cc": [{"email": one} for one in self.cc]} if self.cc else {}
        texts = [("text/plain", plain or "Please view this email in a modern email client"), ("text/html", marked)]
        files = [_file(context, each, "attachment") for each in self.attachments]
        files += [_file(context, each, "inline") for each in self.embedded_images]
        body: dict[str, object] = {
            "personalizations": [people],
            "from": {"email": self.from_},
            "subject": subject,
            "content": [{"type": kind, "value": value} for kind, value in texts if value],
        }
        answer = self.post(context, self.endpoint_override, body | ({"attachments": files} if files else {}))
        return {"statusCode": answer.code, "body": answer.text, "headers": _flat(answer)}


class SendGridSend(SendGrid, frozen=True, kw_only=True):
    """Send a mail through SendGrid."""

    type_name: ClassVar[str] = "sendgrid.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.sendgrid.SendGridMailSend",
        "io.kestra.plugin.twilio.sendgrid.SendGridMailSend",
    )
    example: ClassVar[dict[str, object]] = {
        "sendgridApiKey": "{{ secret('SENDGRID_KEY') }}",
        "from": "penstock@example.org",
        "to": ["team@example.org"],
        "subject": "The day {{ inputs.day }} is loaded",
        "htmlTextContent": "<p>All is well.</p>",
    }

    html_text_content: Annotated[str, Meta(description="The text as HTML.")] = ""
    plain_text_content: Annotated[str, Meta(description="The text without marks.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Send it."""
        return self.send(context, self.subject, self.plain_text_content, self.html_text_content)


class SendGridReport(SendGrid, frozen=True, kw_only=True):
    """Tell of a run by mail through SendGrid."""

    type_name: ClassVar[str] = "sendgrid.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.sendgrid.SendGridMailExecution",
        "io.kestra.plugin.twilio.sendgrid.SendGridMailExecution",
    )
    example: ClassVar[dict[str, object]] = {
        "sendgridApiKey": "{{ secret('SENDGRID_KEY') }}",
        "from": "penstock@example.org",
        "to": ["team@example.org"],
        "executionId": "{{ trigger.executionId }}",
    }

    def run(self, context: Context) -> dict[str, object]:
        """Send the account."""
        told = accounts.ask(context, self.execution_id)
        marked = page(told, self.custom_message, self.custom_fields)
        return self.send(context, self.subject or told.title, self.text(told), marked)


def _notify(context: Context, task: TwilioSend | TwilioReport, parts: dict[str, object]) -> None:
    """Twilio takes forms, whose names begin with a capital, from whom it knows."""
    named = {name[:1].upper() + name[1:]: value for name, value in parts.items()}
    form = {name: value if isinstance(value, str | list) else json.dumps(value) for name, value in named.items()}
    who = {"Authorization": basic(str(task.account_sid), str(task.auth_token))}
    body, kind = urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
    deliver(context, Message(service=task.service, url=task.url, body=body, headers=who, kind=kind), task.options)


def _file(context: Context, file: Attachment, way: str) -> dict[str, object]:
    content = base64.b64encode(context.fetch(file.uri).read_bytes()).decode()
    told: dict[str, object] = {"content": content, "filename": file.name, "disposition": way}
    told |= {"type": file.content_type} if file.content_type else {}
    return told | ({"content_id": file.name} if way == "inline" else {})


def _flat(answer: Answer) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in answer.headers.items()}
