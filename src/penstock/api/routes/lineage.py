"""Which addresses tell where data come from, and what becomes of them?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import lineage
from penstock.api.route import Route, Where
from penstock.api.routes.runs import RUN
from penstock.api.shapes.lineage import LineageAsked
from penstock.model.access import Action
from penstock.model.lineage import DataGraph

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{RUN}/lineage",
        summary="What data it read and wrote, as its tasks told where lineage is wanted.",
        handler=lineage.get_run_lineage,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        answer=DataGraph,
    ),
    Route(
        method="GET",
        path="/v1/lineage",
        summary="What data flows read and write, each as the newest of its runs told it.",
        handler=lineage.get_lineage,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=LineageAsked,
        answer=DataGraph,
    ),
)
