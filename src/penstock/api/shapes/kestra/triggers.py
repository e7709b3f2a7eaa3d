"""How is a trigger told to Kestra's clients?"""

from __future__ import annotations

import msgspec

from penstock.services.document import instant
from penstock.store.triggers import State


class TriggerState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A trigger with what it knows; `execution_id` is the run that keeps it from firing."""

    namespace: str
    flow_id: str
    flow_revision: int
    trigger_id: str
    date: str | None
    next_execution_date: str | None
    execution_id: str | None
    disabled: bool
    updated_date: str | None


class TriggerAndState(msgspec.Struct, frozen=True, rename="camel"):
    """A trigger of a list: its definition and its state."""

    abstract_trigger: dict[str, object]
    trigger_context: TriggerState


class TriggerName(msgspec.Struct, frozen=True, rename="camel"):
    """A trigger by its name."""

    namespace: str
    flow_id: str
    trigger_id: str


class OneDisabled(TriggerName, frozen=True, rename="camel"):
    """A trigger, and whether it is to be off."""

    disabled: bool = False


class Disabled(msgspec.Struct, frozen=True, rename="camel"):
    """Triggers, and whether they are to be off."""

    triggers: list[TriggerName]
    disabled: bool = False


def trigger_state(state: State) -> TriggerState:
    """A trigger as it is known."""
    return TriggerState(
        namespace=state.namespace,
        flow_id=state.flow,
        flow_revision=state.revision,
        trigger_id=state.id,
        date=instant(state.last_at),
        next_execution_date=instant(state.next_at) if state.next_at else None,
        execution_id=state.holds or None,
        disabled=bool(state.off_by),
        updated_date=instant(state.last_at),
    )
