"""Which addresses are about runs?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import runs
from penstock.api.route import Route, Where
from penstock.api.shapes.lists import Page
from penstock.api.shapes.runs import RunRow, RunsAsked
from penstock.model.access import Action

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/runs",
        summary="Runs that fit, a page at a time.",
        handler=runs.list_runs,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=RunsAsked,
        answer=Page[RunRow],
    ),
)
