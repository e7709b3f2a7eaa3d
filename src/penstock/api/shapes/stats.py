"""What is told of how runs ended, day by day?"""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit, Namespace
from penstock.model.status import RunStatus
from penstock.services.stats import Took


class DaysAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which days are told, and of which flows; without a word the last thirty, today among them."""

    namespace: Namespace = ""
    flow: Annotated[str, Meta(max_length=100, description="Of flows with this id.")] = ""
    since: Annotated[datetime.date | None, Meta(description="From this day on, in UTC.")] = None
    until: Annotated[datetime.date | None, Meta(description="Up to this day, which is told, too.")] = None


class FlowDaysAsked(DaysAsked, frozen=True, kw_only=True):
    """Which part of the list."""

    limit: Limit = 100
    cursor: Cursor = ""


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """How the runs ended that were created on a day (UTC), and how long they took; those that go on are not among them.

    A status that none has is left out.
    """

    day: str
    ended: int
    statuses: dict[RunStatus, int]
    took: Took


class FlowDayRow(DayRow, frozen=True, kw_only=True):
    """The same of one flow."""

    namespace: str
    flow: str
