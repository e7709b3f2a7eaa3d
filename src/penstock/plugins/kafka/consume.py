"""How does a flow take messages from Kafka?"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, field

from penstock.plugins.kafka import options
from penstock.plugins.kafka.options import BROKER, SECONDS, KafkaTask
from penstock.plugins.kafka.serdes import Read, Registry, SerdeType, Unreadable, reader
from penstock.plugins.kafka.unread import OnSerdeError, Unread
from penstock.plugins.messages.payload import SPAN, MaxDuration, MaxRecords, Until, epoch_millis, instant
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

TOGETHER: Final = 1000


class Consume(KafkaTask, frozen=True, kw_only=True):
    """Take messages of topics into a stored file, until none comes any more; a group's offsets are kept afterwards."""

    type_name: ClassVar[str] = "kafka.consume"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.kafka.Consume",)
    outputs: ClassVar[dict[str, str]] = {
        "messagesCount": "How many were taken.",
        "uri": "Address of the file; of each: key, value, topic, headers, partition, timestamp, offset.",
        "unreadCount": "How many could not be read (onSerdeError).",
        "unreadUri": "Address of the file of those (STORE); of each: key, value, topic, partition, offset, error.",
    }
    example: ClassVar[dict[str, object]] = {
        "properties": {**BROKER, "auto.offset.reset": "earliest"},
        "topic": "orders",
        "groupId": "warehouse",
        "valueDeserializer": "JSON",
        "maxRecords": 10_000,
    }

    topic: Annotated[str | list[str], Meta(description="The topic, or several.")] = field(default_factory=list)
    topic_pattern: Annotated[str, Meta(description="Instead: what topics' names match; needs a group.")] = ""
    partitions: Annotated[list[int], Meta(description="Only these partitions.")] = field(default_factory=list)
    group_id: Annotated[
        str,
        Meta(description="Group whose offsets are gone on from, and kept; without one all is taken, or all `since`."),
    ] = ""
    key_deserializer: Annotated[SerdeType, Meta(description="How keys are written.")] = SerdeType.STRING
    value_deserializer: Annotated[SerdeType, Meta(description="How values are written.")] = SerdeType.STRING
    on_serde_error: Annotated[
        OnSerdeError | None,
        Meta(description="What becomes of messages that cannot be read; without it the first of them fails the task."),
    ] = None
    since: Annotated[
        str, Meta(description="Only messages from this instant on.", examples=["2016-01-02T00:00:00Z"])
    ] = ""
    poll_duration: Annotated[
        Duration, Meta(description="How long to wait for a message before it is thought that none comes.", extra=SPAN)
    ] = Duration(5_000_000)
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    @property
    def group(self) -> str:
        """The group that is taken for, in whichever way it was said."""
        return self.group_id or self.properties.get("group.id", "")

    def run(self, context: Context) -> dict[str, object]:
        """Take them."""
        topics = [self.topic] if isinstance(self.topic, str) else self.topic
        if bool(topics) == bool(self.topic_pattern):
            raise TaskFailed("Exactly one of topic and topicPattern must be given.")
        asked = self.told(context)
        if self.topic_pattern and not self.group:
            raise TaskFailed("topicPattern needs a groupId.")
        asked = {"isolation.level": "read_committed", "enable.auto.commit": "false", **asked}
        asked["group.id"] = self.group or f"penstock-{uuid.uuid4()}"
        with contextlib.ExitStack() as held:
            registry = Registry(self.serde_properties, held)
            read = (
                reader(self.key_deserializer, registry, key=True),
                reader(self.value_deserializer, registry, key=False),
            )
            unread = self._unread(context, held)
            found: dict[str, object] = options.guarded(lambda: self._take(context, asked, topics, read, unread))
        return found

    def _unread(self, context: Context, held: contextlib.ExitStack) -> Unread | None:
        wanted = self.on_serde_error
        return None if wanted is None else held.enter_context(Unread(wanted, context, self.told(context)))

    def _take(
        self,
        context: Context,
        asked: dict[str, object],
        topics: list[str],
        read: tuple[Read, Read],
        unread: Unread | None,
    ) -> dict[str, object]:
        kafka = options.library()
        until = Until(self.max_records, self.max_duration, bounded=False)
        ends: dict[tuple[str, int], int] = {}
        counts: dict[str, int] = {}
        with contextlib.closing(kafka.Consumer(asked)) as consumer, Writer(context) as writer:
            for message in self._messages(consumer, self._begin(kafka, consumer, topics), until):
                if message.error():
                    raise TaskFailed(f"Kafka: {message.error().str()}")
                topic = message.topic()
                ends[topic, message.partition()] = message.offset() + 1
                until.count += 1
                try:
                    writer.write(told(message, read))
                except Unreadable as error:
                    if unread is None:
                        raise
                    unread.take(message, error)
                else:
                    counts[topic] = counts.get(topic, 0) + 1
            outputs = {"messagesCount": writer.count, "uri": writer.done()["uri"], **(unread.done() if unread else {})}
            if self.group and ends:
                kept = [kafka.TopicPartition(topic, number, offset) for (topic, number), offset in ends.items()]
                consumer.commit(offsets=kept, asynchronous=False)
        for topic, count in counts.items():
            context.metric("records", count, tags={"topic": topic})
        return outputs

    def _begin(self, kafka: Any, consumer: Any, topics: list[str]) -> list[Any]:
        """Say what is to be taken; gives messages that came while the group agreed on it."""
        if self.group and not self.partitions and not self.since:
            agreed: list[object] = []
            wanted = topics or [f"^{self.topic_pattern.removeprefix('^')}"]
            consumer.subscribe(wanted, on_assign=lambda consumer, parts: agreed.append(parts))
            early: list[Any] = []
            patience = Until(None, max(self.max_duration or Duration(0), Duration(SECONDS * 1_000_000)))
            while not agreed and not patience.over:
                early += [message for message in (consumer.poll(0.1),) if message is not None]
            return early
        parts = [
            kafka.TopicPartition(topic, number)
            for topic in topics or self._matching(consumer)
            for number in self.partitions or self._all_of(consumer, topic)
        ]
        if self.since:
            millis = epoch_millis(self.since) or 0
            asked = [kafka.TopicPartition(each.topic, each.partition, millis) for each in parts]
            parts = consumer.offsets_for_times(asked, SECONDS)
        else:
            for each in parts:
                each.offset = kafka.OFFSET_STORED if self.group else kafka.OFFSET_BEGINNING
        consumer.assign(parts)
        return []

    def _matching(self, consumer: Any) -> list[str]:
        names = consumer.list_topics(timeout=SECONDS).topics
        return [name for name in names if re.match(self.topic_pattern, name)]

    @staticmethod
    def _all_of(consumer: Any, topic: str) -> list[int]:
        about = consumer.list_topics(topic, timeout=SECONDS).topics[topic]
        if about.error is not None:
            raise TaskFailed(f'There is no topic "{topic}": {about.error.str()}')
        return sorted(about.partitions)

    def _messages(self, consumer: Any, early: list[Any], until: Until) -> Iterator[Any]:
        yield from early
        while not until.over:
            first = consumer.poll(until.wait(self.poll_duration.seconds))
            if first is None:
                return
            yield first
            if not until.over:
                # What is here already, without waiting for more.
                yield from consumer.consume(min(until.room or TOGETHER, TOGETHER), 0)


def told(message: Any, read: tuple[Read, Read]) -> dict[str, object]:
    """A message as a record."""
    topic = message.topic()
    _, millis = message.timestamp()
    return {
        "key": read[0](topic, message.key()),
        "value": read[1](topic, message.value()),
        "topic": topic,
        "headers": [
            {name: (value or b"").decode("utf-8", "backslashreplace")} for name, value in message.headers() or ()
        ],
        "partition": message.partition(),
        "timestamp": instant(millis),
        "offset": message.offset(),
    }
