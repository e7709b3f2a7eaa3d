"""What can be asked about triggers, and done with them, as Kestra's clients do it?"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.api.handlers.kestra.backfills import begun
from penstock.api.route import Call
from penstock.api.shapes.kestra.asked import Asked, Numbered, filters, numbered
from penstock.api.shapes.kestra.triggers import (
    Disabled,
    OneDisabled,
    TriggerAndState,
    TriggerName,
    TriggerState,
    trigger_state,
)
from penstock.errors.api import BadRequest
from penstock.model.access import Scope
from penstock.services import triggers as verbs
from penstock.services.core import Core
from penstock.store.triggers import State

ALL = 10_000


class TriggersFound(msgspec.Struct, frozen=True):
    """A page of triggers, and how many there are."""

    results: list[TriggerAndState]
    total: int


class StatesFound(msgspec.Struct, frozen=True):
    """A page of the triggers of a flow, and how many there are."""

    results: list[TriggerState]
    total: int


class TriggersCounted(msgspec.Struct, frozen=True):
    """On how many triggers it was done."""

    count: int


def search_triggers(call: Call[Asked, None]) -> TriggersFound:
    """Triggers that fit, by name."""
    found, page = _fitting(call), numbered(call.query)
    shown = [TriggerAndState(_definition(call.core, each), trigger_state(each)) for each in _of(found, page)]
    return TriggersFound(shown, len(found))


def list_triggers_of_flow(call: Call[Asked, None]) -> StatesFound:
    """The triggers of a flow."""
    namespace, flow = call.path["namespace"], call.path["flow"]
    found = verbs.states(call.core, Scope(namespaces=(namespace,)), ALL, namespace=namespace)
    own = [each for each in found if (each.namespace, each.flow) == (namespace, flow)]
    return StatesFound([trigger_state(each) for each in _of(own, numbered(call.query))], len(own))


def set_trigger_disabled(call: Call[Asked, OneDisabled]) -> TriggerState:
    """Switch a trigger on or off, or begin a backfill of it."""
    asked = call.body
    told = trigger_state(_switched(call, asked, off=bool(asked.disabled))) if asked.disabled is not None else None
    if asked.backfill is not None:
        told = begun(call, asked, asked.backfill)
    if told is None:
        raise BadRequest("Say `disabled` or `backfill`.")
    return told


def set_triggers_disabled(call: Call[Asked, Disabled]) -> TriggersCounted:
    """Switch triggers on or off."""
    for each in call.body.triggers:
        _switched(call, each, off=call.body.disabled)
    return TriggersCounted(len(call.body.triggers))


def unlock_trigger(call: Call[Asked, None]) -> TriggerState:
    """Let a trigger fire though a run of it still goes."""
    path = call.path
    return trigger_state(verbs.unlock(call.core, path["namespace"], path["flow"], path["trigger"]))


def unlock_triggers(call: Call[Asked, list[TriggerName]]) -> TriggersCounted:
    """Let triggers fire though runs of them still go."""
    for each in call.body:
        verbs.unlock(call.core, each.namespace, each.flow_id, each.trigger_id)
    return TriggersCounted(len(call.body))


def _switched(call: Call[Any, Any], name: TriggerName, *, off: bool) -> State:
    return verbs.switch(call.core, name.namespace, name.flow_id, name.trigger_id, call.by, on=not off)


def _fitting(call: Call[Asked, None]) -> list[State]:
    namespace = exact = flow = text = trigger = ""
    for one in filters(call.query):
        match one.field, one.operation:
            case "namespace", ("EQUALS" | "PREFIX"):
                namespace, exact = one.value, one.value if one.operation == "EQUALS" else ""
            case "flowId", "EQUALS":
                flow = one.value
            case "triggerId", "EQUALS":
                trigger = one.value
            case "q", _:
                text = one.value.lower()
            case "scope", _:
                pass
            case _:
                raise BadRequest(f'Triggers cannot be asked for by "{one.field}" with {one.operation}.')
    found = verbs.states(call.core, call.scope, ALL, namespace=namespace)
    return [
        each
        for each in found
        if exact in ("", each.namespace)
        and flow in ("", each.flow)
        and trigger in ("", each.id)
        and text in each.key.lower()
    ]


def _of(found: list[State], page: Numbered) -> list[State]:
    return found[page.behind : page.until]


def _definition(core: Core, state: State) -> dict[str, object]:
    plan = core.plan(state.namespace, state.flow, state.revision)
    found = next((each for each in plan.flow.triggers if each.id == state.id), None)
    about = {"id": state.id, "type": found.type if found else state.kind, "disabled": bool(found and found.disabled)}
    return about | ({"description": found.description} if found and found.description else {})
