"""What does an attempt's process say besides its text? Frames of JSON on its channel, and answers to its questions."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import struct
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.errors.work import BadAnswer
from penstock.model.asset import Access, Details, Touched
from penstock.model.event import Exit, Order
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import Outcome, StepStatus
from penstock.services.worker.ending import Told
from penstock.store.metrics import Metric, MetricKind

LENGTH: Final = struct.Struct(">I")
LONGEST: Final = 256 * 1024 * 1024
ANSWER_PATIENCE: Final = 60_000
LONGEST_NAME: Final = 1_000
LONGEST_SQL: Final = 20_000
MOST_DETAILS: Final = 1_000
DETAILS: Final = Details.__struct_fields__


class Channel:
    """The worker's end of a process's socket; closes with the attempt."""

    def __init__(self, sock: socket.socket, heard: Callable[[dict[str, object]], None]) -> None:
        self._socket = sock
        self._heard = heard
        self._rest = bytearray()

    def read(self) -> bool:
        """Take what has come; False when the other end is closed. BadAnswer when it makes no sense."""
        try:
            data = self._socket.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        self._rest += data
        while len(self._rest) >= LENGTH.size:
            size = LENGTH.unpack_from(self._rest)[0]
            if size > LONGEST:
                raise BadAnswer(f"The process sent a message of {size} bytes on its channel.")
            if len(self._rest) < LENGTH.size + size:
                break
            body = bytes(self._rest[LENGTH.size : LENGTH.size + size])
            del self._rest[: LENGTH.size + size]
            try:
                frame = msgspec.json.decode(body, type=dict[str, object])
            except msgspec.MsgspecError as error:
                raise BadAnswer(f"The process sent what is no message on its channel: {error}.") from error
            self._heard(frame)
        return True

    def send(self, frame: dict[str, object]) -> None:
        """Send an answer, waiting for a reader that is slow; for threads other than the reactor's."""
        body = msgspec.json.encode(frame)
        left = memoryview(LENGTH.pack(len(body)) + body)
        with contextlib.suppress(OSError, ValueError):
            poll = select.poll()
            poll.register(self._socket, select.POLLOUT)
            while left and poll.poll(ANSWER_PATIENCE):
                left = left[self._socket.send(left) :]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def read_outcome(frame: dict[str, object]) -> Told:
    """An outcome frame as a value. BadAnswer when it makes no sense."""
    told = frame.get("failure")
    failure = None
    if isinstance(told, dict):
        code = told.get("exit_code")
        failure = Failure(
            _kind(str(told.get("kind", ""))),
            str(told.get("message", "")),
            code if isinstance(code, int) else None,
            str(told.get("code") or ""),
        )
    try:
        outcome = Outcome(str(frame.get("outcome")))
    except ValueError:
        raise BadAnswer(f'The process told an outcome "{frame.get("outcome")}", which does not exist.') from None
    outputs = frame.get("outputs")
    wait = frame.get("wait")
    return Told(
        outcome,
        outputs if isinstance(outputs, dict) else {},
        failure,
        str(frame.get("message") or ""),
        float(wait) if isinstance(wait, int | float) else None,
    )


# Looked at when nobody else runs: two threads that have msgspec do so for the first time crash Python.
SEEN: Final[msgspec.json.Decoder[Order]] = msgspec.json.Decoder(Order)


def read_order(frame: dict[str, object]) -> Order:
    """What a task orders its run. BadAnswer when it makes no sense."""
    try:
        order: Order = msgspec.convert(frame.get("order"), Order)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"The process gave an order that makes no sense: {error}.") from error
    if isinstance(order, Exit) and (not order.status.ended or order.status is StepStatus.SKIPPED):
        raise BadAnswer(f"A run cannot end as {order.status}.")
    return order


def read_metric(step: str, attempt: int, frame: dict[str, object], now: int) -> Metric:
    """A number that a process reported. BadAnswer when it is none."""
    value = frame.get("value")
    tags = frame.get("tags")
    word = str(frame.get("kind") or frame.get("type") or "counter").lower()
    try:
        return Metric(
            step=step,
            attempt=attempt,
            name=str(frame["name"]),
            value=float(str(value)),
            kind=MetricKind(word),
            at=now,
            tags={str(name): str(text) for name, text in tags.items()} if isinstance(tags, dict) else {},
        )
    except (KeyError, ValueError) as error:
        raise BadAnswer(f"The process reported a number that makes no sense: {frame}.") from error


def read_touched(frame: dict[str, object]) -> Touched:
    """Data that a process says it reads or writes. BadAnswer when it makes no sense."""
    namespace, name = frame.get("namespace"), frame.get("name")
    rows, size = (value if isinstance(value := frame.get(word), int) else None for word in ("rows", "size"))
    more = {word: value for word in DETAILS if (value := frame.get(word)) is not None}
    try:
        access = Access(str(frame.get("access")))
        details = msgspec.convert(more, Details)
    except (ValueError, msgspec.ValidationError):
        access = None
    if access is None or not isinstance(namespace, str) or not isinstance(name, str) or not (namespace and name):
        raise BadAnswer(f"The process told of data in a way that makes no sense: {frame}."[:LONGEST_NAME])
    return Touched(
        access=access,
        namespace=namespace[:LONGEST_NAME],
        name=name[:LONGEST_NAME],
        rows=rows,
        size=size,
        columns=dict(itertools.islice(details.columns.items(), MOST_DETAILS)),
        change=details.change,
        version=details.version[:LONGEST_NAME],
        checks=details.checks[:MOST_DETAILS],
        part=details.part,
        sql=details.sql[:LONGEST_SQL],
    )


def _kind(word: str) -> ErrorKind:
    return ErrorKind(word) if word in set(ErrorKind) else ErrorKind.TASK
