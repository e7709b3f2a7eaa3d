"""How is something done to many runs at once? They are named or described; one that refuses keeps the others from
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from penstock.errors import PenstockError, Problem
from penstock.errors.store import StoreError
from penstock.model.access import Scope
from penstock.model.run import Run
from penstock.services.core import Core
from penstock.store import runs

MOST = 1_000


class Refused(msgspec.Struct, frozen=True):
    """A run on which it could not be done, and why."""

    run: str
    problem: Problem


class Dealt(msgspec.Struct, frozen=True):
    """What became of many: on which runs it was done, with what that gave, and which refused."""

    done: tuple[tuple[str, str], ...]
    refused: tuple[Refused, ...]


def chosen(core: Core, scope: Scope, wanted: runs.Filter, cursor: str = "") -> tuple[list[Run], bool]:
    """The runs that are meant, of those in a scope, newest first; and whether there are more than are done at once."""
    found = core.store.read(lambda tx: runs.page(tx, scope, wanted, MOST + 1, cursor))
    return found[:MOST], len(found) > MOST


def deal(named: Sequence[str], act: Callable[[str], str]) -> Dealt:
    """Act on each; raises StoreError, after which nothing would go any better."""
    done: list[tuple[str, str]] = []
    refused: list[Refused] = []
    for each in named:
        try:
            done.append((each, act(each)))
        except StoreError:
            raise
        except PenstockError as error:
            refused.append(Refused(each, error.problem()))
    return Dealt(tuple(done), tuple(refused))
