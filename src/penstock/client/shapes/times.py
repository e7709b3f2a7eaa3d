"""What is told of triggers, their dates, and backfills?"""

from __future__ import annotations

import msgspec

from penstock.model.backfill import BackfillStatus, ItemStatus


class TriggerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger of a flow's newest revision: when it is looked at next, the date it fired for last, who switched it
    off.

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


class BackfillRunRow(PlannedRow, frozen=True, kw_only=True):
    """One run of a backfill as it stands; `tries` counts how often it was started again."""

    number: int
    status: ItemStatus
    tries: int
    run: str


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs are started anew."""

    runs: int
