"""How does a flow hand on, or show, a value it computes?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.plugins.core.log import LogLevel
from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskType


class Return(TaskType, frozen=True, kw_only=True):
    """Hand on a rendered text as an output."""

    type_name: ClassVar[str] = "return"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.debug.Return", "io.kestra.core.tasks.debugs.Return")
    mode: ClassVar[Mode] = Mode.INLINE
    outputs: ClassVar[dict[str, str]] = {"value": "The rendered text."}
    example: ClassVar[dict[str, object]] = {"format": "{{ task.id }} ran at {{ taskrun.startDate }}"}

    format: Annotated[str | None, Meta(description="The text to hand on.", examples=["{{ execution.id }}"])] = None

    def run(self, context: Context) -> dict[str, object]:
        """Hand it on."""
        if self.format is not None:
            context.metric("length", len(self.format))
        return {"value": self.format}


class Echo(TaskType, frozen=True, kw_only=True):
    """Write a text to the log; `log` has taken its place."""

    type_name: ClassVar[str] = "echo"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.debug.Echo", "io.kestra.core.tasks.debugs.Echo")
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"format": "Hello"}

    format: Annotated[str, Meta(description="The text to write.", examples=["Hello"])]
    level: Annotated[LogLevel, Meta(description="How much it matters.")] = LogLevel.INFO

    def run(self, context: Context) -> None:
        """Write it."""
        context.log(self.format, Level(self.level.value.lower()))
