"""How does a list keep to what its caller may see? By a clause with the caller's namespaces; everywhere needs none."""

from __future__ import annotations

from penstock.model.access import Scope
from penstock.store import codec


def reached(scope: Scope) -> dict[str, object]:
    """The clause `scope` with its value; nothing where the caller sees everything."""
    return {} if scope.everywhere else {"scope": codec.text(scope.namespaces)}


def holds(scope: Scope, namespace: str) -> bool:
    """Whether a scope reaches a namespace."""
    return scope.everywhere or any(within(namespace, top) for top in scope.namespaces)


def within(namespace: str, top: str) -> bool:
    """Whether a namespace is another, or lies below it."""
    return namespace == top or namespace.startswith(f"{top}.")
