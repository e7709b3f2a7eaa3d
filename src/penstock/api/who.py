"""Who asks? A token or the local key in the header, else a session's cookie; whoever brings neither is a stranger."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from penstock.api.dispatch import Who
from penstock.app import App
from penstock.model.access import Actor
from penstock.services.access import bearers, keys, local_key

COOKIE: Final = "penstock_session"
CSRF: Final = "x-csrf-token"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def who_of(app: App, owner: str) -> Who:
    """What tells who asks; `owner` is the name of who has the key of this machine."""
    key = local_key.read(app.where.state)

    def who(request: Request) -> Actor | None:
        origin = request.client.host if request.client else ""
        brought = request.headers.get("authorization", "")
        if brought:
            given = bearers.token_of(brought, request.headers.get("sec-fetch-site", ""))
            found = local_key.resolve(key, given, owner, origin)
            return found or bearers.resolve(app.core, bearer=given, origin=origin)
        session = request.cookies.get(COOKIE, "")
        # A page of somebody else's may have the browser send the cookie along, but cannot know what belongs to it.
        if request.method not in READS and not keys.csrf_holds(session, request.headers.get(CSRF, "")):
            return None
        return bearers.resolve(app.core, session=session, origin=origin)

    return who
