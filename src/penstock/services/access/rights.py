"""May this actor do that there? The one rule of rights: what no grant allows is denied."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.access import EVERYWHERE, Action, Actor, Scope
from penstock.services.access.roles import actions_of


def can(actor: Actor, action: Action, namespace: str) -> bool:
    """Whether an actor may do something in a namespace; an empty namespace asks for the whole installation."""
    return covers(scope(actor, action), namespace)


def scope(actor: Actor, action: Action) -> Scope:
    """Where an actor may do something, said as shortly as it can be: what every list is asked with."""
    granted = _reach(grant.namespace for grant in actor.grants if action in actions_of(grant))
    kept = actor.narrowed
    if kept.actions is not None and action not in kept.actions:
        return Scope()
    return granted if kept.namespaces is None else _both(granted, _reach(kept.namespaces))


def covers(reached: Scope, namespace: str) -> bool:
    """Whether a scope holds a namespace; only `everywhere` holds the empty one."""
    return reached.everywhere or (bool(namespace) and any(_within(namespace, one) for one in reached.namespaces))


def _within(namespace: str, top: str) -> bool:
    return namespace == top or namespace.startswith(f"{top}.")


def _reach(tops: Iterable[str]) -> Scope:
    """The scope of some namespaces; one below another says nothing new."""
    named = set(tops)
    if "" in named:
        return EVERYWHERE
    return Scope(namespaces=tuple(sorted(one for one in named if not any(_within(one, top) for top in named - {one}))))


def _both(left: Scope, right: Scope) -> Scope:
    """What two scopes have in common."""
    if left.everywhere or right.everywhere:
        return right if left.everywhere else left
    shared = [one for one in left.namespaces if covers(right, one)]
    return _reach([*shared, *(one for one in right.namespaces if covers(left, one))])
