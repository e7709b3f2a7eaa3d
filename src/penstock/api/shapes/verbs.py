"""What is asked of runs: to begin, to end, to go on; one at a time or many?"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor
from penstock.api.shapes.runs import Instant, RunsWanted
from penstock.model.status import StepStatus


class RunStart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new run is given: values or texts for inputs, labels, where it has them a logical date and interval."""

    namespace: Annotated[str, Meta(min_length=1, max_length=150)]
    flow: Annotated[str, Meta(min_length=1, max_length=100)]
    revision: Annotated[int, Meta(ge=1, le=2**31, description="This revision instead of the newest.")] | None = None
    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    logical_date: Instant | None = None
    interval_start: Instant | None = None
    interval_end: Instant | None = None


class KillAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run is ended: with grace for its tasks, or by force."""

    force: bool = False


class ResumeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pause goes on, with which inputs; without a step the one that the run waits at, or the run itself."""

    step: str = ""
    inputs: dict[str, object] = {}


class RestartAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done again: all that did not succeed, or only steps that an attempt had reported (`dbt#orders`)."""

    only: tuple[str, ...] = ()


class ReplayAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_step": "from"}):
    """What a new run like an old one is given: the step to begin with, whether that alone, inputs that replace."""

    from_step: str = ""
    alone: bool = False
    inputs: dict[str, object] = {}
    labels: dict[str, str] = {}


class MarkAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a step ended, or (without one) an ended run did, and why somebody says so."""

    status: StepStatus
    step: str = ""
    reason: Annotated[str, Meta(max_length=1000)] = ""


class SkipAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which step is skipped."""

    step: Annotated[str, Meta(min_length=1)]


class BulkVerb(enum.StrEnum):
    """What can be done to many runs."""

    KILL = "kill"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    REPLAY = "replay"


class BulkAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done to which runs: those named, or all that fit; dry, it is only told which those are.

    A query without statuses means those that the verb is usual for. `cursor` is the `next` of the call before.
    """

    verb: BulkVerb
    ids: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()
    query: RunsWanted | None = None
    force: bool = False
    dry_run: bool = False
    cursor: Cursor = ""


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
