"""What is asked and told of people, their roles, tokens and sessions, and of what they did? Secrets are told once."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit, Namespace
from penstock.api.shapes.runs import Instant
from penstock.model.access import Action, ActorKind

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Password = Annotated[str, Meta(min_length=1, max_length=256)]
NAMESPACE = Meta(max_length=150, description="There and below; empty: everywhere.")
DAYS = Meta(ge=1, le=3_650, description="How long it lives; null: until it is revoked.")


class LoginAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who logs in, and by what."""

    name: Name
    password: Password


class WelcomeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invitation, and the password that is chosen by it; the first owner chooses a name, too."""

    invitation: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Password
    name: Annotated[str, Meta(max_length=100)] = ""


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was opened: its cookie comes along, `csrf` goes into the header X-CSRF-Token of what changes."""

    name: str
    csrf: str
    expires: str


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser goes next: the provider's own page."""

    url: str


class CameBack(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider sends along with who comes back from it."""

    state: Annotated[str, Meta(max_length=500)] = ""
    code: Annotated[str, Meta(max_length=2000)] = ""
    iss: Annotated[str, Meta(max_length=500)] = ""
    scope: Annotated[str, Meta(max_length=500)] = ""
    session_state: Annotated[str, Meta(max_length=500)] = ""
    error: Annotated[str, Meta(max_length=500)] = ""
    error_description: Annotated[str, Meta(max_length=2000)] = ""
    error_uri: Annotated[str, Meta(max_length=2000)] = ""


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


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that is, and the one that is to be."""

    old: Password
    new: Password


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a service account; `password` says whether one is set."""

    name: str
    kind: ActorKind
    password: bool
    disabled: bool
    created: str
    grants: list[GrantRow]


class PersonAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody new, who may do nothing yet; a user without a password is invited to choose one."""

    name: Name
    service: bool = False
    password: Annotated[str, Meta(max_length=256)] = ""


class PasswordAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password."""

    password: Password


class GrantAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that is granted, or taken away."""

    role: Annotated[str, Meta(min_length=1, max_length=50)]
    namespace: Annotated[str, NAMESPACE] = ""


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation, told this once."""

    name: str
    invitation: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    sessions: int


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role and what it allows."""

    name: str
    built_in: bool
    actions: list[Action]


class RoleAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role of people's own allows: actions by name, or all of a kind (`runs.*`)."""

    actions: Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(min_length=1, max_length=100)]


class TokensAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens a list shows."""

    person: Annotated[str, Meta(max_length=100, description="Of this user or service account.")] = ""


class TokenWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new token is for, which of its owner's rights it keeps (null: all), and for how many days."""

    label: Annotated[str, Meta(max_length=200)] = ""
    actions: Annotated[list[str], Meta(max_length=100)] | None = None
    namespaces: Annotated[list[str], Meta(max_length=100)] | None = None
    days: Annotated[int, DAYS] | None = 90


class TokenOfWanted(TokenWanted, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new token of somebody."""

    person: Name


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


class ActsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts a list shows."""

    namespace: Namespace = ""
    who: Annotated[str, Meta(max_length=300, description="By this user, service account or caller.")] = ""
    verb: Annotated[str, Meta(max_length=50, description="Of this kind: runs.kill, people.edit.")] = ""
    since: Instant | None = None
    until: Instant | None = None
    limit: Limit = 100
    cursor: Cursor = ""


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


class HeadAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A head known from before, which must still be in the chain."""

    head: Annotated[str, Meta(max_length=64)] = ""


class ChainRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the whole audit found; `head` is to be kept elsewhere."""

    sound: bool
    seals: int
    acts: int
    unsealed: int
    head: str
    problems: list[str]
