"""What can be done with tokens by HTTP? Their secrets are told once, when they are made."""

from __future__ import annotations

from penstock.api.route import Call
from penstock.api.shapes.lists import Everything
from penstock.api.shapes.people import TokenMade, TokenOfWanted, TokenRow, TokensAsked, TokenWanted
from penstock.model.access import Action, Narrowed
from penstock.model.policy import SECOND
from penstock.services.access import tokens
from penstock.services.access.own_roles import read_actions
from penstock.services.access.tokens import Made, Wanted
from penstock.services.document import instant
from penstock.store.credentials import Token

DAY = 86_400 * SECOND


def list_tokens(call: Call[TokensAsked, None]) -> Everything[TokenRow]:
    """Everybody's tokens, or somebody's."""
    return Everything([row(one) for one in tokens.every(call.core, call.query.person)])


def make_token(call: Call[None, TokenOfWanted]) -> TokenMade:
    """A new token of somebody who may not do more than who asks."""
    return made(tokens.add(call.core, call.body.person, wanted(call.body)))


def revoke_token(call: Call[None, None]) -> None:
    """Make a token worthless, now."""
    tokens.revoke(call.core, call.path["id"])


def wanted(asked: TokenWanted) -> Wanted:
    """What a token is to be. Raises BadRole where an action is unknown."""
    kept = None if asked.actions is None else read_actions(asked.actions) if asked.actions else frozenset[Action]()
    within = None if asked.namespaces is None else tuple(asked.namespaces)
    life = None if asked.days is None else asked.days * DAY
    return Wanted(label=asked.label, narrowed=Narrowed(actions=kept, namespaces=within), life=life)


def made(new: Made) -> TokenMade:
    """A new token as it is told."""
    return TokenMade(token=row(new.token), secret=new.secret)


def row(one: Token) -> TokenRow:
    """A token as it is listed."""
    kept = one.narrowed
    return TokenRow(
        begins=one.prefix,
        person=one.person,
        label=one.label,
        actions=None if kept.actions is None else sorted(kept.actions),
        namespaces=None if kept.namespaces is None else list(kept.namespaces),
        created=instant(one.created_at) or "",
        created_by=one.created_by,
        expires=instant(one.expires_at),
        used=instant(one.used_at),
    )
