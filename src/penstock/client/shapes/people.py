"""What is told of people, roles, tokens, and of what they did?"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.model.access import Action, ActorKind


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was opened: its cookie comes along, `csrf` goes into the header X-CSRF-Token of what changes."""

    name: str
    csrf: str
    expires: str


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a namespace and below it; the empty one is everywhere."""

    role: str
    namespace: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: by which way, with which rights; of a session also what goes into X-CSRF-Token."""

    name: str
    kind: ActorKind
    via: str
    grants: list[GrantRow]
    everywhere: list[Action]
    somewhere: list[Action]
    csrf: str = ""


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a service account; `password` says whether one is set."""

    name: str
    kind: ActorKind
    password: bool
    disabled: bool
    created: str
    grants: list[GrantRow]


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation, told this once."""

    name: str
    invitation: str


class SessionsEnded(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    sessions: int


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role and what it allows."""

    name: str
    built_in: bool
    actions: list[Action]


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret: `begins` tells which one it is, `used` when it was, to five minutes."""

    begins: str
    person: str
    label: str
    actions: list[Action] | None
    namespaces: list[str] | None
    created: str
    created_by: str
    expires: str | None
    used: str | None


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new token with its secret, which is told this once."""

    token: TokenRow
    secret: str


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """An act: who did what to what, where, when and by which way; `seal` is 0 until it has one."""

    id: str
    at: str
    who: str
    kind: str
    via: str
    origin: str
    action: str
    verb: str
    object: str
    namespace: str
    detail: dict[str, Any]
    seal: int


class ChainRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the whole audit found; `head` is to be kept elsewhere."""

    sound: bool
    seals: int
    acts: int
    unsealed: int
    head: str
    problems: list[str]
