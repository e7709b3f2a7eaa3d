"""What stands in another task's place in a test? A task that ends as it is told, with what it is given."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta, field

from penstock.errors.task import TaskFailed
from penstock.sdk.context import Context
from penstock.sdk.task import Mode, Outcome, Result, TaskType
from penstock.sdk.values import Duration

State = Literal["SUCCESS", "WARNING", "FAILED", "SKIPPED", "KILLED", "CANCELLED"]
ENDS = {"SUCCESS": Outcome.DONE, "WARNING": Outcome.WARNING, "SKIPPED": Outcome.SKIPPED}


class OneEnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it ends for one value of the loop around it, or for every one."""

    value: str | None = None
    state: State = "SUCCESS"
    outputs: dict[str, object] = {}


class StandIn(TaskType, frozen=True, kw_only=True):
    """Stand in for another task, in tests and while a flow is written: wait, then end as told."""

    type_name: ClassVar[str] = "stand_in"
    mode: ClassVar[Mode] = Mode.INLINE
    outputs: ClassVar[dict[str, str]] = {}
    example: ClassVar[dict[str, object]] = {"ends": [{"outputs": {"rows": 3}}]}

    ends: Annotated[
        list[OneEnd],
        Meta(
            description="How it ends, each with `state`, `outputs` and, in a loop, the `value` it is for.",
            extra={"template": False},
        ),
    ] = field(default_factory=list)
    outputs_late: Annotated[
        dict[str, dict[str, object]],
        Meta(description="Outputs that are rendered when it runs, by the number of the end that they belong to."),
    ] = field(default_factory=dict)
    value: Annotated[str, Meta(description="The value of the loop around it.")] = ""
    takes: Annotated[
        Duration, Meta(description="How long it takes before it ends.", extra={"unit": "ISO-8601, or seconds"})
    ] = Duration(0)

    def run(self, context: Context) -> Result:
        """Wait once, then end as told. Raises TaskFailed."""
        if self.takes.seconds > 0 and not context.state.get("waited"):
            context.save_state({"waited": True})
            wait = self.takes.seconds
            return Result(outcome=Outcome.SNOOZED, message=f"It takes {wait:g} s.", wait=wait)
        number, end = self._end()
        outputs = end.outputs | self.outputs_late.get(str(number), {})
        if end.state not in ENDS:
            raise TaskFailed(f"It stands in for the task, and is told to end as {end.state}.")
        return Result(outcome=ENDS[end.state], outputs=outputs)

    def _end(self) -> tuple[int, OneEnd]:
        for number, end in enumerate(self.ends):
            if end.value == self.value and self.value:
                return number, end
        for number, end in enumerate(self.ends):
            if end.value is None:
                return number, end
        if not self.ends:
            return 0, OneEnd()
        known = ", ".join(f'"{end.value}"' for end in self.ends)
        raise TaskFailed(f'It stands in for the task with the values {known}, and not with "{self.value}".')
