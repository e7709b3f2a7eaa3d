"""How does a flow wait for a while?"""

from __future__ import annotations

import time
from typing import Annotated, ClassVar

from msgspec import Meta

from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskType
from penstock.sdk.values import Duration


class Sleep(TaskType, frozen=True, kw_only=True):
    """Wait for a span of time."""

    type_name: ClassVar[str] = "sleep"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.flow.Sleep", "io.kestra.core.tasks.flows.Sleep")
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"duration": "PT5S"}

    duration: Annotated[
        Duration, Meta(description="How long.", examples=["PT5S"], extra={"unit": "ISO-8601, or seconds"})
    ]

    def run(self, context: Context) -> None:
        """Wait."""
        context.log(f"Waiting for {self.duration.seconds:g} s")
        if self.duration.seconds > 0:
            time.sleep(self.duration.seconds)
