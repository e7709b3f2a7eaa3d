"""Which addresses tell of what happens, for as long as somebody listens?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import live
from penstock.api.route import Kind, Route, Where
from penstock.api.routes.runs import RUN
from penstock.api.shapes.live import ChangesAsked, FollowAsked
from penstock.model.access import Action

EVENTS: Final = "text/event-stream"

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/changes",
        summary="What changes, as server-sent events; goes on behind the Last-Event-ID.",
        handler=live.listen_to_changes,
        where=Where.LIST,
        action=Action.RUNS_VIEW,
        query=ChangesAsked,
        kind=Kind.STREAM,
        gives=EVENTS,
    ),
    Route(
        method="GET",
        path=f"{RUN}/follow",
        summary="It and its log while they go on, as server-sent events; goes on behind the Last-Event-ID.",
        handler=live.follow_run,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=FollowAsked,
        kind=Kind.STREAM,
        gives=EVENTS,
    ),
)
