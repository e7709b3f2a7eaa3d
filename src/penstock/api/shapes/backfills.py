"""What is told of backfills, and what is asked of them?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit, Namespace
from penstock.api.shapes.runs import Instant
from penstock.model.backfill import BackfillStatus, ItemStatus

AtOnce = Annotated[int, Meta(ge=1, le=10_000, description="Runs that may go at once.")]


class BackfillsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which backfills a list shows."""

    namespace: Namespace = ""
    flow: Annotated[str, Meta(max_length=100, description="Of flows with this id.")] = ""
    limit: Limit = 50
    cursor: Cursor = ""


class BackfillRow(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill, with how many of its runs stand where."""

    id: str
    namespace: str
    flow: str
    revision: int
    status: BackfillStatus
    at_once: int
    total: int
    progress: dict[ItemStatus, int]
    created: str
    created_by: str
    end: str | None


class BackfillStart(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"begin": "from", "end": "to"}
):
    """What is to be filled in: the dates from one instant to another, or a list of inputs.

    The dates are those of a trigger of the flow, or `every` (a cron expression or an ISO-8601 length). Inputs and
    labels may be templates: `{{ date }}`. With `dry_run` it is only told what would run.
    """

    namespace: Annotated[str, Meta(min_length=1, max_length=150)]
    flow: Annotated[str, Meta(min_length=1, max_length=100)]
    begin: Instant | None = None
    end: Instant | None = None
    trigger: str = ""
    every: Annotated[str, Meta(max_length=200)] = ""
    timezone: Annotated[str, Meta(max_length=100)] = ""
    sets: Annotated[tuple[dict[str, object], ...], Meta(max_length=100_000)] = ()
    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}
    newest_first: bool = False
    only_missing: bool = False
    at_once: AtOnce = 4
    dry_run: bool = False


class PlannedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a backfill as it is planned: how people call it, its inputs and its date."""

    name: str
    inputs: dict[str, object]
    date: str | None


class BackfillStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The backfill that was begun; where it was only looked at, none, and the first of the runs that it would start."""

    backfill: BackfillRow | None
    total: int
    planned: list[PlannedRow]


class BackfillRunsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of a backfill a list shows."""

    status: Annotated[tuple[ItemStatus, ...], Meta(description="That stand so.")] = ()
    limit: Limit = 100
    cursor: Cursor = ""


class BackfillRunRow(PlannedRow, frozen=True, kw_only=True):
    """One run of a backfill as it stands; `tries` counts how often it was started again."""

    number: int
    status: ItemStatus
    tries: int
    run: str


class ResumeBackfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many runs may go at once from now on."""

    at_once: AtOnce | None = None


class CancelBackfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the runs that go are ended, too."""

    kill: bool = False


class Retried(msgspec.Struct, frozen=True):
    """How many runs are started anew."""

    runs: int
