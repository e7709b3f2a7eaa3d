"""How do messages get to the broker, and how is a transaction there once, although its task was killed behind it?

A transaction keeps, beside its messages, an offset of a group that is named after the step: whoever tries the step
again finds it, or nothing, as the transaction itself was there or not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any, Final, NamedTuple

from penstock.errors.task import NoAnswer
from penstock.plugins.kafka.broker import REFUSED, Broker, library
from penstock.sdk.context import Context, Level

EVERY: Final = 1000


class Mark(NamedTuple):
    """The place where a step's transaction leaves its note; `work` is what the step is to send."""

    broker: Broker
    context: Context
    work: str
    topic: str

    @property
    def group(self) -> str:
        """The group whose offset it is."""
        return f"penstock/{self.context.idempotency_key}"

    def found(self) -> bool:
        """Whether the step has come to the end of its transaction already; no where nobody may ask."""
        kafka = library()
        admin = self.broker.admin()
        place = [kafka.ConsumerGroupTopicPartitions(self.group, [kafka.TopicPartition(self.topic, 0)])]

        def ask(seconds: float) -> Any:
            futures = admin.list_consumer_group_offsets(place, require_stable=True, request_timeout=seconds)
            (part,) = futures[self.group].result(seconds).topic_partitions
            if part.error is not None:
                raise kafka.KafkaException(part.error)
            return part

        try:
            part = self.broker.patiently(ask)
        except kafka.KafkaException as error:
            if error.args[0].name().endswith(REFUSED):
                return False  # who may not ask may not leave a mark either, and is told of it then
            raise
        return bool(part.offset >= 0 and part.metadata == self.work)

    def put(self, producer: Any, group: Any) -> None:
        """Have the open transaction leave it."""
        place = [library().TopicPartition(self.topic, 0, 0, self.work)]

        def leave(seconds: float) -> None:
            # The library keeps to no time here where the broker has gone away and come back.
            beside: Future[None] = Future()
            Thread(target=_done, args=(beside, producer, place, group, seconds), daemon=True).start()
            beside.result(seconds + 1)

        self.broker.patiently(leave)


def _done(told: Future[None], producer: Any, place: list[Any], group: Any, seconds: float) -> None:
    try:
        told.set_result(producer.send_offsets_to_transaction(place, group, seconds))
    except Exception as error:
        told.set_exception(error)


class Sending(NamedTuple):
    """Messages on their way."""

    broker: Broker
    context: Context

    def all(self, messages: Iterator[dict[str, Any]]) -> int:
        """Send them as they come."""
        return self._hand_over(library().Producer(dict(self.broker.asked)), messages)

    def once(self, first: dict[str, Any], more: Iterator[dict[str, Any]], mark: Mark) -> int:
        """Send them in a transaction, unless it has been there already."""
        kafka = library()
        producer = kafka.Producer(dict(self.broker.asked))
        # Whatever an attempt before has left open is given up by this.
        self.broker.patiently(producer.init_transactions)
        # The first attempt looks, too: one that a stopping worker hands back begins anew under its number.
        if mark.found():
            self.context.log("They have been sent already.")
            return 1 + sum(1 for _ in more)
        with contextlib.closing(kafka.Consumer({"group.id": mark.group, "log_level": 0})) as named:
            group = named.consumer_group_metadata()
        producer.begin_transaction()
        try:
            self._begin(producer, first, mark, group)
            count = 1 + self._hand_over(producer, more, 2)
        except BaseException:
            with contextlib.suppress(kafka.KafkaException):
                producer.abort_transaction(self.broker.patience)
            raise
        self.broker.patiently(producer.commit_transaction)
        return count

    def _begin(self, producer: Any, first: dict[str, Any], mark: Mark, group: Any) -> None:
        """Send the first message, by which its topic is there, and leave the mark, where that is allowed."""
        self._hand_over(producer, iter([first]), 1)
        try:
            mark.put(producer, group)
        except library().KafkaException as error:
            problem = error.args[0]
            if not problem.name().endswith(REFUSED):
                raise
            self.context.log(
                f'Not allowed to read as the group "{mark.group}": {problem.str()}. So an attempt that is killed right '
                "behind its transaction sends again.",
                Level.WARN,
            )
            producer.abort_transaction(self.broker.patience)
            producer.begin_transaction()
            self._hand_over(producer, iter([first]), 1)

    def _hand_over(self, producer: Any, messages: Iterator[dict[str, Any]], begin: int = 1) -> int:
        """Send messages, which are counted from `begin` on, and wait until they are there; gives how many."""
        failures: list[tuple[str, Any]] = []

        def done(number: int, error: Any, sent: Any) -> None:
            if error is not None:
                failures.append((f'Message {number} to "{sent.topic()}"', error))

        number = begin - 1
        for number, message in enumerate(messages, begin):
            self._put(producer, message, partial(done, number), number)
            if failures:
                break
            if number % EVERY == 0:
                self.context.progress(number, unit="messages")
        self._flush(producer, failures)
        return number - begin + 1

    def _put(self, producer: Any, message: dict[str, Any], done: Any, number: int) -> None:
        kafka, began = library(), 0.0
        while True:
            try:
                producer.produce(**message, on_delivery=done)
            except BufferError:
                began = began or time.monotonic()
                if (took := time.monotonic() - began) > self.broker.patience:
                    raise self._stuck(len(producer), took) from None
                producer.poll(0.1)
            except kafka.KafkaException as error:
                raise self.broker.failure(error.args[0], 0, f'Message {number} to "{message["topic"]}"') from error
            else:
                producer.poll(0)
                return

    def _flush(self, producer: Any, failures: list[tuple[str, Any]]) -> None:
        """Wait until all are there, as long as some get there."""
        began = moved = time.monotonic()
        left = len(producer)
        while not failures and left and time.monotonic() - moved < self.broker.patience:
            now = producer.flush(1)
            left, moved = now, time.monotonic() if now < left else moved
        if failures:
            raise self.broker.failure(failures[0][1], time.monotonic() - began, failures[0][0])
        if left:
            raise self._stuck(left, time.monotonic() - began)

    def _stuck(self, left: int, took: float) -> NoAnswer:
        last = f": {self.broker.said[-1]}" if self.broker.said else ""
        return NoAnswer(f"Kafka at {self.broker.address} has not taken {left} messages in {took:.0f} s{last}.")
