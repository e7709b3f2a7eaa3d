"""How does a flow add to, and read, what is kept of its own run? Labels and logs."""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import msgspec
from msgspec import Meta, field

from penstock.plugins.core.log import LogLevel
from penstock.sdk.context import Ask, Context
from penstock.sdk.task import Mode, TaskType


class Label(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One label."""

    key: Annotated[str, Meta(description="Its name.")]
    value: Annotated[str, Meta(description="Its value.")]


class Labels(TaskType, frozen=True, kw_only=True):
    """Add labels to the run; a label that is there gets the new value."""

    type_name: ClassVar[str] = "labels"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.execution.Labels",
        "io.kestra.core.tasks.executions.Labels",
    )
    mode: ClassVar[Mode] = Mode.WARM
    example: ClassVar[dict[str, object]] = {"labels": {"day": "{{ inputs.day }}"}}

    labels: Annotated[dict[str, str] | list[Label], Meta(description="The labels: a map, or a list of {key, value}.")]

    def run(self, context: Context) -> None:
        """Add them."""
        match self.labels:
            case dict() as labels:
                context.ask(Ask.LABELS_SET, labels=labels)
            case pairs:
                context.ask(Ask.LABELS_SET, labels={pair.key: pair.value for pair in pairs})


class Fetch(TaskType, frozen=True, kw_only=True):
    """Store the log of a run as a file of JSON lines."""

    type_name: ClassVar[str] = "log.fetch"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.log.Fetch", "io.kestra.core.tasks.log.Fetch")
    mode: ClassVar[Mode] = Mode.WARM
    outputs: ClassVar[dict[str, str]] = {"uri": "Address of the file.", "size": "How many lines it has."}
    example: ClassVar[dict[str, object]] = {"level": "WARN", "tasksId": ["extract"]}

    execution_id: Annotated[str, Meta(description="The run; this one unless given.")] = ""
    tasks_id: Annotated[list[str], Meta(description="Only lines of these tasks.")] = field(default_factory=list)
    level: Annotated[LogLevel, Meta(description="Only lines that matter as much.")] = LogLevel.INFO
    namespace: Annotated[str, Meta(description="Read and not used: a run's id says enough.")] = ""
    flow_id: Annotated[str, Meta(description="Read and not used: a run's id says enough.")] = ""

    def run(self, context: Context) -> dict[str, object]:
        """Store it."""
        asked = context.ask(Ask.LOGS_FETCH, run=self.execution_id, tasks=self.tasks_id, level=self.level.value.lower())
        lines = cast("list[dict[str, object]]", asked)
        path = context.workdir / "log.jsonl"
        encode = msgspec.json.Encoder().encode
        with path.open("wb") as target:
            for line in lines:
                target.write(encode(line) + b"\n")
        return {"uri": context.store(path), "size": len(lines)}
