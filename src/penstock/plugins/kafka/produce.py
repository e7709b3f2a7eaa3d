"""How does a flow send messages to Kafka?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.kafka import options
from penstock.plugins.kafka.options import BROKER, SECONDS, KafkaTask
from penstock.plugins.kafka.serdes import Registry, SerdeType, Write, writer
from penstock.plugins.messages.payload import epoch_millis, maps
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

KNOWN: Final = frozenset({"key", "value", "topic", "partition", "timestamp", "headers", "offset"})
EVERY: Final = 1000


class Produce(KafkaTask, frozen=True, kw_only=True):
    """Send messages to a topic, in one transaction unless told otherwise; done when the broker has them all."""

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
        asked = self.told(context)
        if self.transactional:
            # The same for each attempt: one that was thought lost cannot commit beside the next.
            asked["transactional.id"] = f"penstock/{context.idempotency_key}"
        with ExitStack() as held:
            registry = Registry(self.serde_properties, held)
            write = (
                writer(self.key_serializer, self.key_avro_schema, registry, key=True),
                writer(self.value_serializer, self.value_avro_schema, registry, key=False),
            )
            count: int = options.guarded(lambda: self._send(context, options.library().Producer(asked), write))
        context.metric("records", count)
        if self.topic:
            context.writes(self.place, self.topic, rows=count)
        return {"messagesCount": count}

    def _send(self, context: Context, producer: Any, write: tuple[Write, Write]) -> int:
        failures: list[str] = []
        count = 0
        if self.transactional:
            producer.init_transactions(SECONDS)
            producer.begin_transaction()
        try:
            for message in self._messages(context, write):
                self._hand_over(producer, message, failures)
                count += 1
                if count % EVERY == 0:
                    context.progress(count, unit="messages")
            left = producer.flush(SECONDS)
            if failures or left:
                raise TaskFailed(f"Kafka has not taken all: {failures[0] if failures else f'{left} wait'}.")
        except BaseException:
            if self.transactional:
                producer.abort_transaction(SECONDS)
            raise
        if self.transactional:
            producer.commit_transaction(SECONDS)
        return count

    @staticmethod
    def _hand_over(producer: Any, message: dict[str, Any], failures: list[str]) -> None:
        def done(error: object, sent: object) -> None:
            if error is not None:
                failures.append(str(error))

        while True:
            try:
                producer.produce(**message, on_delivery=done)
            except BufferError:
                producer.poll(1)
            else:
                producer.poll(0)
                break
        if failures:
            raise TaskFailed(f"Kafka has not taken all: {failures[0]}.")

    def _messages(self, context: Context, write: tuple[Write, Write]) -> Iterator[dict[str, Any]]:
        for given in maps(self.from_, context):
            if unknown := set(given) - KNOWN:
                raise TaskFailed(
                    f"A message has no {', '.join(sorted(unknown))}; it may have {', '.join(sorted(KNOWN))}."
                )
            topic = str(given.get("topic") or self.topic)
            if not topic:
                raise TaskFailed("Neither the task nor the message names a topic.")
            message: dict[str, Any] = {
                "topic": topic,
                "key": write[0](topic, given.get("key")),
                "value": write[1](topic, given.get("value")),
                "headers": headers_of(given.get("headers")),
            }
            if (partition := given.get("partition")) is not None:
                message["partition"] = int(str(partition))
            if (millis := epoch_millis(given.get("timestamp"))) is not None:
                message["timestamp"] = millis
            yield message


def headers_of(given: object) -> list[tuple[str, bytes]]:
    """Headers of a map, or of a list of maps with one entry each, as consumed messages have them."""
    if given is None:
        return []
    pairs = [given] if isinstance(given, dict) else given
    if not isinstance(pairs, list) or not all(isinstance(each, dict) for each in pairs):
        raise TaskFailed("headers is a map, or a list of maps with one entry each.")
    return [(str(name), str(value).encode()) for each in pairs for name, value in each.items()]
