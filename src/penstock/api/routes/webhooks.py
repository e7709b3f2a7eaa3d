"""Which addresses does the world call to start runs? Those of webhooks; who calls knows the key, and proves no more."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from penstock.api.handlers import webhooks
from penstock.api.route import MEGABYTE, Handler, Route, Where
from penstock.api.shapes.webhooks import Knocked

PATH: Final = "/v1/webhooks/{namespace}/{flow}/{key}"
LARGEST: Final = 4 * MEGABYTE


def row(method: str, path: str, handler: Handler, answer: Any) -> Route:
    """The row of a webhook's address."""
    return Route(
        method=method,
        path=path,
        summary="Start a run by a webhook; 204 where a condition of its trigger does not hold.",
        handler=handler,
        where=Where.PUBLIC,
        query=dict,
        body=None if method == "GET" else BinaryIO,
        answer=answer,
        also=(204,),
        takes="*/*",
        limit=LARGEST,
        idempotent_key=True,
    )


ROUTES: Final = (
    row("GET", PATH, webhooks.get_webhook, Knocked),
    row("POST", PATH, webhooks.post_webhook, Knocked),
    row("PUT", PATH, webhooks.put_webhook, Knocked),
)
