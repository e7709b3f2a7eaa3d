"""What is told of maintenance, and what is asked of it?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace in maintenance, with those below it (empty: everywhere), since when, by whom and why."""

    namespace: str
    since: str
    by: str
    reason: str


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """What is in maintenance, and how many runs wait for its end."""

    held: list[HeldRow]
    waiting: int


class MaintenanceAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether runs may begin in a namespace and those below it; the empty one is everywhere."""

    namespace: Annotated[str, Meta(max_length=150)]
    on: bool
    reason: Annotated[str, Meta(max_length=500)] = ""
    kill: Annotated[bool, Meta(description="Whether what has begun is killed, instead of let go to its end.")] = False
    force: Annotated[bool, Meta(description="With `kill`: at once, without grace.")] = False


class MaintenanceDone(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: whether it stands as asked by this very call, and the runs that were killed."""

    changed: bool
    killed: list[str]
