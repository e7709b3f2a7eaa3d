"""Who may come in, and what were they granted? Nobody gives, takes or touches more than they may do themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.errors import nearest
from penstock.errors.access import BadPersonName, LastOwner, PersonExists, UnknownPerson, UnknownRole
from penstock.errors.api import MayNot
from penstock.model import ids
from penstock.model.access import Action, Actor, ActorKind, Grant
from penstock.services.access import passwords
from penstock.services.access.audited import audited
from penstock.services.access.rights import can
from penstock.services.access.roles import BUILT_IN, actions_of
from penstock.services.core import Core
from penstock.services.unanswered import repeat_unknown
from penstock.store import credentials
from penstock.store import people as table
from penstock.store.people import Person
from penstock.store.port import Tx

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")
OWNER: Final = Grant("owner")


@audited(Action.PEOPLE_EDIT, "people.add", "{name}", keeps=("kind",))
def add(core: Core, name: str, password: str = "", *, kind: ActorKind = ActorKind.USER) -> Person:
    """Add a user, or a service account, who may do nothing yet. Raises BadPersonName, WeakPassword, PersonExists."""
    hashed = passwords.hashed(check_name(name), password) if password else ""
    now = core.clock.now()

    def work(tx: Tx) -> Person:
        if not table.add(tx, name, kind, now, hashed):
            raise PersonExists(f"There is somebody named {name} already.")
        return person(tx, name)

    return core.store.write(work)


@audited(Action.PEOPLE_EDIT, "people.password", "{name}")
def set_password(core: Core, name: str, password: str) -> None:
    """Give a user a new password and end their sessions. Raises UnknownPerson, WeakPassword, MayNot."""
    hashed = passwords.hashed(name, password)
    now = core.clock.now()

    def work(tx: Tx) -> None:
        check_over(core.actor, _user(tx, name))
        table.set_password(tx, name, hashed, now)
        credentials.close_sessions(tx, name)

    repeat_unknown(core, lambda: core.store.write(work))


@audited(Action.PEOPLE_EDIT, "people.disable", "{name}")
def disable(core: Core, name: str) -> None:
    """Keep somebody out, now: sessions end, tokens are worth nothing. Raises UnknownPerson, LastOwner, MayNot."""
    now = core.clock.now()

    def work(tx: Tx) -> None:
        found = person(tx, name)
        check_over(core.actor, found)
        _check_owner_left(tx, found)
        table.disable(tx, name, now)
        credentials.close_sessions(tx, name)

    repeat_unknown(core, lambda: core.store.write(work))


@audited(Action.PEOPLE_EDIT, "people.enable", "{name}")
def enable(core: Core, name: str) -> None:
    """Let somebody in again. Raises UnknownPerson, MayNot."""
    now = core.clock.now()

    def work(tx: Tx) -> None:
        check_over(core.actor, person(tx, name))
        table.disable(tx, name, now, disabled=False)

    repeat_unknown(core, lambda: core.store.write(work))


@audited(Action.PEOPLE_EDIT, "people.log_out", "{name}")
def log_out(core: Core, name: str) -> int:
    """End all sessions of somebody and tell how many that were. Raises UnknownPerson, MayNot."""

    def work(tx: Tx) -> int:
        check_over(core.actor, person(tx, name))
        return credentials.close_sessions(tx, name)

    return core.store.write(work)


@audited(Action.PEOPLE_EDIT, "people.grant", "{name}", namespace="{namespace}", keeps=("role", "namespace"))
def grant(core: Core, name: str, role: str, namespace: str = "") -> bool:
    """Grant a role in a namespace and below; an empty one is everywhere. False when it was granted before.

    Raises UnknownPerson, UnknownRole, BadId, and MayNot where the role allows what who asks may not do there.
    """
    if namespace:
        ids.check_namespace(namespace)
    now = core.clock.now()

    def work(tx: Tx) -> bool:
        person(tx, name)
        check_grants(core.actor, [known_role(tx, role, namespace)])
        return table.grant(tx, name, role, namespace, now, core.actor.name)

    return repeat_unknown(core, lambda: core.store.write(work))


@audited(Action.PEOPLE_EDIT, "people.revoke", "{name}", namespace="{namespace}", keeps=("role", "namespace"))
def revoke(core: Core, name: str, role: str, namespace: str = "") -> bool:
    """Take a role in a namespace away; False when it was not granted. Raises UnknownPerson, LastOwner, MayNot."""

    def work(tx: Tx) -> bool:
        found = person(tx, name)
        gone = [each for each in found.grants if (each.role, each.namespace) == (role, namespace)]
        check_grants(core.actor, gone)
        if any(each.role == OWNER.role and not each.namespace for each in gone):
            _check_owner_left(tx, found)
        return table.revoke(tx, name, role, namespace)

    return repeat_unknown(core, lambda: core.store.write(work))


def every(core: Core) -> list[Person]:
    """Everybody by name, with all grants."""
    return core.store.read(table.every)


def check_name(text: str) -> str:
    """Answer `text` when it may name somebody. Raises BadPersonName."""
    if not NAME.fullmatch(text):
        rule = 'lower-case letters, digits, ".", "_", "-", "@", "+", at most 100'
        raise BadPersonName(f'"{text[:120]}" cannot name a user or a service account: {rule}.')
    return text


def person(tx: Tx, name: str) -> Person:
    """Somebody with all grants. Raises UnknownPerson."""
    found = table.get(tx, name)
    if found is None:
        hint = nearest(name, [one.name for one in table.every(tx)])
        raise UnknownPerson(f'There is nobody named "{name[:120]}".', hint=hint)
    return found


def known_role(tx: Tx, role: str, namespace: str) -> Grant:
    """A role as it would be granted in a namespace. Raises UnknownRole."""
    own = {one.name: one.actions for one in table.roles(tx)}
    if role not in BUILT_IN and role not in own:
        hint = nearest(role, [*BUILT_IN, *own]) or f"There are: {', '.join([*BUILT_IN, *own])}."
        raise UnknownRole(f'There is no role "{role[:120]}".', hint=hint)
    return Grant(role, namespace, own.get(role, frozenset()))


def check_over(actor: Actor, found: Person) -> None:
    """Refuse to touch somebody who may do more than who asks. Raises MayNot."""
    check_grants(actor, found.grants, whose=f" {found.name} may")


def check_grants(actor: Actor, grants: Iterable[Grant], whose: str = "") -> None:
    """Refuse what allows more than who asks may do there. Raises MayNot."""
    for each in grants:
        for action in sorted(actions_of(each)):
            if not can(actor, action, each.namespace):
                where = f'in the namespace "{each.namespace}"' if each.namespace else "everywhere"
                said = f"{whose} do it" if whose else f' the role "{each.role}" allows it'
                raise MayNot(f"{actor.name} lacks the right {action} {where}, and{said}.")


def _user(tx: Tx, name: str) -> Person:
    found = person(tx, name)
    if found.kind is not ActorKind.USER:
        raise UnknownPerson(f"{name} is a service account, which has no password.", hint="Give it a token.")
    return found


def _check_owner_left(tx: Tx, leaving: Person) -> None:
    """Refuse to lose the last user who may do everything everywhere. Raises LastOwner."""
    # locked first, then read: of two who leave at the same moment the second one sees the first one gone
    others = [person(tx, name) for name in table.owners(tx) if name != leaving.name]
    if _owns(leaving) and not any(_owns(one) for one in others):
        raise LastOwner(f"{leaving.name} is the only owner.")


def _owns(one: Person) -> bool:
    granted = any(each.role == OWNER.role and not each.namespace for each in one.grants)
    return one.kind is ActorKind.USER and granted and not one.disabled
