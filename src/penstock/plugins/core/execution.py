"""How does a flow fail on purpose, or hand on values under names?"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from penstock.sdk.context import Context, Level
from penstock.sdk.task import Mode, TaskFailed, TaskType

FALSE: Final = ("", "false", "0", "-0")


class Fail(TaskType, frozen=True, kw_only=True):
    """End in failure, always or under a condition."""

    type_name: ClassVar[str] = "fail"
    aliases: ClassVar[tuple[str, ...]] = (
        "io.kestra.plugin.core.execution.Fail",
        "io.kestra.core.tasks.executions.Fail",
    )
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"condition": "{{ inputs.rows == 0 }}", "errorMessage": "No rows arrived"}

    condition: Annotated[
        str | None,
        Meta(description="Fails only when this is true: not empty, false, 0 or -0. Without it, always fails."),
    ] = None
    error_message: Annotated[str, Meta(description="The failure's sentence.")] = "Task failure"

    def run(self, context: Context) -> None:
        """Fail, or pass."""
        if self.condition is None or truthy(self.condition):
            raise TaskFailed(self.error_message)


class Assert(TaskType, frozen=True, kw_only=True):
    """Fail unless all conditions are true."""

    type_name: ClassVar[str] = "assert"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.execution.Assert",)
    mode: ClassVar[Mode] = Mode.INLINE
    outputs: ClassVar[dict[str, str]] = {"failed": "How many conditions were false.", "passed": "How many were true."}
    example: ClassVar[dict[str, object]] = {"conditions": ["{{ inputs.rows > 0 }}"]}

    conditions: Annotated[
        list[str],
        Meta(description="What must be true, each: not empty, false, 0 or -0.", examples=[["{{ inputs.rows > 0 }}"]]),
    ]
    error_message: Annotated[str | None, Meta(description="The failure's sentence instead of the standard one.")] = None

    def run(self, context: Context) -> dict[str, object]:
        """Look at each condition."""
        wrong = [number for number, text in enumerate(self.conditions, 1) if not truthy(text)]
        counts: dict[str, object] = {"failed": len(wrong), "passed": len(self.conditions) - len(wrong)}
        if wrong:
            for number in wrong:
                context.log(f"Condition {number} of {len(self.conditions)} is not true.", Level.ERROR)
            standard = f"{len(wrong)} of {len(self.conditions)} conditions are not true."
            raise TaskFailed(self.error_message or standard, outputs=counts)
        return counts


class OutputValues(TaskType, frozen=True, kw_only=True):
    """Hand on rendered values under names."""

    type_name: ClassVar[str] = "output.values"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.output.OutputValues",)
    mode: ClassVar[Mode] = Mode.INLINE
    outputs: ClassVar[dict[str, str]] = {"values": "The values by name."}
    example: ClassVar[dict[str, object]] = {"values": {"started": "{{ execution.startDate }}"}}

    values: Annotated[dict[str, object], Meta(description="The values by name.")]

    def run(self, context: Context) -> dict[str, object]:
        """Hand them on."""
        return {"values": self.values}


def truthy(rendered: str) -> bool:
    """Whether a rendered condition is true, as the language has it: `"null"`, `"[]"` and `" "` are."""
    return rendered not in FALSE
