"""What does a message hold? Text, JSON or bytes; and where do those come from that a task is to send?"""

from __future__ import annotations

import base64
import binascii
import datetime
import enum
import time
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from penstock.plugins.serdes import records
from penstock.sdk.context import Context
from penstock.sdk.launch import is_stored
from penstock.sdk.plain import plain
from penstock.sdk.task import TaskFailed
from penstock.sdk.values import Duration

SPAN: Final = {"unit": "ISO-8601, or seconds"}
MaxRecords = Annotated[int | None, Meta(description="Take at most so many.")]
MaxDuration = Annotated[Duration | None, Meta(description="Take no longer than this.", examples=["PT10S"], extra=SPAN)]
STEP: Final = 0.5


class Serde(enum.StrEnum):
    """How a value stands in a message."""

    STRING = "STRING"
    JSON = "JSON"


class ByteSerde(enum.StrEnum):
    """How a value stands in a message; bytes are base64 wherever they are shown."""

    STRING = "STRING"
    JSON = "JSON"
    BYTES = "BYTES"


def given(source: object, context: Context) -> Iterator[object]:
    """What a task is to send: the records of a stored file, a list's values, or one value; JSON in text is read."""
    if isinstance(source, str) and is_stored(source.strip()):
        yield from records.read(context.fetch(source.strip()))
        return
    value = source
    if isinstance(source, str) and source.lstrip()[:1] in ("[", "{"):
        try:
            value = msgspec.json.decode(source)
        except msgspec.DecodeError:
            value = source
    if isinstance(value, list | tuple):
        yield from value
    else:
        yield value


def maps(source: object, context: Context) -> Iterator[dict[str, object]]:
    """The same, where each must have named parts."""
    for number, each in enumerate(given(source, context), 1):
        if not isinstance(each, dict):
            raise TaskFailed(f"Message {number} has no named parts: {str(each)[:60]!r}.")
        yield each


def encode(value: object, serde: Serde | ByteSerde) -> bytes:
    """A value as it travels; nothing travels as no bytes."""
    if value is None:
        return b""
    match serde.value:
        case "BYTES":
            return bytes_of(value)
        case "STRING" if isinstance(value, str):
            return value.encode()
        case _:
            return msgspec.json.encode(plain(value))


def decode(content: bytes, serde: Serde | ByteSerde) -> object:
    """A value as it came; TaskFailed when it is no JSON and should be."""
    match serde.value:
        case "BYTES":
            return base64.b64encode(content).decode()
        case "STRING":
            return content.decode("utf-8", "backslashreplace")
        case _:
            try:
                return msgspec.json.decode(content) if content else None
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise TaskFailed(f"A message is no JSON: {error}.") from None


def bytes_of(value: object) -> bytes:
    """The bytes that base64 stands for."""
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise TaskFailed(f"Bytes are written in base64: {str(value)[:40]!r} is none.") from None


def epoch_millis(value: object) -> int | None:
    """An instant in milliseconds since 1970, of ISO-8601 or of such a number; an instant without a zone is UTC."""
    if value is None or isinstance(value, int):
        return value
    try:
        # A zone's name behind its offset, as Java writes it, says no more of the instant.
        read = datetime.datetime.fromisoformat(str(value).partition("[")[0])
    except ValueError:
        raise TaskFailed(f'"{value}" is no instant such as 2016-01-02T03:04:05Z.') from None
    return round((read if read.tzinfo else read.replace(tzinfo=datetime.UTC)).timestamp() * 1000)


def instant(millis: int) -> str:
    """Milliseconds since 1970 in ISO-8601."""
    return datetime.datetime.fromtimestamp(millis / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")


class Until:
    """When is enough taken? Counts, and looks at a clock that never goes back."""

    def __init__(self, most: int | None, span: Duration | None, *, bounded: bool = True) -> None:
        if bounded and most is None and span is None:
            raise TaskFailed("maxRecords or maxDuration must be given, or there is no end.")
        self.most = most
        self.count = 0
        self._end = None if span is None else time.monotonic() + span.seconds

    @property
    def over(self) -> bool:
        """Whether enough is taken, or the time is up."""
        return self.room == 0 or (self._end is not None and time.monotonic() >= self._end)

    @property
    def room(self) -> int | None:
        """How many may still be taken; nothing for any number."""
        return None if self.most is None else max(self.most - self.count, 0)

    def wait(self, step: float = STEP) -> float:
        """How many seconds to wait for the next, at most a step."""
        return step if self._end is None else max(0.0, min(step, self._end - time.monotonic()))
