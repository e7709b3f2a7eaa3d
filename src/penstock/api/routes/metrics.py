"""Which address tells figures to programs that watch?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import metrics
from penstock.api.route import Route, Where
from penstock.model.access import Action

ROUTES: Final = (
    Route(
        method="GET",
        path="/metrics",
        summary="Figures of the installation and of this server, as Prometheus reads them.",
        handler=metrics.read_metrics,
        where=Where.WHOLE,
        action=Action.METRICS_VIEW,
        gives="text/plain",
    ),
)
