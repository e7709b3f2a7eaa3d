"""What is served to programs that were written for Kestra? Every row, at the addresses of 0.20."""

from __future__ import annotations

from typing import Final

from penstock.api.route import Route
from penstock.api.routes.kestra import executions, flows, kept

KESTRA: Final[tuple[Route, ...]] = (*executions.ROUTES, *flows.ROUTES, *kept.ROUTES)
