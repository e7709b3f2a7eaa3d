"""How does a flow take messages from Kafka?"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, NamedTuple, TypeVar

from msgspec import Meta, field

from penstock.errors.task import UnreadableMessage
from penstock.plugins.kafka import takes
from penstock.plugins.kafka.broker import Broker, library
from penstock.plugins.kafka.ending import tidily
from penstock.plugins.kafka.options import BROKER, KafkaTask
from penstock.plugins.kafka.serdes import Read, Registry, SerdeType, reader
from penstock.plugins.kafka.share import Share
from penstock.plugins.kafka.takes import Ends, Take
from penstock.plugins.kafka.unread import OnSerdeError, Unread
from penstock.plugins.messages.payload import SPAN, MaxDuration, MaxRecords, Until, epoch_millis, instant
from penstock.plugins.serdes.records import Writer
from penstock.sdk.context import Context
from penstock.sdk.task import Outputs, TaskFailed
from penstock.sdk.values import Duration

TOGETHER: Final = 1000
# Told unless the flow says otherwise. A member that was killed holds its partitions until its session is over.
SETTINGS: Final[Mapping[str, object]] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": "false",
    "session.timeout.ms": 10_000,
}
SESSION: Final = "session.timeout.ms"
SLOW: Final = 1.0
T = TypeVar("T")


class Line(NamedTuple):
    """A consumer while it is connected, what it is to take, and how that is read."""

    kafka: Any
    broker: Broker
    consumer: Any
    topics: list[str]
    read: tuple[Read, Read]
    unread: Unread | None
    share: Share


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
    key_avro_schema: Annotated[str, Meta(description="Schema that AVRO keys are read as; else the writer's.")] = ""
    value_avro_schema: Annotated[str, Meta(description="Schema that AVRO values are read as; else the writer's.")] = ""
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
    def session(self) -> Duration:
        """How long a group believes in a member that is not heard of: one that was killed holds its partitions."""
        return Duration(int(self.properties.get(SESSION, str(SETTINGS[SESSION]))) * 1000)

    @property
    def agreement(self) -> Duration:
        """How long a group may take to agree on who takes what."""
        return Duration(self.session + self.patience)

    def connected(self, context: Context, work: Callable[[Line], T]) -> T:
        """Do something with messages, as far as they can be reached and read."""
        topics = [self.topic] if isinstance(self.topic, str) else self.topic
        if bool(topics) == bool(self.topic_pattern):
            raise TaskFailed("Exactly one of topic and topicPattern must be given.")
        broker = self.broker(context, SETTINGS)
        if self.topic_pattern and not self.group:
            raise TaskFailed("topicPattern needs a groupId.")
        with contextlib.ExitStack() as held:
            registry = Registry(self.serde_properties, held)
            read = (
                reader(self.key_deserializer, registry, self.key_avro_schema, key=True),
                reader(self.value_deserializer, registry, self.value_avro_schema, key=False),
            )
            unread = None
            if self.on_serde_error is not None:
                unread = held.enter_context(Unread(self.on_serde_error, context, self.broker(context)))
            kafka = library()
            held.enter_context(tidily())

            def held_open() -> T:
                with broker.consumer(group_id=self.group or f"penstock-{uuid.uuid4()}") as consumer:
                    # A consumer itself waits for ever for a broker that is not there.
                    broker.metadata(consumer)
                    return work(Line(kafka, broker, consumer, topics, read, unread, Share()))

            return broker.guarded(held_open)

    def begin(self, line: Line) -> list[Any]:
        """Say what is to be taken; gives messages that came while the group agreed on it."""
        kafka, consumer, topics = line.kafka, line.consumer, line.topics
        if self.group and not self.partitions and not self.since:
            return self._agreed(line)
        parts = [
            kafka.TopicPartition(topic, number)
            for topic in topics or self._matching(line)
            for number in self.partitions or line.broker.partitions(consumer, topic)
        ]
        if self.since:
            millis = epoch_millis(self.since) or 0
            asked = [kafka.TopicPartition(each.topic, each.partition, millis) for each in parts]
            parts = consumer.offsets_for_times(asked, line.broker.patience)
        else:
            for each in parts:
                each.offset = kafka.OFFSET_STORED if self.group else kafka.OFFSET_BEGINNING
        consumer.assign(parts)
        return []

    def _agreed(self, line: Line) -> list[Any]:
        for topic in line.topics:
            line.broker.partitions(line.consumer, topic)
        wanted = line.topics or [f"^{self.topic_pattern.removeprefix('^')}"]
        line.consumer.subscribe(wanted, on_assign=line.share.assigned, on_lost=line.share.lost)
        early: list[Any] = []
        waiting = Until(None, self.agreement)
        while not line.share.agreed:
            message = line.consumer.poll(0.1)
            # A pattern may match nothing yet.
            if message is not None and (line.topics or message.error() is None):
                early.append(message)
            if waiting.over:
                if not line.topics and not self._matching(line):
                    break
                raise TaskFailed(
                    f'The group "{self.group}" has not agreed on who takes what within {self.agreement.seconds:.0f} s.'
                )
        return early

    def _matching(self, line: Line) -> list[str]:
        names = line.broker.metadata(line.consumer).topics
        return [name for name in names if re.match(self.topic_pattern, name)]


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
    def agreement(self) -> Duration:
        """As long as it may take messages, at least."""
        return max(self.max_duration or Duration(0), super().agreement)

    def run(self, context: Context) -> Outputs:
        """Take them."""
        return self.taken(context)

    def taken(self, context: Context) -> dict[str, object]:
        """What there is, stored."""
        return self.connected(context, lambda line: self._take(context, line))

    def before(self, context: Context, line: Line) -> dict[str, object] | None:
        """What the step has taken already, and could not tell any more; one handed back has its number still."""
        return takes.found(line, self.group, context) if self.group else None

    def keep(self, context: Context, line: Line, ends: Ends, outputs: dict[str, object]) -> None:
        """Have the group go on behind what was taken."""
        takes.kept(line, ends, Take(takes.name_of(context), outputs))

    def _take(self, context: Context, line: Line) -> dict[str, object]:
        if (outputs := self.before(context, line)) is not None:
            context.log("They have been taken already.")
            return outputs
        unread, share = line.unread, line.share
        until = Until(self.max_records, self.max_duration, bounded=False)
        counts: dict[str, int] = {}
        with Writer(context) as writer:
            for message in self._messages(line, self.begin(line), until):
                if message.error():
                    raise line.broker.failure(message.error(), 0)
                until.count += 1
                share.take(message)
                try:
                    writer.write(told(message, line.read))
                except UnreadableMessage as error:
                    if unread is None:
                        raise UnreadableMessage(f"{place(message)}: {error.sentence}") from None
                    unread.take(message, error)
                else:
                    counts[message.topic()] = counts.get(message.topic(), 0) + 1
                share.written = writer.count
            outputs = {**_stored(context, writer, share), **(unread.done() if unread else {})}
            if self.group and share.ends:
                self.keep(context, line, share.ends, outputs)
        for topic, count in counts.items():
            context.metric("records", count, tags={"topic": topic})
            context.reads(self.place, topic, rows=count)
        return outputs

    def _messages(self, line: Line, early: list[Any], until: Until) -> Iterator[Any]:
        yield from early
        silent = time.monotonic()
        while not until.over:
            first = line.consumer.poll(until.wait(self.poll_duration.seconds))
            if first is None:
                if not self._was_there(line):
                    silent = time.monotonic()
                elif time.monotonic() - silent > self._silence(line):
                    return
                continue
            yield first
            if not until.over:
                # What is here already, without waiting for more.
                yield from line.consumer.consume(min(until.room or TOGETHER, TOGETHER), 0)
            silent = time.monotonic()

    def _silence(self, line: Line) -> float:
        """For how long none may come. Others that have partitions may have been killed: then theirs come to us."""
        if not line.share.agreed:
            return 0
        names = line.topics or self._matching(line)
        all_of = sum(len(line.broker.partitions(line.consumer, name)) for name in names)
        return 0 if len(line.consumer.assignment()) == all_of else self.session.seconds + SLOW

    @staticmethod
    def _was_there(line: Line) -> bool:
        """Whether the broker was there while none came: one that was away may have more."""
        began, said = time.monotonic(), len(line.broker.said)
        line.broker.metadata(line.consumer)
        line.broker.said.clear()
        return not said and time.monotonic() - began < SLOW


def _stored(context: Context, writer: Writer, share: Share) -> dict[str, object]:
    """Store what was taken, without what another member of the group takes now."""
    if share.torn:
        with Writer(context, "ours.jsonl") as ours:
            for record in share.ours(writer.records()):
                ours.write(record)
            return _stored(context, ours, Share())
    return {"messagesCount": writer.count, "uri": writer.done()["uri"]}


def place(message: Any) -> str:
    """Where a message stands."""
    return f"{message.topic()}, partition {message.partition()}, offset {message.offset()}"


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
