"""Which addresses tell of the server itself?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import health
from penstock.api.route import Route, Where
from penstock.api.shapes.health import ErrorAbout, Live, Ready

ROUTES: Final = (
    Route(
        method="GET",
        path="/live",
        summary="Whether the process answers.",
        handler=health.live,
        where=Where.PUBLIC,
        answer=Live,
    ),
    Route(
        method="GET",
        path="/ready",
        summary="Whether the server can do its work: 200, or 503 with the reasons.",
        handler=health.ready,
        where=Where.PUBLIC,
        answer=Ready,
        also=(503,),
    ),
    Route(
        method="GET",
        path="/v1/errors/{code}",
        summary="What the code of an error means.",
        handler=health.explain_error,
        where=Where.PUBLIC,
        answer=ErrorAbout,
    ),
)
