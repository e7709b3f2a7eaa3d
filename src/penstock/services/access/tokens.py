"""By what do programs come in? Tokens: told once, kept as hashes, narrowed to some actions and namespaces, expiring."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.errors.access import UnknownToken
from penstock.model import ids
from penstock.model.access import Action, ActorKind, Narrowed
from penstock.model.policy import SECOND
from penstock.services.access import keys
from penstock.services.access.audited import audited, need
from penstock.services.access.bearers import VIA
from penstock.services.access.people import check_over, person
from penstock.services.core import Core
from penstock.store import credentials
from penstock.store.credentials import Token
from penstock.store.port import Tx

LIFE: Final = 90 * 86_400 * SECOND


class Made(msgspec.Struct, frozen=True):
    """A new token, and its secret, which is told this once."""

    token: Token
    secret: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a new token is for, what it keeps of its owner's rights, and its life in microseconds (None: no end)."""

    label: str = ""
    narrowed: Narrowed = Narrowed()
    life: int | None = LIFE


@audited(None, "tokens.add", "{name}", keeps=("wanted",))
def add(core: Core, name: str, wanted: Wanted) -> Made:
    """Make a token for oneself or, with the right to edit people, for somebody who may not do more than who asks.

    A token makes none for its own owner, so that one with little time or few rights stays so. Raises UnknownPerson,
    MayNot, BadId.
    """
    for namespace in wanted.narrowed.namespaces or ():
        ids.check_namespace(namespace)
    secret, now, actor = keys.draw_token(), core.clock.now(), core.actor
    own = actor.name == name and actor.via == VIA
    if not own:
        need(actor, Action.PEOPLE_EDIT, "")
    token = Token(
        prefix=keys.prefix(secret), person=name, label=wanted.label[:200], narrowed=wanted.narrowed,
        created_at=now, created_by=actor.name, used_at=None,
        expires_at=None if wanted.life is None else now + wanted.life,
    )  # fmt: skip

    def work(tx: Tx) -> None:
        found = person(tx, name)
        if not own:
            check_over(actor, found)
        credentials.add_token(tx, keys.kept(secret), token)

    core.store.write(work)
    return Made(token, secret)


@audited(None, "tokens.revoke", "{prefix}")
def revoke(core: Core, prefix: str) -> Token:
    """Make a token worthless, now; given by what it begins with. Raises UnknownToken, MayNot."""
    actor = core.actor

    def work(tx: Tx) -> Token:
        begins = keys.prefix(prefix)
        found = next((one for one in credentials.tokens(tx) if one.prefix == begins), None)
        own = found is not None and found.person == actor.name and actor.kind is not ActorKind.SYSTEM
        if not own:
            need(actor, Action.PEOPLE_EDIT, "")
        if found is None:
            raise UnknownToken(f'There is no token that begins with "{begins}".')
        if not own:
            check_over(actor, person(tx, found.person))
        credentials.revoke_token(tx, begins)
        return found

    return core.store.write(work)


def every(core: Core, name: str = "") -> list[Token]:
    """The tokens of somebody, or everybody's, without their secrets."""
    return core.store.read(lambda tx: credentials.tokens(tx, name))
