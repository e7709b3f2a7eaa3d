"""How does a flow report to Sentry? By the project's key, as an envelope, or as an event to older servers."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, field

from penstock.plugins.notify.accounts import Report, Told
from penstock.plugins.notify.webhook import checked
from penstock.plugins.notify.wire import Message, Options, Sender, deliver
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Secret

DSN = "The project's DSN: https://KEY@HOST/PROJECT."
MOST_EVENT = 1024 * 1024
VERSION = 7


class Endpoint(enum.StrEnum):
    """Where events go."""

    ENVELOPE = "ENVELOPE"
    STORE = "STORE"


class Level(enum.StrEnum):
    """How bad it is."""

    FATAL = "FATAL"
    ERROR = "ERROR"
    WARNING = "WARNING"
    INFO = "INFO"
    DEBUG = "DEBUG"


class SentrySend(Sender, frozen=True, kw_only=True):
    """Send an event to Sentry."""

    type_name: ClassVar[str] = "sentry.send"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.sentry.SentryAlert",
        "io.kestra.plugin.sentry.SentryAlert",
    )
    service: ClassVar[str] = "Sentry"
    example: ClassVar[dict[str, object]] = {
        "dsn": "{{ secret('SENTRY_DSN') }}",
        "payload": {"level": "error", "message": {"message": "No rows arrived"}},
    }

    dsn: Annotated[Secret, Meta(description=DSN)]
    endpoint_type: Annotated[Endpoint, Meta(description="ENVELOPE; STORE for older servers.")] = Endpoint.ENVELOPE
    payload: Annotated[
        str | dict[str, object] | None, Meta(description="The event; one about this run unless given.")
    ] = None

    def run(self, context: Context) -> None:
        """Send it."""
        payload = self.payload
        if not payload:
            extra = {"Namespace": context.namespace, "Flow ID": context.flow, "Execution ID": context.run}
            payload = {"level": "error", "message": {"message": f"Execution {context.run} failed"}, "extra": extra}
        if isinstance(payload, dict):
            now = datetime.datetime.now(datetime.UTC).isoformat()
            payload = msgspec.json.encode({"timestamp": now, "platform": "python", **payload}).decode()
        _send(context, self, checked(context, payload), self.options)


class SentryReport(Report, frozen=True, kw_only=True):
    """Tell of a run by an event of Sentry."""

    type_name: ClassVar[str] = "sentry.run"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.notifications.sentry.SentryExecution",
        "io.kestra.plugin.sentry.SentryExecution",
    )
    service: ClassVar[str] = "Sentry"
    example: ClassVar[dict[str, object]] = {
        "dsn": "{{ secret('SENTRY_DSN') }}",
        "level": "ERROR",
        "executionId": "{{ trigger.executionId }}",
    }

    dsn: Annotated[Secret, Meta(description=DSN)]
    endpoint_type: Annotated[Endpoint, Meta(description="ENVELOPE; STORE for older servers.")] = Endpoint.ENVELOPE
    event_id: Annotated[str, Meta(description="Id of the event, 32 hexadecimal digits; a new one unless given.")] = ""
    platform: Annotated[str, Meta(description="What Sentry shows the event as.")] = "python"
    level: Annotated[Level, Meta(description="How bad it is.")] = Level.ERROR
    transaction: Annotated[str, Meta(description="What was done; the flow unless given.")] = ""
    server_name: Annotated[str, Meta(description="Where it was done.")] = ""
    extra: Annotated[dict[str, object], Meta(description="What is kept with the event.")] = field(default_factory=dict)
    errors: Annotated[dict[str, object], Meta(description="Errors that are kept with the event.")] = field(
        default_factory=dict
    )

    def run(self, context: Context) -> None:
        """Send the account."""
        told = self.told(context)
        _send(context, self, msgspec.json.encode(self.event(told)).decode(), self.options)

    def event(self, told: Told) -> dict[str, object]:
        """The account as an event."""
        body: dict[str, object] = {
            "event_id": self.event_id or uuid.uuid4().hex,
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(),
            "platform": self.platform.lower(),
            "level": self.level.value.lower(),
            "logger": "penstock",
            "transaction": self.transaction or told.name,
            "server_name": self.server_name,
            "message": {"formatted": self.custom_message or told.title},
            "tags": {"flow": told.name, "state": told.state},
            "extra": {**self.lines(told), **self.extra},
            "errors": self.errors,
        }
        return {name: value for name, value in body.items() if value}


def _send(context: Context, task: SentrySend | SentryReport, event: str, options: Options) -> None:
    if len(event.encode()) > MOST_EVENT:
        raise TaskFailed(f"The event is larger than the {MOST_EVENT} bytes that Sentry takes.")
    url, key = _address(str(task.dsn), task.endpoint_type)
    body, kind = event, "application/json"
    if task.endpoint_type is Endpoint.ENVELOPE:
        body, kind = _envelope(event), "application/x-sentry-envelope"
    who = f"Sentry sentry_version={VERSION}, sentry_client=penstock/1, sentry_key={key}"
    headers = {"X-Sentry-Auth": who} if key else {}
    deliver(context, Message(service=task.service, url=url, body=body.encode(), headers=headers, kind=kind), options)


def _address(dsn: str, endpoint: Endpoint) -> tuple[str, str]:
    """Where events of a DSN go, and its key; another address is taken as it is."""
    split = urlsplit(dsn)
    if not split.username:
        return dsn, ""
    path, _, project = split.path.rpartition("/")
    host = split.netloc.rpartition("@")[2]
    return f"{split.scheme}://{host}{path}/api/{project}/{endpoint.value.lower()}/", split.username


def _envelope(event: str) -> str:
    """An event with the lines that an envelope begins with; its bytes are counted, not its letters."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    header: dict[str, object] = {"sent_at": now}
    try:
        found = msgspec.json.decode(event)
    except msgspec.DecodeError:
        found = {}
    header["event_id"] = str(found.get("event_id") or uuid.uuid4().hex) if isinstance(found, dict) else uuid.uuid4().hex
    item = {"type": "event", "length": len(event.encode()), "content_type": "application/json"}
    return "\n".join((msgspec.json.encode(header).decode(), msgspec.json.encode(item).decode(), event)) + "\n"
