"""How does a flow send messages to Kafka?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, field

from penstock.errors.task import NoAnswer
from penstock.plugins.kafka.ending import tidily
from penstock.plugins.kafka.options import BROKER, KafkaTask
from penstock.plugins.kafka.sending import Mark, Sending
from penstock.plugins.kafka.serdes import Registry, SerdeType, Write, writer
from penstock.plugins.messages.payload import epoch_millis, maps
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

KNOWN: Final = frozenset({"key", "value", "topic", "partition", "timestamp", "headers", "offset"})
# Kilobytes that wait to be sent at most: what a large file needs of memory. Java's client has as much.
QUEUE: Final = 32 * 1024
# How long a topic may be unknown, having just been made.
UNKNOWN: Final = 10_000
# How long a transaction may last: a broker allows no more unless it is told to.
LONGEST: Final = 900_000


class Produce(KafkaTask, frozen=True, kw_only=True):
    """Send messages to a topic, in one transaction unless told otherwise; done when the broker has them all. A
    transaction is there once, however often the task is tried again.
    """

    type_name: ClassVar[str] = "kafka.produce"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.kafka.Produce",)
    outputs: ClassVar[dict[str, str]] = {"messagesCount": "How many were sent."}
    example: ClassVar[dict[str, object]] = {
        "properties": BROKER,
        "topic": "orders",
        "keySerializer": "STRING",
        "valueSerializer": "JSON",
        "from": [{"key": "7", "value": {"id": 7}, "headers": {"source": "shop"}}],
    }

    topic: Annotated[str, Meta(description="The topic; a message may name another one.")] = ""
    from_: Annotated[
        object,
        Meta(
            description="A message, a list of them, or a stored file's address; of each: key, value, partition, "
            "timestamp, headers, topic."
        ),
    ] = field(name="from")
    key_serializer: Annotated[SerdeType, Meta(description="How keys are written.")] = SerdeType.STRING
    value_serializer: Annotated[SerdeType, Meta(description="How values are written.")] = SerdeType.STRING
    key_avro_schema: Annotated[str, Meta(description="Schema of AVRO keys.")] = ""
    value_avro_schema: Annotated[str, Meta(description="Schema of AVRO values.")] = ""
    transactional: Annotated[bool, Meta(description="Whether all are there together, or none.")] = True

    def run(self, context: Context) -> dict[str, object]:
        """Send them."""
        more: dict[str, object] = {"queue.buffering.max.kbytes": QUEUE, "topic.metadata.propagation.max.ms": UNKNOWN}
        if self.properties.get("acks", "all") in ("all", "-1"):
            # As Java's client does: what the client itself sends again is there once.
            more["enable.idempotence"] = "true"
        if self.transactional:
            # The same for each attempt: one that was thought lost cannot commit beside the next.
            more |= {"transactional.id": f"penstock/{context.idempotency_key}", "transaction.timeout.ms": LONGEST}
        broker = self.broker(context, more)
        with ExitStack() as held:
            registry = Registry(self.serde_properties, held)
            write = (
                writer(self.key_serializer, self.key_avro_schema, registry, key=True),
                writer(self.value_serializer, self.value_avro_schema, registry, key=False),
            )
            messages = self._messages(context, write)
            held.enter_context(tidily())
            count = broker.guarded(lambda: self._sent(Sending(broker, context), messages))
        context.metric("records", count)
        if self.topic:
            context.writes(self.place, self.topic, rows=count)
        return {"messagesCount": count}

    def _sent(self, sending: Sending, messages: Iterator[dict[str, Any]]) -> int:
        if not self.transactional:
            return sending.all(messages)
        first = next(messages, None)
        if first is None:
            return 0
        mark = Mark(sending.broker, sending.context, digest(self), str(first["topic"]))
        return sending.once(first, messages, mark)

    def _messages(self, context: Context, write: tuple[Write, Write]) -> Iterator[dict[str, Any]]:
        for number, given in enumerate(maps(self.from_, context), 1):
            if unknown := set(given) - KNOWN:
                raise TaskFailed(
                    f"Message {number} has no {', '.join(sorted(unknown))}; it may have {', '.join(sorted(KNOWN))}."
                )
            topic = str(given.get("topic") or self.topic)
            if not topic:
                raise TaskFailed(f"Neither the task nor message {number} names a topic.")
            message: dict[str, Any] = {
                "topic": topic,
                **fitted(number, topic, given, write),
                "headers": headers_of(given.get("headers")),
            }
            if (partition := given.get("partition")) is not None:
                message["partition"] = int(str(partition))
            if (millis := epoch_millis(given.get("timestamp"))) is not None:
                message["timestamp"] = millis
            yield message


def fitted(number: int, topic: str, given: dict[str, object], write: tuple[Write, Write]) -> dict[str, bytes | None]:
    """Key and value of a message as they travel; TaskFailed tells of which message."""
    done: dict[str, bytes | None] = {}
    for part, put in zip(("key", "value"), write, strict=True):
        try:
            done[part] = put(topic, given.get(part))
        except NoAnswer:
            raise
        except TaskFailed as error:
            key = f" (key {str(given['key'])[:40]!r})" if given.get("key") is not None else ""
            raise TaskFailed(f"The {part} of message {number}{key} cannot be written: {error.sentence}") from None
    return done


def digest(task: Produce) -> str:
    """What the task is to send, and how, in a few letters."""
    return hashlib.blake2b(msgspec.json.encode(task, enc_hook=str), digest_size=12).hexdigest()


def headers_of(given: object) -> list[tuple[str, bytes]]:
    """Headers of a map, or of a list of maps with one entry each, as consumed messages have them."""
    if given is None:
        return []
    pairs = [given] if isinstance(given, dict) else given
    if not isinstance(pairs, list) or not all(isinstance(each, dict) for each in pairs):
        raise TaskFailed("headers is a map, or a list of maps with one entry each.")
    return [(str(name), str(value).encode()) for each in pairs for name, value in each.items()]
