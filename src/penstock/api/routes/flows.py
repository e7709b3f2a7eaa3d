"""Which addresses are about flows?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import flows
from penstock.api.route import Route, Where
from penstock.api.shapes.flows import FlowRow, FlowsAsked
from penstock.api.shapes.lists import Page
from penstock.model.access import Action

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/flows",
        summary="Flows by name, a page at a time.",
        handler=flows.list_flows,
        where=Where.LIST,
        action=Action.FLOWS_VIEW,
        query=FlowsAsked,
        answer=Page[FlowRow],
    ),
)
