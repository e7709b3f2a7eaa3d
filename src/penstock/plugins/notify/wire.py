"""How does a message reach a service? By HTTP, again after a while when it is too busy, its address never shown."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, field

from penstock.plugins.http.client import Reply, Sending, read_all, sent
from penstock.plugins.http.options import READ, SECONDS, Proxy
from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskFailed, TaskType
from penstock.sdk.values import Duration, Size

MOST_TRIES: Final = 5
LONGEST_WAIT: Final = 60.0
FIRST_WAIT: Final = 1.0
MOST_SHOWN: Final = 300
BUSY: Final = (429, 503)


class Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How a message is sent."""

    connect_timeout: Annotated[Duration | None, Meta(description="How long to connect.", extra=SECONDS)] = None
    read_timeout: Annotated[Duration, Meta(description="How long to wait for an answer.", extra=SECONDS)] = READ
    read_idle_timeout: Annotated[Duration | None, Meta(description="As readTimeout.", extra=SECONDS)] = None
    connection_pool_idle_timeout: Annotated[
        Duration | None, Meta(description="Read and not used: a task keeps no connection.", extra=SECONDS)
    ] = None
    max_content_length: Annotated[
        Size, Meta(description="Largest answer that is taken.", extra={"unit": "bytes, or 10 MiB"})
    ] = Size(10 * 1024 * 1024)
    default_charset: Annotated[str, Meta(description="Of an answer that does not say.")] = "utf-8"
    headers: Annotated[dict[str, str], Meta(description="Headers besides the service's own.")] = field(
        default_factory=dict
    )
    proxy: Annotated[Proxy | None, Meta(description="The way out.")] = None


class Sender(TaskType, frozen=True, kw_only=True):
    """What every task that tells people declares; `service` is what messages call whom it writes to."""

    mode: ClassVar[Mode] = Mode.WARM
    service: ClassVar[str] = ""

    options: Annotated[Options, Meta(description="How the message is sent.")] = Options()

    def headers(self) -> dict[str, str]:
        """Headers that the service wants."""
        return {}

    def post(self, context: Context, url: str, body: object) -> Answer:
        """Send JSON; TaskFailed when it is not taken."""
        return deliver(context, as_json(self.service, url, body, self.headers()), self.options)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to a service: the name that messages call it by, its address, a body, headers."""

    service: str
    url: str
    body: bytes
    headers: Mapping[str, str] = {}
    kind: str = "application/json"


class Answer(msgspec.Struct, frozen=True):
    """What a service said."""

    code: int
    headers: dict[str, list[str]]
    text: str


def as_json(service: str, url: str, body: object, headers: Mapping[str, str] | None = None) -> Message:
    """A message whose body is JSON."""
    return Message(service=service, url=url, body=msgspec.json.encode(body), headers=headers or {})


def deliver(context: Context, message: Message, options: Options) -> Answer:
    """Send a message; TaskFailed when the service does not take it, or is still too busy after some tries."""
    waited = 0.0
    for turn in range(MOST_TRIES):
        answer = _once(message, options)
        if answer.code < 400:
            context.log(f"{message.service} took the message ({answer.code}).", Level.DEBUG)
            return answer
        wait = _wait(answer, turn)
        if answer.code not in BUSY or turn == MOST_TRIES - 1 or waited + wait > LONGEST_WAIT:
            break
        context.log(f"{message.service} is busy ({answer.code}); another try in {wait:g} s.", Level.WARN)
        time.sleep(wait)
        waited += wait
    said = answer.text.strip()[:MOST_SHOWN]
    raise TaskFailed(f"{message.service} answered {answer.code}{f': {said}' if said else ''}.")


def _once(message: Message, options: Options) -> Answer:
    sending = Sending(
        method="POST",
        uri=message.url,
        headers={"User-Agent": "penstock", "Content-Type": message.kind, **message.headers, **options.headers},
        body=message.body,
        connect_timeout=options.connect_timeout.seconds if options.connect_timeout else None,
        read_timeout=(options.read_idle_timeout or options.read_timeout).seconds,
        proxy=options.proxy.url if options.proxy else "",
        called=f"{message.service} at {urlsplit(message.url).hostname or 'no host'}",
    )
    with sent(sending) as reply:
        content = read_all(reply, int(options.max_content_length))
        return Answer(reply.code, reply.headers, content.decode(_charset(reply, options), "replace"))


def _charset(reply: Reply, options: Options) -> str:
    try:
        "".encode(reply.charset)
    except LookupError:
        return options.default_charset
    return reply.charset or options.default_charset


def _wait(answer: Answer, turn: int) -> float:
    """How long a busy service wants to be left alone: as its header says, or its body; else longer each time."""
    said = answer.headers.get("retry-after", [""])[0]
    try:
        return max(float(said), 0.0)
    except ValueError:
        pass
    try:
        body = json.loads(answer.text)
        found = body.get("retry_after", body.get("parameters", {}).get("retry_after"))
        return max(float(found), 0.0)
    except (ValueError, TypeError, AttributeError):
        return float(FIRST_WAIT * 2**turn)
