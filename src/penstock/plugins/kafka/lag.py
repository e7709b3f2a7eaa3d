"""How far is a group of consumers behind, and when has it caught up?"""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from penstock.plugins.kafka.broker import Broker, library
from penstock.plugins.kafka.options import BROKER, KafkaTask
from penstock.plugins.messages.payload import SPAN
from penstock.sdk.context import Context, MetricKind
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

OUTPUTS = {
    "lag": "How many messages it is behind, over all partitions.",
    "topics": "The same by topic.",
    "messages": "How many messages the topics have had, over all partitions.",
}


class OfGroup(KafkaTask, frozen=True, kw_only=True):
    """What is declared by all that are about a group."""

    group_id: Annotated[str, Meta(description="The group: of a consumer, or of a job of Flink's.", min_length=1)]
    topics: Annotated[list[str], Meta(description="Topics that it takes from; those that it has taken from.")] = field(
        default_factory=list
    )

    def behind(self, broker: Broker) -> dict[str, object]:
        """How far it is behind now: a partition that it has kept no offset of counts whole."""
        kept = _kept(broker, self.group_id)
        names = self.topics or sorted({topic for topic, _ in kept})
        if not names:
            raise TaskFailed(f'The group "{self.group_id}" has taken from no topic; name them in topics.')
        by_topic: dict[str, int] = {}
        messages = 0
        for name, parts in broker.ends(names).items():
            by_topic[name] = sum(
                end - max(first, kept.get((name, number), first)) for number, (first, end) in parts.items()
            )
            messages += sum(end for _, end in parts.values())
        return {"lag": sum(by_topic.values()), "topics": by_topic, "messages": messages}


class Lag(OfGroup, frozen=True, kw_only=True):
    """Tell how many messages a group is behind."""

    type_name: ClassVar[str] = "kafka.lag"
    outputs: ClassVar[dict[str, str]] = OUTPUTS
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "groupId": "warehouse"}

    def run(self, context: Context) -> dict[str, object]:
        """Look."""
        found: dict[str, object] = self.behind(self.broker(context))
        context.metric("lag", int(str(found["lag"])), MetricKind.GAUGE, {"group": self.group_id})
        return found


class WaitForGroup(OfGroup, frozen=True, kw_only=True):
    """Wait until a group has taken all that the topics hold, with its progress shown. Of a job of Flink's that is when
    its last checkpoint holds all: the offsets that it keeps are those of its checkpoints.
    """

    type_name: ClassVar[str] = "kafka.wait_for_group"
    outputs: ClassVar[dict[str, str]] = {**OUTPUTS, "seconds": "How long it took."}
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "groupId": "warehouse", "topics": ["orders"]}

    max_lag: Annotated[int, Meta(description="So many messages behind are near enough.", ge=0)] = 0
    max_duration: Annotated[Duration | None, Meta(description="Fail when it takes longer than this.", extra=SPAN)] = (
        None
    )
    interval: Annotated[Duration, Meta(description="How often it is looked.", extra=SPAN)] = Duration(500_000)

    def run(self, context: Context) -> dict[str, object]:
        """Wait."""
        broker, began = self.broker(context), time.monotonic()
        while True:
            found: dict[str, Any] = self.behind(broker)
            took = time.monotonic() - began
            context.progress(found["messages"] - found["lag"], found["messages"], "messages")
            if found["lag"] <= self.max_lag:
                return {**found, "seconds": round(took, 3)}
            if self.max_duration is not None and took > self.max_duration.seconds:
                raise TaskFailed(f'After {took:.0f} s the group "{self.group_id}" is {found["lag"]} messages behind.')
            time.sleep(self.interval.seconds)


def _kept(broker: Broker, group: str) -> dict[tuple[str, int], int]:
    """The offsets that a group keeps, by topic and partition."""
    wanted = [library().ConsumerGroupTopicPartitions(group)]
    admin = broker.admin()
    broker.metadata(admin)

    def ask(seconds: float) -> Any:
        return admin.list_consumer_group_offsets(wanted, request_timeout=seconds)[group].result(seconds)

    found = broker.guarded(lambda: broker.patiently(ask)).topic_partitions
    return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}
