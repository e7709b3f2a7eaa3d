"""How do people come in? By name and password, or by a link for the first one; a session is what they get."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.errors.access import BadInvitation, PersonExists, WrongLogin
from penstock.model.access import Action, Actor, ActorKind
from penstock.model.policy import SECOND
from penstock.services.access import delay, keys, passwords
from penstock.services.access.audited import audited
from penstock.services.access.bearers import VIA
from penstock.services.access.people import OWNER, check_name, check_over, person
from penstock.services.core import Core
from penstock.store import credentials
from penstock.store import people as table
from penstock.store.credentials import Link, Session
from penstock.store.port import Tx
from penstock.telemetry import Level

LIFE: Final = 7 * 86_400 * SECOND
INVITED: Final = 86_400 * SECOND


class Opened(msgspec.Struct, frozen=True):
    """A session that was opened: the secret for the cookie, told this once, and the token that goes with its forms."""

    secret: str
    csrf: str
    person: str
    expires_at: int


def login(core: Core, name: str, password: str, origin: str = "") -> Opened:
    """Open a session by name and password. Raises WrongLogin, TooManyLogins."""
    name = name.strip().lower()
    delay.counted(core, name, origin)
    kept = core.store.read(lambda tx: table.password(tx, name))
    if not passwords.holds(kept, password):
        core.notices.say("login.refused", core.clock.now(), Level.WARNING, origin=origin)
        raise WrongLogin("The name or the password is wrong.")
    delay.forgiven(core, name, origin)
    return open_session(core, name, origin)


def open_session(core: Core, name: str, origin: str = "") -> Opened:
    """Open a session for a user who has proved who they are. Raises UnknownPerson, WrongLogin."""
    return _open(core.asked_by(Actor(name=name, via=VIA, origin=origin)), name)


@audited(None, "sessions.open", "{name}")
def _open(core: Core, name: str) -> Opened:
    secret, now = keys.draw(), core.clock.now()

    def work(tx: Tx) -> None:
        found = person(tx, name)
        if found.disabled or found.kind is not ActorKind.USER:
            raise WrongLogin("The name or the password is wrong.")
        credentials.open_session(tx, Link(keys.kept(secret), name, now + LIFE), now, core.actor.origin)

    core.store.write(work)
    return Opened(secret, keys.csrf_token(secret), name, now + LIFE)


@audited(None, "sessions.close", "{core.actor.name}")
def logout(core: Core, session: str) -> bool:
    """End a session by its secret; False when there is none."""
    return core.store.write(lambda tx: credentials.close_session(tx, keys.kept(session)))


def sessions_of(core: Core, name: str) -> list[Session]:
    """The sessions of somebody, newest first."""
    now = core.clock.now()
    return core.store.read(lambda tx: credentials.sessions(tx, name, now))


@audited(None, "people.own_password", "{core.actor.name}")
def change_password(core: Core, old: str, new: str, session: str = "") -> None:
    """Let who asks change their own password; their other sessions end.

    Raises WrongLogin, TooManyLogins, WeakPassword.
    """
    name, now = core.actor.name, core.clock.now()
    hashed = passwords.hashed(name, new)
    delay.counted(core, name, core.actor.origin)
    if not passwords.holds(core.store.read(lambda tx: table.password(tx, name)), old):
        raise WrongLogin("The old password is wrong.")
    delay.forgiven(core, name, core.actor.origin)

    def work(tx: Tx) -> None:
        table.set_password(tx, name, hashed, now)
        credentials.close_sessions(tx, name, keys.kept(session) if session else "")

    core.store.write(work)


def first_owner(core: Core) -> str | None:
    """Draw the secret of a link by which the first owner comes in; None when somebody is there already."""
    if not core.store.read(table.nobody):
        return None
    return _draw_link(core, "")


@audited(Action.PEOPLE_EDIT, "people.invite", "{name}")
def invite(core: Core, name: str) -> str:
    """Draw the secret of a link by which a user chooses a password, once and soon. Raises UnknownPerson, MayNot."""
    return _draw_link(core, name)


def accept(core: Core, secret: str, password: str, name: str = "", origin: str = "") -> Opened:
    """Use a link: choose a password, and come in; the first owner chooses a name, too.

    Raises BadInvitation, BadPersonName, WeakPassword, PersonExists.
    """
    hashed, now = keys.kept(secret), core.clock.now()
    invited = core.store.read(lambda tx: credentials.invited(tx, hashed, now))
    if invited is None:
        raise BadInvitation("This link was used already, or is past its time.")
    name = invited or check_name(name.strip().lower())
    asking = core.asked_by(Actor(name=name, via="link", origin=origin))
    _take(asking, hashed, name, passwords.hashed(name, password), first=not invited)
    return open_session(core, name, origin)


@audited(None, "people.accept", "{name}", keeps=("first",))
def _take(core: Core, hashed: str, name: str, password: str, *, first: bool) -> None:
    now = core.clock.now()

    def work(tx: Tx) -> None:
        if not credentials.take_invitation(tx, hashed) or (first and not table.nobody(tx)):
            raise BadInvitation("Somebody has used this link already.")
        if not first:
            table.set_password(tx, name, password, now)
            credentials.close_sessions(tx, name)
            return
        if not table.add(tx, name, ActorKind.USER, now, password):
            raise PersonExists(f"There is somebody named {name} already.")
        table.grant(tx, name, OWNER.role, OWNER.namespace, now, name)

    core.store.write(work)


def _draw_link(core: Core, name: str) -> str:
    secret, now = keys.draw(), core.clock.now()

    def work(tx: Tx) -> None:
        if name:
            check_over(core.actor, person(tx, name))
        credentials.invite(tx, Link(keys.kept(secret), name, now + INVITED), now)

    core.store.write(work)
    return secret
