"""Which addresses are about what starts runs: triggers and backfills?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import backfills, triggers
from penstock.api.route import MEGABYTE, Route, Where
from penstock.api.shapes.backfills import (
    BackfillRow,
    BackfillRunRow,
    BackfillRunsAsked,
    BackfillsAsked,
    BackfillStart,
    BackfillStarted,
    CancelBackfill,
    ResumeBackfill,
    Retried,
)
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.triggers import DateRow, DatesAsked, SwitchAsked, TriggerRow, TriggersAsked
from penstock.model.access import Action

TRIGGER: Final = "/v1/triggers/{namespace}/{flow}/{trigger}"
BACKFILL: Final = "/v1/backfills/{backfill}"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/triggers",
        summary="Triggers of the flows' newest revisions, a page at a time.",
        handler=triggers.list_triggers,
        where=Where.LIST,
        action=Action.TRIGGERS_VIEW,
        query=TriggersAsked,
        answer=Page[TriggerRow],
    ),
    Route(
        method="PUT",
        path=f"{TRIGGER}/on",
        summary="Switch it on or off; switched on it counts from now.",
        handler=triggers.switch_trigger,
        where=Where.PATH,
        action=Action.TRIGGERS_OPERATE,
        body=SwitchAsked,
        answer=TriggerRow,
    ),
    Route(
        method="GET",
        path=f"{TRIGGER}/dates",
        summary="The next dates of a schedule, and what its runs will be given.",
        handler=triggers.list_dates,
        where=Where.PATH,
        action=Action.TRIGGERS_VIEW,
        query=DatesAsked,
        answer=Everything[DateRow],
    ),
    Route(
        method="GET",
        path="/v1/backfills",
        summary="Backfills, newest first, a page at a time.",
        handler=backfills.list_backfills,
        where=Where.LIST,
        action=Action.BACKFILLS_VIEW,
        query=BackfillsAsked,
        answer=Page[BackfillRow],
    ),
    Route(
        method="POST",
        path="/v1/backfills",
        summary="Begin a backfill; 200 where it is only looked at.",
        handler=backfills.start_backfill,
        where=Where.BODY,
        action=Action.BACKFILLS_OPERATE,
        body=BackfillStart,
        answer=BackfillStarted,
        status=201,
        also=(200,),
        limit=16 * MEGABYTE,
    ),
    Route(
        method="GET",
        path=BACKFILL,
        summary="One backfill, and how far it is.",
        handler=backfills.get_backfill,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_VIEW,
        answer=BackfillRow,
    ),
    Route(
        method="GET",
        path=f"{BACKFILL}/runs",
        summary="Its runs in their order, a page at a time.",
        handler=backfills.list_backfill_runs,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_VIEW,
        query=BackfillRunsAsked,
        answer=Page[BackfillRunRow],
    ),
    Route(
        method="POST",
        path=f"{BACKFILL}/pause",
        summary="Start no further runs for now; those that go may end.",
        handler=backfills.pause_backfill,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_OPERATE,
        answer=BackfillRow,
    ),
    Route(
        method="POST",
        path=f"{BACKFILL}/resume",
        summary="Go on starting runs.",
        handler=backfills.resume_backfill,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_OPERATE,
        body=ResumeBackfill,
        answer=BackfillRow,
    ),
    Route(
        method="POST",
        path=f"{BACKFILL}/cancel",
        summary="Start no more of its runs.",
        handler=backfills.cancel_backfill,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_OPERATE,
        body=CancelBackfill,
        answer=BackfillRow,
    ),
    Route(
        method="POST",
        path=f"{BACKFILL}/retry",
        summary="Start anew what failed, or was left.",
        handler=backfills.retry_backfill,
        where=Where.BACKFILL,
        action=Action.BACKFILLS_OPERATE,
        answer=Retried,
    ),
)
