"""How many children of a group may be under way at once? A number as written, or what a template comes to."""

from __future__ import annotations

from typing import TypeAlias

from msgspec.structs import replace

from penstock.engine.draft import Draft
from penstock.engine.evaluate import typed
from penstock.engine.values import convert
from penstock.errors.run import InvalidInput
from penstock.model.node import Dag, ForEach, Parallel
from penstock.model.run import GroupState

Limited: TypeAlias = Parallel | ForEach | Dag


def find(draft: Draft, key: str, node: Limited, values: dict[str, object] | None) -> None:
    """Settle the limit of a group that begins; `values` are what a worker evaluated. Raises PenstockError."""
    if isinstance(node.limit, int):
        return
    found = values["limit"] if values else typed(draft, key, node.limit)
    many = convert("INT", found, "limit") if found not in (None, "") else 0
    if not isinstance(many, int) or many < 0:
        raise InvalidInput(f'"{node.id}" cannot do {many} at once; 0 means all.')
    draft.set_group(key, replace(draft.group(key), limit=many))


def limit_of(node: Limited, state: GroupState) -> int:
    """How many at once, 0 for all; of a template what it came to."""
    return node.limit if isinstance(node.limit, int) else state.limit or 0


def is_found(node: Limited, state: GroupState) -> bool:
    """Is the limit known?"""
    return isinstance(node.limit, int) or state.limit is not None


def outline(node: Limited) -> dict[str, object]:
    """The properties to evaluate, by name."""
    return {} if isinstance(node.limit, int) else {"limit": node.limit}
