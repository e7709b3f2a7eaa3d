"""How does a flow write to its own log?"""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskType


class LogLevel(enum.StrEnum):
    """The levels as flows write them."""

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Log(TaskType, frozen=True, kw_only=True):
    """Write one or several lines to the log of the run."""

    type_name: ClassVar[str] = "log"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log")
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"message": "Hello from {{ flow.id }}"}

    message: Annotated[
        str | list[str], Meta(description="What to write; each item of a list is a line.", examples=["Hello"])
    ]
    level: Annotated[LogLevel, Meta(description="How much it matters.")] = LogLevel.INFO

    def run(self, context: Context) -> None:
        """Write the lines."""
        for line in [self.message] if isinstance(self.message, str) else self.message:
            context.log(line, Level(self.level.value.lower()))
