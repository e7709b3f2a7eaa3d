"""What is told of which flows start which?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class DependenciesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """How far is looked, and which way."""

    depth: Annotated[int, Meta(ge=1, le=50, description="So many flows away.")] = 1
    up: Annotated[bool, Meta(description="What starts it, too.")] = True
    down: Annotated[bool, Meta(description="What it starts, too.")] = True


class NearFlow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow near another: how many flows away; one that is only named somewhere is not `there`."""

    namespace: str
    flow: str
    distance: int
    there: bool


class FlowLink(msgspec.Struct, frozen=True, kw_only=True):
    """A flow (`source`) starts another (`target`): its task of kind subflow, or the other's trigger, named `by`.

    Where that hangs on more than names (labels, outputs) it is not `sure`.
    """

    source: str
    target: str
    kind: str
    by: str
    sure: bool


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Flows and what links them, as far as who asks may see them; `more`: others are near, too."""

    flows: list[NearFlow]
    links: list[FlowLink]
    more: bool
