"""What is served? Every row; what is not here is not served."""

from __future__ import annotations

from typing import Final

from penstock.api.route import Route
from penstock.api.routes import (
    alerts,
    busy,
    dependencies,
    documents,
    files,
    flows,
    git,
    health,
    kv,
    lineage,
    live,
    maintenance,
    metrics,
    namespace_files,
    parts,
    people,
    runs,
    secrets,
    stats,
    triggers,
    webhooks,
)
from penstock.api.routes.kestra.table import KESTRA

TABLE: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *documents.routes(lambda: TABLE),
    *flows.ROUTES,
    *git.ROUTES,
    *dependencies.ROUTES,
    *lineage.ROUTES,
    *runs.ROUTES,
    *stats.ROUTES,
    *parts.ROUTES,
    *live.ROUTES,
    *files.ROUTES,
    *kv.ROUTES,
    *namespace_files.ROUTES,
    *secrets.ROUTES,
    *busy.ROUTES,
    *triggers.ROUTES,
    *maintenance.ROUTES,
    *alerts.ROUTES,
    *metrics.ROUTES,
    *webhooks.ROUTES,
    *people.ROUTES,
)
# What is told in the document, and the addresses of Kestra, which Kestra's own documents tell.
SERVED: Final[tuple[Route, ...]] = (*TABLE, *KESTRA)
