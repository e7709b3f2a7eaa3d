"""What are the figures? Those of the installation as they stand, and those that this server has counted."""

from __future__ import annotations

from penstock.api.route import Call, Sent
from penstock.services.gauges import gauges
from penstock.telemetry.metrics import MEDIA


def read_metrics(call: Call[None, None]) -> Sent:
    """All of them, read when they are asked for."""
    text = call.app.metrics.text(gauges(call.core))
    return Sent([text.encode()], MEDIA, headers={"Cache-Control": "no-store"})
