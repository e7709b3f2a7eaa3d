"""What becomes of a message that cannot be read? It is passed by, kept in a file, or sent on to another topic."""

from __future__ import annotations

import enum
from types import TracebackType
from typing import IO, Annotated, Any, Final, Self

import msgspec
from msgspec import Meta

from penstock.plugins.kafka.broker import Broker, library
from penstock.sdk.context import Context, Level
from penstock.sdk.task import TaskFailed

FILE: Final = "unread.jsonl"
WHY: Final = "penstock.error"


class Behaviour(enum.StrEnum):
    """What is done with such a message, besides passing it by."""

    SKIPPED = "SKIPPED"
    STORE = "STORE"
    DLQ = "DLQ"


class OnSerdeError(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What becomes of messages that cannot be read."""

    type: Annotated[
        Behaviour,
        Meta(description="SKIPPED: passed by; STORE: kept in a file, too (`unreadUri`); DLQ: sent on as they are."),
    ] = Behaviour.SKIPPED
    topic: Annotated[str, Meta(description="Where to they are sent (DLQ).", examples=["orders-unread"])] = ""


class Unread:
    """Where such messages go; open while messages are taken."""

    def __init__(self, wanted: OnSerdeError, context: Context, broker: Broker) -> None:
        """`broker` is where they are sent on to."""
        if wanted.type is Behaviour.DLQ and not wanted.topic:
            raise TaskFailed("onSerdeError needs a topic for DLQ.")
        self.count = 0
        self._topic = wanted.topic
        self._context = context
        self._broker = broker
        self._failures: list[str] = []
        self._file: IO[bytes] | None = None
        self._producer: Any = None
        if wanted.type is Behaviour.STORE:
            self._file = (context.workdir / FILE).open("wb")
        if wanted.type is Behaviour.DLQ:
            self._producer = library().Producer(dict(broker.asked))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, message: Any, error: TaskFailed) -> None:
        """Deal with one."""
        self.count += 1
        place = f"{message.topic()}, partition {message.partition()}, offset {message.offset()}"
        self._context.log(f"{error.sentence} Passed by: {place}.", Level.WARN)
        if self._file is not None:
            self._file.write(msgspec.json.encode(as_record(message, error)) + b"\n")
        if self._producer is not None:
            self._send(message, error)

    def done(self) -> dict[str, object]:
        """What the task tells of them; TaskFailed when not all could be sent on."""
        if self._producer is not None:
            left = self._producer.flush(self._broker.patience)
            if self._failures or left:
                why = self._failures[0] if self._failures else f"{left} wait"
                raise TaskFailed(f'"{self._topic}" has not taken all that could not be read: {why}.')
        told: dict[str, object] = {"unreadCount": self.count}
        if self._file is not None:
            self._file.close()
            told["unreadUri"] = self._context.store(self._context.workdir / FILE)
        return told

    def _send(self, message: Any, error: TaskFailed) -> None:
        def done(problem: object, sent: object) -> None:
            if problem is not None:
                self._failures.append(str(problem))

        headers = [*(message.headers() or ()), (WHY, error.sentence.encode())]
        while True:
            try:
                self._producer.produce(
                    self._topic, key=message.key(), value=message.value(), headers=headers, on_delivery=done
                )
            except BufferError:
                self._producer.poll(1)
            else:
                self._producer.poll(0)
                return


def as_record(message: Any, error: TaskFailed) -> dict[str, object]:
    """A message that could not be read, as text, with where it stands and why."""
    return {
        "key": _text(message.key()),
        "value": _text(message.value()),
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "error": error.sentence,
    }


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "backslashreplace")
