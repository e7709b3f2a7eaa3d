"""How did runs end, day by day?"""

from __future__ import annotations

import datetime
from typing import Final

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.stats import DayRow, DaysAsked, FlowDayRow, FlowDaysAsked
from penstock.errors.api import Unfitting
from penstock.services import stats
from penstock.services.stats import Day
from penstock.store.stats import DAY, Place, Span

USUAL: Final = 30
MOST: Final = 3_660
EPOCH: Final = datetime.date(1970, 1, 1)


def list_flow_days(call: Call[FlowDaysAsked, None]) -> Page[FlowDayRow]:
    """Flows and days by name, a page at a time."""
    asked = call.query
    place = cursors.read(asked.cursor, Place) or Place()
    found = stats.by_flow(call.core, call.scope, _span(call), asked.limit + 1, place)
    shown = found[: asked.limit]
    rows = [_of_flow(each) for each in shown]
    if len(found) == len(shown):
        return Page(rows)
    last = shown[-1]
    return Page(rows, cursors.written(Place(last.namespace, last.flow, last.day)))


def list_days(call: Call[DaysAsked, None]) -> Everything[DayRow]:
    """Days in their order, with all flows that fit."""
    found = stats.by_day(call.core, call.scope, _span(call))
    return Everything(
        [DayRow(day=_date(each), ended=_ended(each), statuses=each.statuses, took=each.took) for each in found]
    )


def _of_flow(day: Day) -> FlowDayRow:
    return FlowDayRow(
        namespace=day.namespace,
        flow=day.flow,
        day=_date(day),
        ended=_ended(day),
        statuses=day.statuses,
        took=day.took,
    )


def _span(call: Call[DaysAsked, None] | Call[FlowDaysAsked, None]) -> Span:
    """Which days are meant. Raises Unfitting."""
    asked = call.query
    last = call.core.clock.now() // DAY if asked.until is None else (asked.until - EPOCH).days
    first = last - USUAL + 1 if asked.since is None else (asked.since - EPOCH).days
    if first > last:
        raise Unfitting("`since` is later than `until`.")
    if last - first >= MOST:
        raise Unfitting(f"At most {MOST:,} days are told at once.")
    return Span(since=first, until=last + 1, namespace=asked.namespace, flow=asked.flow)


def _date(day: Day) -> str:
    return (EPOCH + datetime.timedelta(days=day.day)).isoformat()


def _ended(day: Day) -> int:
    return sum(day.statuses.values())
