"""Which addresses are about alerts?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import alerts
from penstock.api.route import Route, Where
from penstock.api.shapes.alerts import AlertPut, AlertRow, AlertTested
from penstock.api.shapes.lists import Everything
from penstock.model.access import Action

ALERTS: Final = "/v1/alerts"
ALERT: Final = f"{ALERTS}/{{name}}"

ROUTES: Final = (
    Route(
        method="GET",
        path=ALERTS,
        summary="What people want to be told of, and what was told and is not over.",
        handler=alerts.list_alerts,
        where=Where.LIST,
        action=Action.ALERTS_VIEW,
        answer=Everything[AlertRow],
    ),
    Route(
        method="PUT",
        path=ALERT,
        summary="Be told of something, by a run of a flow.",
        handler=alerts.put_alert,
        where=Where.BODY,
        action=Action.ALERTS_EDIT,
        body=AlertPut,
        answer=AlertRow,
    ),
    Route(
        method="DELETE",
        path=ALERT,
        summary="Be told no more.",
        handler=alerts.delete_alert,
        where=Where.LIST,
        action=Action.ALERTS_EDIT,
    ),
    Route(
        method="POST",
        path=f"{ALERT}/test",
        summary="Have it tell of something that did not happen.",
        handler=alerts.try_alert,
        where=Where.LIST,
        action=Action.ALERTS_EDIT,
        answer=AlertTested,
        status=201,
    ),
)
