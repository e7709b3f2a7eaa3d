"""How does a task change the variables of its run, or end it? It says so, and the run obeys with the task's end."""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from penstock.sdk.context import Context
from penstock.sdk.task import Mode, TaskType


class State(enum.StrEnum):
    """How a run may be ended."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    CANCELLED = "CANCELLED"
    KILLED = "KILLED"


# Both spellings are in use.
STATUSES: Final = {State.CANCELED: "cancelled"}


class Exit(TaskType, frozen=True, kw_only=True):
    """End the run here, in a state; what runs beside goes on by itself, unless the state is KILLED."""

    type_name: ClassVar[str] = "exit"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.execution.Exit",)
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"state": "WARNING"}

    state: Annotated[State, Meta(description="How the run, the groups around the task and the task itself end.")] = (
        State.SUCCESS
    )

    def run(self, context: Context) -> None:
        """Order it."""
        context.end_run(STATUSES.get(self.state, self.state.value.lower()))


class SetVariables(TaskType, frozen=True, kw_only=True):
    """Set variables of the run: what comes after reads them as `vars.name`."""

    type_name: ClassVar[str] = "variables.set"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.execution.SetVariables",)
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"variables": {"day": "{{ inputs.day }}"}}

    variables: Annotated[
        dict[str, object], Meta(description="The variables by name; a map is merged into one that is there.")
    ]
    overwrite: Annotated[
        bool, Meta(description="Whether a variable may be there already; if not, the task fails where one is.")
    ] = True

    def run(self, context: Context) -> None:
        """Order it."""
        context.set_variables(self.variables, overwrite=self.overwrite)


class UnsetVariables(TaskType, frozen=True, kw_only=True):
    """Remove variables of the run."""

    type_name: ClassVar[str] = "variables.unset"
    aliases: ClassVar[tuple[str, ...]] = ("io.kestra.plugin.core.execution.UnsetVariables",)
    mode: ClassVar[Mode] = Mode.INLINE
    example: ClassVar[dict[str, object]] = {"variables": ["day"], "ignoreMissing": True}

    variables: Annotated[list[str], Meta(description="Their names; `a.b` is `b` in the map `a`.")]
    ignore_missing: Annotated[
        bool, Meta(description="Whether the map that a name leads into may be missing; if not, the task fails.")
    ] = False

    def run(self, context: Context) -> None:
        """Order it."""
        context.unset_variables(self.variables, ignore_missing=self.ignore_missing)
