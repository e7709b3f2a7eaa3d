"""How does a list keep to what its caller may see? By a clause with the caller's namespaces; everywhere needs none."""

from __future__ import annotations

from penstock.model.access import Scope
from penstock.store import codec


def reached(scope: Scope) -> dict[str, object]:
    """The clause `scope` with its value; nothing where the caller sees everything."""
    return {} if scope.everywhere else {"scope": codec.text(scope.namespaces)}
