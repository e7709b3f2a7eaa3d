"""How does a flow take messages from Kafka?"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeVar

from msgspec import Meta, field

from penstock.errors.task import UnreadableMessage
from penstock.plugins.kafka import options
from penstock.plugins.kafka.options import BROKER, SECONDS, KafkaTask
from penstock.plugins.kafka.serdes import Read, Registry, SerdeType, reader
from penstock.plugins.kafka.unread import OnSerdeError, Unread
from penstock.plugins.messages.payload import SPAN, MaxDuration, MaxRecords, Until, epoch_millis, instant
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Outputs, TaskFailed
from penstock.sdk.values import Duration

TOGETHER: Final = 1000
T = TypeVar("T")


class Line(NamedTuple):
    """A consumer while it is connected, what it is to take, and how that is read."""

    kafka: Any
    consumer: Any
    topics: list[str]
    read: tuple[Read, Read]
    unread: Unread | None


class Taking(KafkaTask, frozen=True, kw_only=True):
    """What is declared by all that takes messages."""

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

    @property
    def group(self) -> str:
        """The group that is taken for, in whichever way it was said."""
        return self.group_id or self.properties.get("group.id", "")

    @property
    def patience(self) -> Duration:
        """How long a group may take to agree on who takes what."""
        return Duration(int(SECONDS * 1_000_000))

    def connected(self, context: Context, work: Callable[[Line], T]) -> T:
        """Do something with messages, as far as they can be reached and read."""
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
            kafka = options.library()

            def held_open() -> T:
                with contextlib.closing(kafka.Consumer(asked)) as consumer:
                    return work(Line(kafka, consumer, topics, read, unread))

            found: T = options.guarded(held_open)
        return found

    def _unread(self, context: Context, held: contextlib.ExitStack) -> Unread | None:
        wanted = self.on_serde_error
        return None if wanted is None else held.enter_context(Unread(wanted, context, self.told(context)))

    def begin(self, line: Line) -> list[Any]:
        """Say what is to be taken; gives messages that came while the group agreed on it."""
        kafka, consumer, topics = line.kafka, line.consumer, line.topics
        if self.group and not self.partitions and not self.since:
            agreed: list[object] = []
            wanted = topics or [f"^{self.topic_pattern.removeprefix('^')}"]
            consumer.subscribe(wanted, on_assign=lambda consumer, parts: agreed.append(parts))
            early: list[Any] = []
            patience = Until(None, self.patience)
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


class Consume(Taking, frozen=True, kw_only=True):
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

    poll_duration: Annotated[
        Duration, Meta(description="How long to wait for a message before it is thought that none comes.", extra=SPAN)
    ] = Duration(5_000_000)
    max_records: MaxRecords = None
    max_duration: MaxDuration = None

    @property
    def patience(self) -> Duration:
        """As long as it may take messages, at least."""
        return max(self.max_duration or Duration(0), super().patience)

    def run(self, context: Context) -> Outputs:
        """Take them."""
        return self.taken(context)

    def taken(self, context: Context) -> dict[str, object]:
        """What there is, stored."""
        return self.connected(context, lambda line: self._take(context, line))

    def keep(self, context: Context, line: Line, ends: Mapping[tuple[str, int], int]) -> None:
        """Have the group go on behind what was taken."""
        commit(line, ends)

    def _take(self, context: Context, line: Line) -> dict[str, object]:
        unread = line.unread
        until = Until(self.max_records, self.max_duration, bounded=False)
        ends: dict[tuple[str, int], int] = {}
        counts: dict[str, int] = {}
        with Writer(context) as writer:
            for message in self._messages(line.consumer, self.begin(line), until):
                if message.error():
                    raise TaskFailed(f"Kafka: {message.error().str()}")
                topic = message.topic()
                ends[topic, message.partition()] = message.offset() + 1
                until.count += 1
                try:
                    writer.write(told(message, line.read))
                except UnreadableMessage as error:
                    if unread is None:
                        raise
                    unread.take(message, error)
                else:
                    counts[topic] = counts.get(topic, 0) + 1
            outputs = {"messagesCount": writer.count, "uri": writer.done()["uri"], **(unread.done() if unread else {})}
            if self.group and ends:
                self.keep(context, line, ends)
        for topic, count in counts.items():
            context.metric("records", count, tags={"topic": topic})
            context.reads(self.place, topic, rows=count)
        return outputs

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


def commit(line: Line, ends: Mapping[tuple[str, int], int]) -> None:
    """Have a group go on from these offsets, by topic and partition."""
    kept = [line.kafka.TopicPartition(topic, number, offset) for (topic, number), offset in ends.items()]
    line.consumer.commit(offsets=kept, asynchronous=False)


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
