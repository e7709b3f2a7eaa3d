"""Who asks, and what may they do where? Actors, roles and the namespaces that a right reaches."""

from __future__ import annotations

import enum

import msgspec


class ActorKind(enum.StrEnum):
    """What somebody is: a person, a program of somebody's, or Penstock itself."""

    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"


class Grant(msgspec.Struct, frozen=True):
    """A role in a namespace and those below it; an empty namespace is everywhere."""

    role: str
    namespace: str = ""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a name for the audit, what it is, and what it was granted."""

    name: str
    kind: ActorKind = ActorKind.USER
    grants: tuple[Grant, ...] = ()


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where an actor may do something: everywhere, or in these namespaces and those below them."""

    everywhere: bool = False
    namespaces: tuple[str, ...] = ()


EVERYWHERE = Scope(everywhere=True)
NOWHERE = Scope()
