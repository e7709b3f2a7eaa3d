"""How do Kestra's clients have a trigger run for the past? A backfill of ours, one run after the other."""

from __future__ import annotations

from typing import Any

from penstock.api.route import Call
from penstock.api.shapes.kestra.asked import Asked, micros, pairs
from penstock.api.shapes.kestra.triggers import BackfillAsked, BackfillWanted, TriggerName, TriggerState, trigger_state
from penstock.errors.run import UnknownBackfill, UnknownTrigger
from penstock.model.access import Scope
from penstock.model.backfill import Backfill, Spec
from penstock.services import backfills as verbs
from penstock.services import flows
from penstock.services.backfills import LEFT
from penstock.store import triggers

NEWEST = 50


def create_trigger_backfill(call: Call[Asked, BackfillWanted]) -> TriggerState:
    """Run for the dates of a span, or up to now."""
    return begun(call, call.body, call.body.backfill)


def pause_trigger_backfill(call: Call[Asked, TriggerName]) -> TriggerState:
    """Start no further runs of it for now."""
    return _told(call, call.body, verbs.pause(call.core, _going(call, call.body)))


def unpause_trigger_backfill(call: Call[Asked, TriggerName]) -> TriggerState:
    """Go on with it."""
    return _told(call, call.body, verbs.resume(call.core, _going(call, call.body)))


def delete_trigger_backfill(call: Call[Asked, TriggerName]) -> TriggerState:
    """Start no more runs of it."""
    verbs.cancel(call.core, _going(call, call.body), call.by)
    return _told(call, call.body, None)


def begun(call: Call[Any, Any], name: TriggerName, asked: BackfillAsked) -> TriggerState:
    """Begin a backfill of a trigger, one run at once."""
    plan = flows.newest_plan(call.core, name.namespace, name.flow_id)
    spec = Spec(
        begin=micros(asked.start),
        end=micros(asked.end) if asked.end else call.core.clock.now(),
        trigger=name.trigger_id,
        inputs=asked.inputs or {},
        labels=pairs(asked.labels or []),
    )
    return _told(call, name, verbs.add(call.core, plan, spec, call.by, at_once=1))


def _going(call: Call[Any, Any], name: TriggerName) -> Backfill:
    """The newest backfill of a trigger that has not ended. Raises UnknownBackfill."""
    scope = Scope(namespaces=(name.namespace,))
    for found, _ in verbs.every(call.core, scope, NEWEST, namespace=name.namespace, flow=name.flow_id):
        here = found.namespace == name.namespace and found.spec.trigger == name.trigger_id
        if here and found.status not in LEFT:
            return found
    raise UnknownBackfill(f'The trigger "{name.trigger_id[:100]}" has no backfill that goes on.')


def _told(call: Call[Any, Any], name: TriggerName, backfill: Backfill | None) -> TriggerState:
    key = triggers.key_of(name.namespace, name.flow_id, name.trigger_id)
    state = call.core.store.glance(lambda tx: triggers.get(tx, key))
    if state is None:
        raise UnknownTrigger(f'The flow {name.namespace}.{name.flow_id} has no trigger "{name.trigger_id[:100]}".')
    return trigger_state(state, backfill)
