"""What is told of runs: in lists, one on its own, one with all its steps; what became of many?"""

from __future__ import annotations

import msgspec

from penstock.client.shapes.flows import FlowRow
from penstock.model.status import RunStatus, StepStatus


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a status history; `by` is who wanted it: started, killed or restarted the run."""

    status: str
    at: str
    by: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: a word for its kind, a sentence, and our code where it has one."""

    kind: str
    message: str
    code: str = ""


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
    error: Failure | None


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


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs stand in each status, and how many those are in all."""

    total: int
    by_status: dict[RunStatus, int]


class BulkRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A run on which it could not be done, and why."""

    run: str
    code: str
    detail: str
    hint: str


class BulkDone(msgspec.Struct, frozen=True, kw_only=True):
    """A run on which it was done, and the run that this gave (itself where it gave none)."""

    run: str
    gave: str


class BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of many: the runs that it was (dry: would be) done on, by id, with the new run where there is one.

    Where more runs fit than are done at once `next` is not empty: call again with it.
    """

    dry_run: bool
    done: list[BulkDone]
    refused: list[BulkRefused]
    next: str


class AttemptDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a step."""

    number: int
    status: str
    start: str | None
    end: str | None
    exit_code: int | None
    error: Failure | None
    worker: str


class ChildDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a step started."""

    id: str
    namespace: str
    flow: str
    status: str
    step: str


class RoundsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How far a loop is: the rounds begun, and how many there are, or may be at most (none: nobody knows)."""

    begun: int
    of: int | None


class StepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One task or group in a run; `value` and `iteration` are those of the nearest loop around it.

    `key` is its address in the run, `parent` the key of the group around it; times are ISO-8601 in UTC, durations
    seconds.
    """

    key: str
    task: str
    type: str
    parent: str | None
    value: object
    iteration: int | None
    status: str
    start: str | None
    end: str | None
    duration: float | None
    error: Failure | None
    attempts: list[AttemptDocument]
    outputs: dict[str, object]
    children: list[str]
    rounds: RoundsDocument | None = None


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One going-through of a flow, with all its steps in the flow's order."""

    id: str
    namespace: str
    flow: str
    revision: int
    status: str
    reason: str
    history: list[Moment]
    created: str
    start: str | None
    end: str | None
    duration: float | None
    logical_date: str | None
    data_interval: tuple[str, str] | None
    inputs: dict[str, object]
    outputs: dict[str, object]
    labels: dict[str, str]
    priority: int
    trigger: dict[str, object]
    started_by: str
    killed_by: str
    origin: str | None
    successor: str | None
    parent: str | None
    error: Failure | None
    steps: list[StepDocument]
    children: list[ChildDocument]


class SearchFound(msgspec.Struct, frozen=True, kw_only=True):
    """Flows by name, and the newest runs by id, flow or label, of those that who asks may see."""

    flows: list[FlowRow]
    runs: list[RunRow]
