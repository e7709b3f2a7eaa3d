"""What can be asked about backfills, and done with them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.api import cursors
from penstock.api.handlers.flows import Before
from penstock.api.route import Answer, Call
from penstock.api.shapes.backfills import (
    BackfillRow,
    BackfillRunRow,
    BackfillRunsAsked,
    BackfillsAsked,
    BackfillStart,
    BackfillStarted,
    CancelBackfill,
    PlannedRow,
    ResumeBackfill,
    Retried,
)
from penstock.api.shapes.lists import Page
from penstock.api.shapes.runs import micros
from penstock.errors.run import UnknownFlow
from penstock.model.backfill import Backfill, Item, ItemStatus, Planned, Spec
from penstock.services import backfills as verbs
from penstock.services import flows
from penstock.services.document import instant
from penstock.services.secrets.given import starred_values

FIRST: Final = 1_000


def list_backfills(call: Call[BackfillsAsked, None]) -> Page[BackfillRow]:
    """Backfills, newest first."""
    asked = call.query
    before = cursors.read(asked.cursor, str) or ""
    found = verbs.every(call.core, call.scope, asked.limit + 1, before, namespace=asked.namespace, flow=asked.flow)
    shown = found[: asked.limit]
    rows = [_row(one, counts) for one, counts in shown]
    return Page(rows, cursors.written(shown[-1][0].id) if len(found) > len(shown) else "")


def get_backfill(call: Call[None, None]) -> BackfillRow:
    """One backfill."""
    return _now(call)


def list_backfill_runs(call: Call[BackfillRunsAsked, None]) -> Page[BackfillRunRow]:
    """Its runs in their order."""
    asked = call.query
    after = cursors.read(asked.cursor, Before) or 0
    found = verbs.items(call.core, call.backfill.id, asked.limit + 1, after, asked.status)
    shown = found[: asked.limit]
    rows = [_item(each) for each in shown]
    return Page(rows, cursors.written(shown[-1].number) if len(found) > len(shown) else "")


def start_backfill(call: Call[None, BackfillStart]) -> Answer:
    """Begin a backfill, or only say what it would run."""
    asked = call.body
    try:
        plan = flows.newest_plan(call.core, asked.namespace, asked.flow)
    except UnknownFlow as error:
        # the hint names flows that who asks may not see
        raise UnknownFlow(error.sentence) from None
    spec = Spec(
        begin=micros(asked.begin),
        end=micros(asked.end),
        trigger=asked.trigger,
        every=asked.every,
        timezone=asked.timezone,
        sets=asked.sets,
        inputs=asked.inputs,
        labels=asked.labels,
        newest_first=asked.newest_first,
        only_missing=asked.only_missing,
    )
    if asked.dry_run:
        planned = verbs.preview(call.core, plan, spec)
        rows = [_planned(each) for each in planned[:FIRST]]
        return Answer(BackfillStarted(backfill=None, total=len(planned), planned=rows), 200)
    made = verbs.add(call.core, plan, spec, call.by, at_once=asked.at_once)
    told = _row(made, {ItemStatus.WAITING: made.total})
    headers = {"Location": f"/v1/backfills/{made.id}"}
    return Answer(BackfillStarted(backfill=told, total=made.total, planned=[]), headers=headers)


def pause_backfill(call: Call[None, None]) -> BackfillRow:
    """Start no further runs for now."""
    verbs.pause(call.core, call.backfill)
    return _now(call)


def resume_backfill(call: Call[None, ResumeBackfill]) -> BackfillRow:
    """Go on starting runs."""
    verbs.resume(call.core, call.backfill, at_once=call.body.at_once)
    return _now(call)


def cancel_backfill(call: Call[None, CancelBackfill]) -> BackfillRow:
    """Start no more of its runs."""
    verbs.cancel(call.core, call.backfill, call.by, kill=call.body.kill)
    return _now(call)


def retry_backfill(call: Call[None, None]) -> Retried:
    """Start anew what failed, or was left."""
    return Retried(verbs.retry(call.core, call.backfill))


def _now(call: Call[object, object]) -> BackfillRow:
    return _row(*verbs.get(call.core, call.backfill.id))


def _row(one: Backfill, counts: Mapping[ItemStatus, int]) -> BackfillRow:
    return BackfillRow(
        id=one.id,
        namespace=one.namespace,
        flow=one.flow,
        revision=one.revision,
        status=one.status,
        at_once=one.at_once,
        total=one.total,
        progress={status: counts.get(status, 0) for status in ItemStatus},
        created=instant(one.created_at) or "",
        created_by=one.created_by,
        end=instant(one.ended_at),
    )


def _planned(one: Planned) -> PlannedRow:
    return PlannedRow(name=one.name, inputs=one.inputs, date=instant(one.date))


def _item(one: Item) -> BackfillRunRow:
    planned = one.planned
    return BackfillRunRow(
        name=planned.name,
        inputs=starred_values(planned.inputs),
        date=instant(planned.date),
        number=one.number,
        status=one.status,
        tries=one.tries,
        run=one.run,
    )
