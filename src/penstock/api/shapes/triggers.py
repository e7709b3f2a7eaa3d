"""What is told of triggers, and of the dates at which they fire?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit, Namespace
from penstock.api.shapes.runs import Instant


class TriggersAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which triggers a list shows."""

    namespace: Namespace = ""
    flow: Annotated[str, Meta(max_length=100, description="Of flows with this id.")] = ""
    limit: Limit = 100
    cursor: Cursor = ""


class TriggerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger of a flow's newest revision: when it is looked at next (null: not by time, or this very moment), the
    date it fired for last, who switched it off.

    `run` is its last run, `holds` the one that must end before it fires again, `problem` why it last could not fire.
    """

    namespace: str
    flow: str
    id: str
    kind: str
    revision: int
    next: str | None
    last: str | None
    off_by: str
    run: str
    holds: str
    problem: str
    problem_at: str | None
    version: int


class SwitchAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a trigger fires."""

    on: bool


class DatesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which dates of a schedule are told."""

    after: Annotated[Instant | None, Meta(description="Those after this instant instead of now.")] = None
    skipped: Annotated[bool, Meta(description="Those too that are passed over, with the reason.")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="At most so many.")] = 20


class DateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One date: when it fires, the interval of its data, where it was moved from, what its run is given, or why not."""

    date: str
    at: str
    start: str
    end: str
    planned: str | None
    skipped: str
    inputs: dict[str, object]
    labels: dict[str, object]
