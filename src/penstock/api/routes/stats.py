"""Which addresses tell how runs ended, day by day?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import stats
from penstock.api.route import Route, Where
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.stats import DayRow, DaysAsked, FlowDayRow, FlowDaysAsked
from penstock.model.access import Action

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/stats/flows",
        summary="How the runs of each flow ended, day by day, and how long they took; a page at a time.",
        handler=stats.list_flow_days,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=FlowDaysAsked,
        answer=Page[FlowDayRow],
    ),
    Route(
        method="GET",
        path="/v1/stats/days",
        summary="How the runs of all flows that fit ended, day by day, and how long they took.",
        handler=stats.list_days,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=DaysAsked,
        answer=Everything[DayRow],
    ),
)
