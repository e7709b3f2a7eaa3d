"""Which addresses keep the installation, or a part of it, still?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import maintenance
from penstock.api.route import Route, Where
from penstock.api.shapes.maintenance import MaintenanceAsked, MaintenanceDone, Still
from penstock.model.access import Action

MAINTENANCE: Final = "/v1/maintenance"

ROUTES: Final = (
    Route(
        method="GET",
        path=MAINTENANCE,
        summary="What is in maintenance, and how many runs wait for its end.",
        handler=maintenance.read_maintenance,
        where=Where.WHOLE,
        action=Action.WORKERS_VIEW,
        answer=Still,
    ),
    Route(
        method="POST",
        path=MAINTENANCE,
        summary="Let no run begin in a namespace or anywhere, or let them begin again.",
        handler=maintenance.set_maintenance,
        where=Where.BODY,
        action=Action.MAINTENANCE_EDIT,
        body=MaintenanceAsked,
        answer=MaintenanceDone,
    ),
)
