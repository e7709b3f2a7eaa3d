"""How does a flow publish messages by AMQP, and take those that wait in a queue?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.messages.amqp import URL, AmqpTask, library
from penstock.plugins.messages.payload import (
    MaxDuration,
    MaxRecords,
    Serde,
    Until,
    decode,
    encode,
    epoch_millis,
    instant,
    maps,
)
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Outputs, TaskFailed
from penstock.sdk.values import Duration

# Our names of what goes beside a message, and the library's.
BESIDE: Final = {
    "contentType": "content_type",
    "contentEncoding": "content_encoding",
    "headers": "headers",
    "deliveryMode": "delivery_mode",
    "priority": "priority",
    "correlationId": "correlation_id",
    "replyTo": "reply_to",
    "messageId": "message_id",
    "type": "type",
    "userId": "user_id",
    "appId": "app_id",
}
KNOWN: Final = frozenset((*BESIDE, "data", "expiration", "timestamp"))
MOST_HELD: Final = 65_535


class Publish(AmqpTask, frozen=True, kw_only=True):
    """Publish messages to an exchange; done when the broker has confirmed each."""

    type_name: ClassVar[str] = "amqp.publish"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.Publish",)
    outputs: ClassVar[dict[str, str]] = {"messagesCount": "How many were published."}
    example: ClassVar[dict[str, object]] = {
        "url": URL,
        "exchange": "orders",
        "routingKey": "east.paris",
        "from": [{"data": "an order", "headers": {"kind": "new"}}],
    }

    exchange: Annotated[str, Meta(description="The exchange; empty: the routing key is the queue.")]
    from_: Annotated[
        object,
        Meta(
            description="A message, a list of them, or a stored file's address; of each: data, headers, contentType, "
            "contentEncoding, deliveryMode, priority, correlationId, replyTo, expiration, messageId, timestamp, type, "
            "userId, appId."
        ),
    ] = field(name="from")
    routing_key: Annotated[str, Meta(description="By which the exchange finds queues.")] = ""
    serde_type: Annotated[Serde, Meta(description="How data is written.")] = Serde.STRING

    def run(self, context: Context) -> dict[str, object]:
        """Publish them."""
        count = 0
        with self.channel(context) as channel:
            channel.confirm_delivery()
            for message in maps(self.from_, context):
                body = encode(message.get("data"), self.serde_type)
                channel.basic_publish(self.exchange, self.routing_key, body, properties_of(message))
                count += 1
        context.metric("records", count)
        return {"messagesCount": count}


class Consume(AmqpTask, frozen=True, kw_only=True):
    """Take messages out of a queue into a stored file; the broker keeps them until that is stored."""

    type_name: ClassVar[str] = "amqp.consume"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.amqp.Consume", "io.kestra.plugin.amqp.Pull")
    outputs: ClassVar[dict[str, str]] = {
        "count": "How many were taken.",
        "uri": "Address of the file; of each: data, and what went beside it.",
    }
    example: ClassVar[dict[str, object]] = {"url": URL, "queue": "east", "maxRecords": 1000, "maxDuration": "PT10S"}

    queue: Annotated[str, Meta(description="The queue.")]
    serde_type: Annotated[Serde, Meta(description="How data is written.")] = Serde.STRING
    consumer_tag: Annotated[str, Meta(description="Who we are to the broker.")] = "penstock"
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    def run(self, context: Context) -> Outputs:
        """Take them."""
        return self.taken(context)

    def taken(
        self, context: Context, before_ack: Callable[[dict[str, object]], None] = lambda outputs: None
    ) -> dict[str, object]:
        """Take them, and have somebody act on what was taken before the broker lets go of it."""
        until = Until(self.max_records, self.max_duration)
        last = None
        with self.channel(context) as channel, Writer(context) as writer:
            # What we will not take stays with the broker, for others.
            most = until.most or 0
            channel.basic_qos(prefetch_count=most if most <= MOST_HELD else 0)
            waiting = channel.consume(
                self.queue, inactivity_timeout=until.wait() or 0.001, consumer_tag=self.consumer_tag
            )
            for delivery, properties, body in waiting:
                if delivery is not None:
                    writer.write(told(properties, body, self.serde_type))
                    until.count, last = until.count + 1, delivery.delivery_tag
                if until.over:
                    break
            found: dict[str, object] = {"count": until.count, "uri": writer.done()["uri"]}
            if last is not None:
                before_ack(found)
                channel.basic_ack(last, multiple=True)
            channel.cancel()
        context.metric("records", until.count, tags={"queue": self.queue})
        return found


def told(properties: Any, body: bytes, serde: Serde) -> dict[str, object]:
    """A message as a record."""
    beside: dict[str, object] = {ours: getattr(properties, theirs) for ours, theirs in BESIDE.items()}
    beside["expiration"] = f"PT{int(properties.expiration) / 1000:g}S" if properties.expiration else None
    beside["timestamp"] = instant(properties.timestamp * 1000) if properties.timestamp else None
    kept = {name: value for name, value in beside.items() if value is not None}
    return {"data": decode(body, serde), **kept}


def properties_of(message: dict[str, object]) -> Any:
    """What goes beside a message, in the library's words."""
    if unknown := set(message) - KNOWN:
        raise TaskFailed(f"A message has no {', '.join(sorted(unknown))}; it may have {', '.join(sorted(KNOWN))}.")
    beside = {theirs: message[ours] for ours, theirs in BESIDE.items() if message.get(ours) is not None}
    if message.get("expiration") is not None:
        beside["expiration"] = str(_span(message["expiration"]) // 1000)
    if (millis := epoch_millis(message.get("timestamp"))) is not None:
        beside["timestamp"] = millis // 1000
    return library().BasicProperties(**beside)


def _span(value: object) -> int:
    try:
        return Duration.read(value)
    except ValueError as error:
        raise TaskFailed(f"expiration: {error}.") from None
