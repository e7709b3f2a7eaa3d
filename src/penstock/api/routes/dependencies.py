"""Which addresses tell which flows start which?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import dependencies
from penstock.api.route import Route, Where
from penstock.api.routes.flows import FLOW
from penstock.api.shapes.dependencies import Dependencies, DependenciesAsked
from penstock.model.access import Action

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{FLOW}/dependencies",
        summary="What starts it, and what it starts: subflows, and triggers that wait for runs.",
        handler=dependencies.get_dependencies,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        query=DependenciesAsked,
        answer=Dependencies,
    ),
    Route(
        method="GET",
        path="/v1/namespaces/{namespace}/dependencies",
        summary="What the flows of a namespace start, and what starts them.",
        handler=dependencies.get_namespace_dependencies,
        where=Where.PATH,
        action=Action.FLOWS_VIEW,
        answer=Dependencies,
    ),
)
