"""Who asks? A token or the local key in the header, else a session's cookie; whoever brings neither is a stranger."""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import Request

from penstock.api.dispatch import Who
from penstock.app import App
from penstock.model.access import Action, Actor, ActorKind, Grant
from penstock.services.access import bearers, keys, local_key
from penstock.settings.read import expanded

COOKIE: Final = "penstock_session"
CSRF: Final = "x-csrf-token"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def who_of(app: App, owner: str) -> Who:
    """What tells who asks; `owner` is the name of who has the key of this machine."""
    key = local_key.read(app.where.state)
    scrapes = expanded(app.project.settings.metrics.token)

    def who(request: Request) -> Actor | None:
        origin = request.client.host if request.client else ""
        brought = request.headers.get("authorization", "")
        if brought:
            given = bearers.token_of(brought, request.headers.get("sec-fetch-site", ""))
            found = local_key.resolve(key, given, owner, origin) or _scraper(scrapes, given, origin)
            return found or bearers.resolve(app.core, bearer=given, origin=origin)
        session = request.cookies.get(COOKIE, "")
        # A page of somebody else's may have the browser send the cookie along, but cannot know what belongs to it.
        if request.method not in READS and not keys.csrf_holds(session, request.headers.get(CSRF, "")):
            return None
        return bearers.resolve(app.core, session=session, origin=origin)

    return who


def _scraper(kept: str, given: str, origin: str) -> Actor | None:
    """The program that the settings let read the figures, by its token."""
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        return None
    grant = Grant("scraper", actions=frozenset({Action.METRICS_VIEW}))
    return Actor(name="scraper", kind=ActorKind.SERVICE, grants=(grant,), via="settings", origin=origin)
