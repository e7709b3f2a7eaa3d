"""Who is asking, by what a call brings along? A token or a session, found by the hash of its secret."""

from __future__ import annotations

import base64
import contextlib
from typing import Final

from penstock.errors.store import StoreError
from penstock.model.access import Actor
from penstock.model.policy import SECOND
from penstock.services.access import keys
from penstock.services.access.delay import FORGOTTEN
from penstock.services.core import Core
from penstock.store import credentials
from penstock.store.credentials import Bearer

IDLE: Final = 86_400 * SECOND
# How fine the moments are at which tokens and sessions were used: finer ones would make hot rows of them.
COARSE: Final = 300 * SECOND
VIA: Final = "session"


def resolve(core: Core, *, bearer: str = "", session: str = "", origin: str = "") -> Actor | None:
    """Tell who asks, by a token or else by a session; None when what was brought along is worth nothing (any more)."""
    hashed, now = keys.kept(bearer or session), core.clock.now()
    if bearer:
        found = core.store.glance(lambda tx: credentials.token(tx, hashed, now))
    elif session:
        found = core.store.glance(lambda tx: credentials.session(tx, hashed, now, now - IDLE))
    else:
        return None
    if found is None:
        return None
    if now - found.noted_at >= COARSE:
        _note(core, hashed, now, by_token=bool(bearer))
    return _actor(found, origin)


def token_of(header: str, site: str = "") -> str:
    """The token in a header: `Bearer TOKEN`, or the password of `Basic`, for programs that know no other way.

    Browsers remember what was sent as Basic, and send it along for pages of others, too; what they say of the `site`
    that a call comes from tells. Nothing where there is no token to be believed.
    """
    scheme, _, given = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return given.strip()
        case "basic" if site in ("", "none", "same-origin"):
            try:
                return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
            except ValueError:
                return ""
        case _:
            return ""


def expire(core: Core) -> int:
    """Remove sessions past their time and failed logins of long ago; tells how many sessions that were."""
    now = core.clock.now()
    return core.store.write(lambda tx: credentials.expire(tx, now, now - IDLE, now - FORGOTTEN))


def _note(core: Core, hashed: str, now: int, *, by_token: bool) -> None:
    """Note that a token or a session is in use; a store that is busy may miss it."""
    noted = credentials.use_token if by_token else credentials.see_session
    with contextlib.suppress(StoreError):
        core.store.write(lambda tx: noted(tx, hashed, now))


def _actor(found: Bearer, origin: str) -> Actor:
    return Actor(
        name=found.name,
        kind=found.kind,
        grants=found.grants,
        narrowed=found.narrowed,
        via=f"token {found.prefix}" if found.prefix else VIA,
        origin=origin,
    )
