"""How is a broker asked, and what is said where it refuses, or where nobody is there?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from penstock.errors.task import MissingExtra, NoAnswer
from penstock.sdk.task import TaskFailed

T = TypeVar("T")
# What only a consumer or a producer is told.
OF_CLIENTS: Final = frozenset(
    {
        "auto.offset.reset",
        "enable.auto.commit",
        "enable.idempotence",
        "group.id",
        "isolation.level",
        "queue.buffering.max.kbytes",
        "topic.metadata.propagation.max.ms",
        "transaction.timeout.ms",
        "transactional.id",
    }
)
# Kafka's own names of what is wrong.
AWAY: Final = frozenset(
    {
        "_ALL_BROKERS_DOWN",
        "_MSG_TIMED_OUT",
        "_RESOLVE",
        "_TIMED_OUT",
        "_TIMED_OUT_QUEUE",
        "_TRANSPORT",
        "BROKER_NOT_AVAILABLE",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "NETWORK_EXCEPTION",
        "REQUEST_TIMED_OUT",
    }
)
NO_TOPIC: Final = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})
TOO_LARGE: Final = frozenset({"MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"})
REFUSED: Final = "_AUTHORIZATION_FAILED"
AGAIN: Final = 0.2


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """A broker: what a client of it is told, how long it may be away, in seconds, and what clients have last said."""

    asked: Mapping[str, object]
    patience: float
    said: list[str] = msgspec.field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self.asked.get("bootstrap.servers", ""))

    def guarded(self, work: Callable[[], T]) -> T:
        """Do what may fail at the broker or in the client; raises TaskFailed, and NoAnswer where nobody is there."""
        kafka, began = library(), time.monotonic()
        try:
            return work()
        except kafka.KafkaException as error:
            raise self.failure(error.args[0] if error.args else error, time.monotonic() - began) from error
        except TimeoutError as error:
            raise self.absent(time.monotonic() - began, "no answer came") from error

    def failure(self, problem: Any, took: float, what: str = "") -> TaskFailed:
        """What a task says of a problem that the client has, which has tried for so many seconds; `what` is about."""
        name = problem.name() if hasattr(problem, "name") else ""
        told = problem.str() if hasattr(problem, "str") else str(problem)
        about = f"{what}: " if what else ""
        if name in AWAY:
            return self.absent(took, told, about)
        if name in NO_TOPIC:
            return TaskFailed(f"{about}There is no such topic, or partition of it, at {self.address}: {told}.")
        if name in TOO_LARGE:
            return TaskFailed(
                f"{about}A message is larger than may be sent: {told}. message.max.bytes (properties) says what the "
                "client sends, max.message.bytes what the topic takes."
            )
        if name.endswith(REFUSED):
            return TaskFailed(f"{about}Kafka at {self.address} does not allow it to this user: {told}.")
        return TaskFailed(f"{about}Kafka at {self.address}: {told}.")

    def absent(self, took: float, told: str, about: str = "") -> TaskFailed:
        """That nobody is there, with the last that the client has said of it."""
        last = f" ({self.said[-1]})" if self.said and self.said[-1] != told else ""
        return NoAnswer(f"{about}Kafka at {self.address} does not answer; it was tried for {took:.0f} s: {told}{last}.")

    def patiently(self, work: Callable[[float], T]) -> T:
        """Do something again while the client says that it may be: for so many seconds as it is given."""
        kafka, until = library(), time.monotonic() + self.patience
        while True:
            try:
                return work(max(1.0, until - time.monotonic()))
            except kafka.KafkaException as error:
                problem = error.args[0]
                passing = problem.retriable() or problem.name().startswith("COORDINATOR_")
                if not passing or time.monotonic() >= until:
                    raise
                time.sleep(AGAIN)

    def admin(self) -> Any:
        """Who manages topics and groups; keep it while its answers are awaited."""
        library()
        from confluent_kafka.admin import AdminClient

        told: dict[str, Any] = {name: value for name, value in self.asked.items() if name not in OF_CLIENTS}
        return AdminClient(told)

    @contextlib.contextmanager
    def consumer(self, **more: object) -> Iterator[Any]:
        """A consumer, closed in the end; settings with `_` for dots."""
        told = {**self.asked, **{name.replace("_", "."): value for name, value in more.items()}}
        with contextlib.closing(library().Consumer(told)) as made:
            yield made

    def metadata(self, client: Any, *topic: str) -> Any:
        """What a client is told of a topic, or of all."""
        return self.guarded(lambda: client.list_topics(*topic, timeout=self.patience))

    def topics(self) -> list[str]:
        """The names of all topics."""
        return sorted(self.metadata(self.admin()).topics)

    def ends(self, names: list[str]) -> dict[str, dict[int, tuple[int, int]]]:
        """Of each partition of topics the first offset and the one behind the last; TaskFailed for unknown ones."""
        kafka = library()
        found: dict[str, dict[int, tuple[int, int]]] = {}
        with self.consumer(group_id="penstock-looks", enable_auto_commit="false") as consumer:
            for name in names:
                parts = [kafka.TopicPartition(name, number) for number in self.partitions(consumer, name)]
                found[name] = self.guarded(partial(self._span, consumer, parts))
        return found

    def _span(self, consumer: Any, parts: list[Any]) -> dict[int, tuple[int, int]]:
        return {part.partition: consumer.get_watermark_offsets(part, self.patience) for part in parts}

    def partitions(self, client: Any, topic: str) -> list[int]:
        """The numbers of a topic's partitions; TaskFailed where there is none of the name."""
        about = self.metadata(client, topic).topics[topic]
        if about.error is not None:
            raise self.missing(topic, about.error)
        return sorted(about.partitions)

    def missing(self, topic: str, problem: Any) -> TaskFailed:
        """That a topic is not there, or not for this user."""
        if problem.name() in NO_TOPIC:
            return TaskFailed(f'There is no topic "{topic}" at {self.address}.')
        return self.failure(problem, 0, f'The topic "{topic}"')


def library() -> Any:
    """The library; MissingExtra when it is not installed."""
    try:
        import confluent_kafka
    except ImportError:
        raise MissingExtra(
            "Kafka needs the package confluent-kafka.", hint="Install it with `pip install 'penstock[kafka]'`."
        ) from None
    return confluent_kafka
