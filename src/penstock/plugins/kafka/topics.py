"""How does a flow make, look at and take away topics of Kafka?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct, field

from penstock.plugins.kafka import options
from penstock.plugins.kafka.options import BROKER, SECONDS, KafkaTask
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

# Kafka's own names for what it refuses that is as it should be already.
THERE: Final = "TOPIC_ALREADY_EXISTS"
GONE: Final = "UNKNOWN_TOPIC_OR_PART"
Count = Annotated[int, Meta(ge=1)]


class Topic(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A topic as it is to be; partitions and replication are the broker's own where they are not given."""

    name: Annotated[str, Meta(description="Its name.", min_length=1, max_length=249)]
    partitions: Annotated[Count | None, Meta(description="How many partitions.")] = None
    replication_factor: Annotated[Count | None, Meta(description="On how many brokers.")] = None
    config: Annotated[dict[str, str], Meta(description="Its settings.", examples=[{"retention.ms": "86400000"}])] = (
        field(default_factory=dict)
    )


class CreateTopics(KafkaTask, frozen=True, kw_only=True):
    """Make topics, unless they are there; one that is there with other partitions than are wanted is an error."""

    type_name: ClassVar[str] = "kafka.create_topics"
    outputs: ClassVar[dict[str, str]] = {
        "created": "Names of those that were made.",
        "existing": "Names of those that were there.",
    }
    example: ClassVar[dict[str, object]] = {
        "properties": BROKER,
        "topics": [{"name": "trips", "partitions": 2, "config": {"retention.ms": "86400000"}}],
    }

    topics: Annotated[list[Topic], Meta(description="The topics.", min_length=1)]

    def run(self, context: Context) -> dict[str, object]:
        """Make them."""
        kafka = options.library()
        admin = options.admin(self.told(context))
        fresh = [
            kafka.admin.NewTopic(
                each.name,
                num_partitions=each.partitions or -1,
                replication_factor=each.replication_factor or -1,
                config=dict(each.config),
            )
            for each in self.topics
        ]
        futures = admin.create_topics(fresh, request_timeout=SECONDS)
        refused = {name: _refusal(future) for name, future in futures.items()}
        for name, error in refused.items():
            if error is not None and error.name() != THERE:
                raise TaskFailed(f'The topic "{name}" could not be made: {error.str()}')
        there = sorted(name for name, error in refused.items() if error is not None)
        self._compare(admin, there)
        return {"created": sorted(set(refused) - set(there)), "existing": there}

    def _compare(self, admin: Any, there: list[str]) -> None:
        wanted = {each.name: each.partitions for each in self.topics if each.partitions is not None}
        for name in there:
            has = len(admin.list_topics(name, timeout=SECONDS).topics[name].partitions)
            if name in wanted and has != wanted[name]:
                raise TaskFailed(f'The topic "{name}" is there with {has} partitions, not {wanted[name]}.')


class DescribeTopics(KafkaTask, frozen=True, kw_only=True):
    """Tell of topics how many messages each partition holds, from which offset to which."""

    type_name: ClassVar[str] = "kafka.describe_topics"
    outputs: ClassVar[dict[str, str]] = {
        "topics": "Of each topic by its name: messages, and its partitions with first and end (one behind the last).",
    }
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "names": ["trips"]}

    names: Annotated[list[str], Meta(description="The topics; all where none is named.")] = field(default_factory=list)

    def run(self, context: Context) -> dict[str, object]:
        """Look at them."""
        asked = self.told(context)
        names = self.names or [name for name in options.topics(asked) if not name.startswith("__")]
        ends = options.ends(asked, names)
        told = {
            name: {
                "messages": sum(end - first for first, end in parts.values()),
                "partitions": [
                    {"partition": number, "first": first, "end": end} for number, (first, end) in sorted(parts.items())
                ],
            }
            for name, parts in ends.items()
        }
        return {"topics": told}


class DeleteTopics(KafkaTask, frozen=True, kw_only=True):
    """Take topics away with all that they hold; those that are not there are none to take away."""

    type_name: ClassVar[str] = "kafka.delete_topics"
    outputs: ClassVar[dict[str, str]] = {"deleted": "Names of those that are gone by this."}
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "names": ["trips-old"]}

    names: Annotated[list[str], Meta(description="The topics.", min_length=1)]

    def run(self, context: Context) -> dict[str, object]:
        """Take them away."""
        admin = options.admin(self.told(context))
        futures = admin.delete_topics(self.names, request_timeout=SECONDS)
        refused: Mapping[str, Any] = {name: _refusal(future) for name, future in futures.items()}
        for name, error in refused.items():
            if error is not None and error.name() != GONE:
                raise TaskFailed(f'The topic "{name}" could not be taken away: {error.str()}')
        return {"deleted": sorted(name for name, error in refused.items() if error is None)}


def _refusal(future: Any) -> Any:
    """What the broker says against it; None where it has done it."""
    kafka = options.library()
    try:
        future.result(SECONDS)
    except kafka.KafkaException as error:
        return error.args[0]
    return None
