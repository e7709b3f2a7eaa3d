"""What is told of logs: which lines, and as which text?"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit
from penstock.services.document import instant
from penstock.services.log_pages import Line
from penstock.store.chunks import Level


class LogLevel(enum.StrEnum):
    """How much a line matters at least."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    def least(self) -> Level:
        """The same as it is kept."""
        return Level[self.name]


class LogOrder(enum.StrEnum):
    """In which order lines come."""

    OLDEST = "oldest"
    NEWEST = "newest"


Step = Annotated[str, Meta(max_length=900, description="Of this step only: its key, as lists of steps give it.")]
Number = Annotated[int, Meta(ge=0, le=2**31, description="Of this attempt only.")]
Bytes = Annotated[int, Meta(ge=0, le=2**53, description="A place in an attempt's text, in bytes.")]


class LogLinesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a run's log; what a process printed has no level, and is left out where one is wanted."""

    step: Step | None = None
    attempt: Number | None = None
    level: Annotated[LogLevel | None, Meta(description="Of at least this level.")] = None
    text: Annotated[str, Meta(max_length=500, description="With this text in them, upper or lower case.")] = ""
    sort: LogOrder = LogOrder.OLDEST
    limit: Limit = 200
    cursor: Cursor = ""


class LogTextAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which text of a run's log: whole, of a step, of an attempt; of an attempt also from one byte to another."""

    step: Step | None = None
    attempt: Number | None = None
    start: Bytes | None = None
    end: Bytes | None = None


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line that an attempt wrote; `level` is null for what a process printed."""

    at: str
    step: str
    attempt: int
    stream: str
    level: str | None
    text: str


def log_row(line: Line) -> LogRow:
    """A line as it is told."""
    return LogRow(
        at=instant(line.at) or "",
        step=line.step,
        attempt=line.attempt,
        stream=line.stream.name.lower(),
        level=line.level.name.lower() if line.level else None,
        text=line.text,
    )
