"""What is a backfill? Runs of one flow for a span of dates, or for a list of input sets, at most so many at once."""

from __future__ import annotations

import enum

import msgspec


class BackfillStatus(enum.StrEnum):
    """How a backfill stands: it starts runs, waits to be resumed, starts no more, or has nothing left to start."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class ItemStatus(enum.StrEnum):
    """How one of its runs stands; `left` is what was not started when it was cancelled."""

    WAITING = "waiting"
    GOING = "going"
    SUCCESS = "success"
    FAILED = "failed"
    LEFT = "left"


class Spec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked for. `begin` and `end` are the first and the last instant (microseconds) of its dates.

    The dates are those of a trigger of the flow, or `every` (a cron expression or an ISO-8601 length), in a time zone
    (empty: UTC); or there are none, and `sets` are the inputs of each run. `inputs` and `labels` may be templates.
    """

    begin: int | None = None
    end: int | None = None
    trigger: str = ""
    every: str = ""
    timezone: str = ""
    sets: tuple[dict[str, object], ...] = ()
    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}
    newest_first: bool = False
    only_missing: bool = False


class Planned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run that it will start: how people call it, its inputs, and its date with the interval of its data."""

    name: str
    inputs: dict[str, object] = {}
    date: int | None = None
    start: int | None = None
    variables: dict[str, object] = {}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One of its runs as it stands; `tries` counts how often it was started again."""

    backfill: str
    number: int
    status: ItemStatus
    tries: int
    run: str
    planned: Planned


class Backfill(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill; instants in microseconds."""

    id: str
    namespace: str
    flow: str
    revision: int
    status: BackfillStatus
    at_once: int
    total: int
    created_at: int
    created_by: str
    ended_at: int | None = None
    spec: Spec

    @property
    def flow_name(self) -> str:
        """Namespace and id of its flow."""
        return f"{self.namespace}.{self.flow}"
