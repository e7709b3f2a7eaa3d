"""What can be asked about triggers, and done with them? Lists, the dates of schedules, off and on."""

from __future__ import annotations

import datetime
from itertools import islice

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.runs import micros
from penstock.api.shapes.triggers import DateRow, DatesAsked, SwitchAsked, TriggerRow, TriggersAsked
from penstock.errors.run import UnknownFlow, UnknownTrigger
from penstock.model.trigger import OnTime
from penstock.services import triggers as verbs
from penstock.services.document import instant
from penstock.services.preview import Firing, firings
from penstock.services.render import calls_in
from penstock.services.secrets.given import visible
from penstock.store import flows
from penstock.store.triggers import State


def list_triggers(call: Call[TriggersAsked, None]) -> Page[TriggerRow]:
    """Triggers by namespace, flow and id."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    found = verbs.states(call.core, call.scope, asked.limit + 1, after, namespace=asked.namespace, flow=asked.flow)
    shown = found[: asked.limit]
    return Page([_row(each) for each in shown], cursors.written(shown[-1].key) if len(found) > len(shown) else "")


def switch_trigger(call: Call[None, SwitchAsked]) -> TriggerRow:
    """Let a trigger fire, or not."""
    path = call.path
    return _row(verbs.switch(call.core, path["namespace"], path["flow"], path["trigger"], call.by, on=call.body.on))


def list_dates(call: Call[DatesAsked, None]) -> Everything[DateRow]:
    """The next dates of a schedule."""
    namespace, flow_id, name = call.path["namespace"], call.path["flow"], call.path["trigger"]
    newest = call.core.store.glance(lambda tx: flows.newest(tx, namespace, flow_id))
    if newest is None:
        raise UnknownFlow(f'There is no flow "{namespace}.{flow_id}" in the store.')
    flow = call.core.plan(namespace, flow_id, newest).flow
    schedule = next((each for each in flow.triggers if isinstance(each, OnTime) and each.id == name), None)
    if schedule is None:
        raise UnknownTrigger(f'The flow {flow.name} has no schedule "{name}".')
    asked = call.query
    after = micros(asked.after)
    used: set[str] = set()
    calls = calls_in(call.core, namespace, used)
    dates = firings(
        flow, schedule, call.core.clock.now() if after is None else after, calls, call.core.calendars.of(schedule)
    )
    wanted = list(islice((each for each in dates if asked.skipped or not each.skipped), asked.limit))
    return Everything([_date(each, used) for each in wanted])


def _row(state: State) -> TriggerRow:
    known = state.known
    return TriggerRow(
        namespace=state.namespace,
        flow=state.flow,
        id=state.id,
        kind=state.kind,
        revision=state.revision,
        next=instant(state.next_at or None),
        last=instant(state.last_at),
        off_by=state.off_by,
        run=known.run,
        holds=state.holds,
        problem=known.problem,
        problem_at=instant(known.problem_at),
        version=state.version,
    )


def _date(firing: Firing, used: set[str]) -> DateRow:
    return DateRow(
        date=firing.date.isoformat(),
        at=_utc(firing.at),
        start=_utc(firing.start),
        end=_utc(firing.end),
        planned=firing.planned.isoformat() if firing.planned else None,
        skipped=firing.skipped,
        inputs=visible(firing.inputs, used),
        labels=visible(firing.labels, used),
    )


def _utc(at: datetime.datetime) -> str:
    return instant(round(at.timestamp() * 1_000_000)) or ""
