"""What is told of runs: in lists, and one on its own; what is asked of them?"""

from __future__ import annotations

import datetime
import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Labels, Limit, Namespace, Text, labels
from penstock.errors.api import Unfitting
from penstock.model.run import Run
from penstock.model.status import RunStatus, StepStatus
from penstock.services.document import ErrorDocument, Moment, instant
from penstock.store.runs import Filter

Instant = Annotated[datetime.datetime, Meta(tz=True)]


class RunOrder(enum.StrEnum):
    """In which order runs come."""

    NEWEST = "newest"
    OLDEST = "oldest"


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are meant; what is left out does not matter."""

    namespace: Namespace = ""
    flow: Annotated[str, Meta(max_length=100, description="Of flows with this id.")] = ""
    status: Annotated[tuple[RunStatus, ...], Meta(description="In one of these statuses.")] = ()
    label: Labels = ()
    parent: Annotated[str, Meta(max_length=100, description="Started by a step of this run.")] = ""
    since: Annotated[Instant | None, Meta(description="Created at this instant or later.")] = None
    until: Annotated[Instant | None, Meta(description="Created before this instant.")] = None
    text: Text = ""
    looks: Annotated[bool, Meta(description="Those too that only look, or listen, for a trigger.")] = False

    def filter(self) -> Filter:
        """The same as the store asks it. Raises Unfitting."""
        return Filter(
            namespace=self.namespace,
            flow=self.flow,
            statuses=self.status,
            labels=labels(self.label),
            parent=self.parent,
            since=micros(self.since),
            until=micros(self.until),
            text=self.text,
            every=self.looks,
        )


class RunsAsked(RunsWanted, frozen=True, kw_only=True):
    """Which part of which list of runs."""

    sort: RunOrder = RunOrder.NEWEST
    limit: Limit = 50
    cursor: Cursor = ""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list, without its inputs and outputs; times are ISO-8601 in UTC, durations seconds."""

    id: str
    namespace: str
    flow: str
    revision: int
    status: RunStatus
    reason: str
    created: str
    start: str | None
    end: str | None
    duration: float | None
    logical_date: str | None
    labels: dict[str, str]
    priority: int
    started_by: str
    parent: str | None
    origin: str | None
    error: ErrorDocument | None


class RunDetail(RunRow, frozen=True, kw_only=True):
    """One run with what it was given and gave, and how many of its steps stand in each status."""

    version: int
    history: list[Moment]
    data_interval: tuple[str, str] | None
    inputs: dict[str, object]
    outputs: dict[str, object]
    trigger: dict[str, object]
    killed_by: str
    held_by: str
    successor: str | None
    steps: dict[StepStatus, int]


class TallyAsked(RunsWanted, frozen=True, kw_only=True):
    """Which runs are counted."""


class Tally(msgspec.Struct, frozen=True):
    """How many runs stand in each status, and how many those are in all."""

    total: int
    by_status: dict[RunStatus, int]


def row(run: Run) -> RunRow:
    """A run as lists tell it."""
    failure = run.failure
    return RunRow(
        id=run.id,
        namespace=run.namespace,
        flow=run.flow,
        revision=run.revision,
        status=run.status,
        reason=run.reason,
        created=instant(run.created_at) or "",
        start=instant(run.started_at),
        end=instant(run.ended_at),
        duration=seconds(run.started_at, run.ended_at),
        logical_date=instant(run.logical_date),
        labels=run.labels,
        priority=run.priority,
        started_by=run.started_by,
        parent=run.parent.run if run.parent else None,
        origin=run.origin or None,
        error=ErrorDocument(failure.kind.value, failure.message, failure.code) if failure else None,
    )


def seconds(start: int | None, end: int | None) -> float | None:
    """A duration in seconds between two instants in microseconds."""
    return None if start is None or end is None else round((end - start) / 1e6, 6)


def micros(at: datetime.datetime | None) -> int | None:
    """An instant in microseconds since 1970 UTC. Raises Unfitting."""
    if at is None:
        return None
    try:
        return round(at.timestamp() * 1_000_000)
    except (OverflowError, ValueError):
        raise Unfitting(f"{at} is too far away.") from None
