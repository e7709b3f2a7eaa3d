"""How do people come in by HTTP, and what may they do about themselves? A cookie holds the secret of their session."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from penstock.api.handlers.tokens import made, row, wanted
from penstock.api.route import Answer, Call
from penstock.api.shapes.lists import Everything
from penstock.api.shapes.people import (
    CameBack,
    Elsewhere,
    GrantRow,
    LoggedIn,
    LoginAsked,
    Me,
    PasswordChange,
    TokenMade,
    TokenRow,
    TokenWanted,
    WelcomeAsked,
)
from penstock.app.login import provider_of
from penstock.errors.api import MayNot
from penstock.model.access import Action, Actor
from penstock.model.policy import SECOND
from penstock.services.access import bearers, keys, oidc, scope, sessions, tokens
from penstock.services.document import instant

COOKIE: Final = "penstock_session"
AWAY: Final = "penstock_away"


def log_in(call: Call[None, LoginAsked]) -> Answer:
    """Open a session by name and password."""
    return _opened(call, sessions.login(call.core, call.body.name, call.body.password, call.actor.origin))


def accept_invitation(call: Call[None, WelcomeAsked]) -> Answer:
    """Choose a password by an invitation, and come in."""
    asked = call.body
    return _opened(call, sessions.accept(call.core, asked.invitation, asked.password, asked.name, call.actor.origin))


def begin_oidc(call: Call[None, None]) -> Answer:
    """Where a browser goes to log in by the provider."""
    begun = oidc.begin(call.core, provider_of(call.app))
    # sent along when the provider sends the browser back, which another site does: not Strict
    cookie = f"{AWAY}={begun.secret}; Path=/v1/oidc; HttpOnly; SameSite=Lax; Max-Age={oidc.AWAY // SECOND}"
    return Answer(Elsewhere(url=begun.url), headers={"Set-Cookie": cookie + _secure(call), "Cache-Control": "no-store"})


def finish_oidc(call: Call[CameBack, None]) -> Answer:
    """Take somebody back from the provider, and send them to the first page."""
    asked = call.query
    back = oidc.Back(
        secret=_cookie_of(call, AWAY), state=asked.state, code=asked.code, error=asked.error, issuer=asked.iss
    )
    opened = oidc.finish(call.core, provider_of(call.app), back, call.actor.origin)
    seconds = sessions.LIFE // SECOND
    return Answer(None, 303, headers={"Set-Cookie": _cookie(call, opened.secret, seconds), "Location": "/"})


def log_out(call: Call[None, None]) -> Answer:
    """End the session that asks; a token has none to end."""
    sessions.logout(call.core, session_of(call))
    return Answer(headers={"Set-Cookie": _cookie(call, "", 0)})


def who_am_i(call: Call[None, None]) -> Me:
    """Who asks, and what they may do."""
    actor = call.actor
    reach = {action: scope(actor, action) for action in Action}
    return Me(
        name=actor.name,
        kind=actor.kind,
        via=actor.via,
        grants=[GrantRow(role=each.role, namespace=each.namespace) for each in actor.grants],
        everywhere=[action for action, there in reach.items() if there.everywhere],
        somewhere=[action for action, there in reach.items() if there.namespaces],
        csrf=keys.csrf_token(session_of(call)) if actor.via == bearers.VIA else "",
    )


def change_password(call: Call[None, PasswordChange]) -> None:
    """Change the password of who asks; their other sessions end."""
    _in_person(call.actor)
    sessions.change_password(call.core, call.body.old, call.body.new, session_of(call))


def list_my_tokens(call: Call[None, None]) -> Everything[TokenRow]:
    """The tokens of who asks."""
    return Everything([row(one) for one in tokens.every(call.core, call.actor.name)] if call.actor.name else [])


def make_my_token(call: Call[None, TokenWanted]) -> TokenMade:
    """A new token of who asks."""
    _in_person(call.actor)
    return made(tokens.add(call.core, call.actor.name, wanted(call.body)))


def revoke_my_token(call: Call[None, None]) -> None:
    """Make a token of who asks worthless."""
    tokens.revoke(call.core, call.path["id"])


def session_of(call: Call[Any, Any]) -> str:
    """The secret of the session whose cookie came along; nothing where none did."""
    return _cookie_of(call, COOKIE)


def _cookie_of(call: Call[Any, Any], name: str) -> str:
    try:
        found = SimpleCookie(call.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _in_person(actor: Actor) -> None:
    """Refuse what a token may not do for its owner. Raises MayNot."""
    if actor.via != bearers.VIA:
        raise MayNot("Only who is logged in by a session may do this, not a token.")


def _opened(call: Call[Any, Any], opened: sessions.Opened) -> Answer:
    told = LoggedIn(name=opened.person, csrf=opened.csrf, expires=instant(opened.expires_at) or "")
    headers = {"Set-Cookie": _cookie(call, opened.secret, sessions.LIFE // SECOND), "Cache-Control": "no-store"}
    return Answer(told, headers=headers)


def _cookie(call: Call[Any, Any], secret: str, seconds: int) -> str:
    """A cookie that scripts do not see and other sites do not send; over TLS it stays there."""
    return f"{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{_secure(call)}"


def _secure(call: Call[Any, Any]) -> str:
    return "; Secure" if call.secure else ""
