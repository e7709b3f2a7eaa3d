"""How is a trigger told to Kestra's clients?"""

from __future__ import annotations

import msgspec

from penstock.api.shapes.kestra.executions import Label
from penstock.model.backfill import Backfill, BackfillStatus
from penstock.services.document import instant
from penstock.services.secrets.given import starred_values
from penstock.store.triggers import State


class BackfillTold(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill of a trigger."""

    start: str | None
    end: str | None
    paused: bool
    inputs: dict[str, object]
    labels: list[Label]


class BackfillAsked(msgspec.Struct, frozen=True, kw_only=True):
    """For which dates a trigger is to run, with which inputs and labels; without an end up to now."""

    start: str
    end: str | None = None
    inputs: dict[str, object] | None = None
    labels: list[Label] | None = None


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
    backfill: BackfillTold | None = None


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
    """A trigger, and whether it is to be off; releases before 1 ask for backfills in the same way."""

    disabled: bool | None = None
    backfill: BackfillAsked | None = None


class BackfillWanted(TriggerName, frozen=True, rename="camel"):
    """A trigger, and for which dates it is to run."""

    backfill: BackfillAsked


class Disabled(msgspec.Struct, frozen=True, rename="camel"):
    """Triggers, and whether they are to be off."""

    triggers: list[TriggerName]
    disabled: bool = False


def trigger_state(state: State, backfill: Backfill | None = None) -> TriggerState:
    """A trigger as it is known, with a backfill of it."""
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
        backfill=_backfill(backfill) if backfill else None,
    )


def _backfill(backfill: Backfill) -> BackfillTold:
    spec = backfill.spec
    return BackfillTold(
        start=instant(spec.begin),
        end=instant(spec.end),
        paused=backfill.status is BackfillStatus.PAUSED,
        inputs=starred_values(spec.inputs),
        labels=[Label(name, value) for name, value in spec.labels.items()],
    )
