"""What is found by a word?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.flows import FlowRow
from penstock.api.shapes.runs import RunRow


class SearchAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    text: Annotated[str, Meta(min_length=2, max_length=200, description="A part of a name, an id or a label.")]
    limit: Annotated[int, Meta(ge=1, le=100, description="At most so many of each kind.")] = 10


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Flows by name, and the newest runs by id, flow or label, of those that who asks may see."""

    flows: list[FlowRow]
    runs: list[RunRow]
