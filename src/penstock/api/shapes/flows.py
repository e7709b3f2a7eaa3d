"""What is told of flows: in lists, one with its text, its revisions?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit, Namespace, Text


class FlowsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which flows a list shows."""

    namespace: Namespace = ""
    text: Text = ""
    limit: Limit = 50
    cursor: Cursor = ""


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list: its newest revision, when that was made and by whom."""

    namespace: str
    id: str
    revision: int
    changed: str
    changed_by: str


class RevisionAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which revision is meant."""

    revision: Annotated[int, Meta(ge=1, description="This revision instead of the newest.")] | None = None
