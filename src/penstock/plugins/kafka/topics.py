"""How does a flow make, look at and take away topics of Kafka?"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct, field

from penstock.model.asset import Change, Details
from penstock.plugins.kafka.broker import Broker, library
from penstock.plugins.kafka.options import BROKER, KafkaTask
from penstock.sdk.context import Context
from penstock.sdk.task import TaskFailed

# Kafka's own names for what it refuses that is as it should be already.
THERE: Final = "TOPIC_ALREADY_EXISTS"
GONE: Final = "UNKNOWN_TOPIC_OR_PART"
Count = Annotated[int, Meta(ge=1)]


class IfDiffers(enum.StrEnum):
    """What becomes of a topic that is there, and is not as it is wanted."""

    FAIL = "FAIL"
    CHANGE = "CHANGE"
    KEEP = "KEEP"


class Topic(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A topic as it is to be; partitions and replication are the broker's own where they are not given."""

    name: Annotated[str, Meta(description="Its name.", min_length=1, max_length=249)]
    partitions: Annotated[Count | None, Meta(description="How many partitions.")] = None
    replication_factor: Annotated[Count | None, Meta(description="On how many brokers.")] = None
    config: Annotated[dict[str, str], Meta(description="Its settings.", examples=[{"retention.ms": "86400000"}])] = (
        field(default_factory=dict)
    )


class CreateTopics(KafkaTask, frozen=True, kw_only=True):
    """Make topics, unless they are there; one that is there and differs is an error, or is changed (ifDiffers)."""

    type_name: ClassVar[str] = "kafka.create_topics"
    outputs: ClassVar[dict[str, str]] = {
        "created": "Names of those that were made.",
        "existing": "Names of those that were there.",
        "changed": "Of those that were there and were changed, by name, what was changed.",
    }
    example: ClassVar[dict[str, object]] = {
        "properties": BROKER,
        "topics": [{"name": "trips", "partitions": 2, "config": {"retention.ms": "86400000"}}],
    }

    topics: Annotated[list[Topic], Meta(description="The topics.", min_length=1)]
    if_differs: Annotated[
        IfDiffers,
        Meta(
            description="What becomes of one that is there with other partitions or settings: FAIL; CHANGE has it get "
            "more partitions (never fewer: that fails) and the settings; KEEP leaves it."
        ),
    ] = IfDiffers.FAIL

    def run(self, context: Context) -> dict[str, object]:
        """Make them."""
        broker = self.broker(context)
        admin = broker.admin()
        broker.metadata(admin)
        fresh = [
            library().admin.NewTopic(
                each.name,
                num_partitions=each.partitions or -1,
                replication_factor=each.replication_factor or -1,
                config=dict(each.config),
            )
            for each in self.topics
        ]
        futures = admin.create_topics(fresh, request_timeout=broker.patience)
        refused = {name: refusal(broker, future) for name, future in futures.items()}
        for name, error in refused.items():
            if error is not None and error.name() != THERE:
                raise broker.failure(error, broker.patience, f'The topic "{name}" could not be made')
        there = {name for name, error in refused.items() if error is not None}
        changed: dict[str, list[str]] = {}
        for each in self.topics:
            if each.name in there and self.if_differs is not IfDiffers.KEEP:
                changed |= self._compare(broker, admin, each)
        created = sorted(set(refused) - there)
        for name in created:
            context.writes(self.place, name, more=Details(change=Change.CREATE))
        for name in changed:
            context.writes(self.place, name, more=Details(change=Change.ALTER))
        return {"created": created, "existing": sorted(there), "changed": changed}

    def _compare(self, broker: Broker, admin: Any, wanted: Topic) -> dict[str, list[str]]:
        has = len(broker.partitions(admin, wanted.name))
        found = settings(broker, admin, [wanted.name])[wanted.name] if wanted.config else {}
        other = {name: value for name, value in wanted.config.items() if not same(value, found.get(name))}
        told = [f"{name}: {found.get(name)}, not {value}" for name, value in other.items()]
        more = wanted.partitions is not None and wanted.partitions > has
        if wanted.partitions not in (None, has):
            told.insert(0, f"partitions: {has}, not {wanted.partitions}")
        if not told:
            return {}
        if self.if_differs is IfDiffers.FAIL or (wanted.partitions is not None and wanted.partitions < has):
            raise TaskFailed(f'The topic "{wanted.name}" is there and differs: {"; ".join(told)}.')
        if more:
            asked = [library().admin.NewPartitions(wanted.name, wanted.partitions)]
            done(broker, admin.create_partitions(asked, request_timeout=broker.patience), wanted.name)
        if other:
            done(broker, admin.incremental_alter_configs([_altered(wanted.name, other)]), wanted.name)
        return {wanted.name: told}


class DescribeTopics(KafkaTask, frozen=True, kw_only=True):
    """Tell of topics how many messages each partition holds, from which offset to which, who leads it, and the settings
    that are the topic's own.
    """

    type_name: ClassVar[str] = "kafka.describe_topics"
    outputs: ClassVar[dict[str, str]] = {
        "topics": "Of each topic by its name: messages, config, and its partitions with first and end (one behind the "
        "last offset; in a transaction's topic fewer are messages), leader, replicas and inSync.",
    }
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "names": ["trips"]}

    names: Annotated[list[str], Meta(description="The topics; all where none is named.")] = field(default_factory=list)

    def run(self, context: Context) -> dict[str, object]:
        """Look at them."""
        broker = self.broker(context)
        admin = broker.admin()
        names = self.names or [name for name in broker.topics() if not name.startswith("__")]
        ends = broker.ends(names)
        own = settings(broker, admin, names, own=True) if names else {}
        about = broker.metadata(admin).topics
        told = {}
        for name, spans in ends.items():
            led = about[name].partitions
            parts = [
                {
                    "partition": number,
                    "first": first,
                    "end": end,
                    "leader": led[number].leader,
                    "replicas": list(led[number].replicas),
                    "inSync": list(led[number].isrs),
                }
                for number, (first, end) in sorted(spans.items())
            ]
            messages = sum(end - first for first, end in spans.values())
            told[name] = {"messages": messages, "config": own[name], "partitions": parts}
            context.reads(self.place, name, rows=messages)
        return {"topics": told}


class DeleteTopics(KafkaTask, frozen=True, kw_only=True):
    """Take topics away with all that they hold; those that are not there are none to take away."""

    type_name: ClassVar[str] = "kafka.delete_topics"
    outputs: ClassVar[dict[str, str]] = {"deleted": "Names of those that are gone by this."}
    example: ClassVar[dict[str, object]] = {"properties": BROKER, "names": ["trips-old"]}

    names: Annotated[list[str], Meta(description="The topics.", min_length=1)]

    def run(self, context: Context) -> dict[str, object]:
        """Take them away."""
        broker = self.broker(context)
        admin = broker.admin()
        broker.metadata(admin)
        futures = admin.delete_topics(self.names, request_timeout=broker.patience)
        refused: Mapping[str, Any] = {name: refusal(broker, future) for name, future in futures.items()}
        for name, error in refused.items():
            if error is not None and error.name() != GONE:
                raise broker.failure(error, broker.patience, f'The topic "{name}" could not be taken away')
        deleted = sorted(name for name, error in refused.items() if error is None)
        for name in deleted:
            context.writes(self.place, name, more=Details(change=Change.DROP))
        return {"deleted": deleted}


def refusal(broker: Broker, future: Any) -> Any:
    """What the broker says against it; None where it has done it."""
    try:
        future.result(broker.patience)
    except library().KafkaException as error:
        return error.args[0]
    return None


def done(broker: Broker, futures: Mapping[Any, Any], name: str) -> None:
    """Wait until a change of a topic is made; TaskFailed where it is refused."""
    for future in futures.values():
        if (error := refusal(broker, future)) is not None:
            raise broker.failure(error, broker.patience, f'The topic "{name}" could not be changed')


def settings(broker: Broker, admin: Any, names: list[str], *, own: bool = False) -> dict[str, dict[str, str]]:
    """The settings of topics; `own`: only those that were made for the topic."""
    kafka = library().admin
    asked = [kafka.ConfigResource(kafka.ResourceType.TOPIC, name) for name in names]
    futures = admin.describe_configs(asked, request_timeout=broker.patience)
    source = kafka.ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    found: dict[str, dict[str, str]] = {}
    for resource, future in futures.items():
        entries = broker.guarded(partial(future.result, broker.patience)).values()
        found[resource.name] = {
            each.name: each.value for each in entries if each.value is not None and (not own or each.source == source)
        }
    return found


def same(wanted: str, found: str | None) -> bool:
    """Whether two values of a setting mean the same: lists have no order, yes and no no capitals."""
    if found is None:
        return False
    one, other = ({part.strip() for part in each.lower().split(",")} for each in (wanted, found))
    return one == other


def _altered(name: str, values: Mapping[str, str]) -> Any:
    kafka = library().admin
    entries = [
        kafka.ConfigEntry(each, value, incremental_operation=kafka.AlterConfigOpType.SET)
        for each, value in values.items()
    ]
    return kafka.ConfigResource(kafka.ResourceType.TOPIC, name, incremental_configs=entries)
