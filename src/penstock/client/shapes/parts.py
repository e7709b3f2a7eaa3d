"""What is told of the parts of a run: steps, outputs, numbers, lines, files; and of why it went as it did?"""

from __future__ import annotations

import msgspec

from penstock.client.shapes.runs import Failure
from penstock.model.status import RunStatus, StepStatus


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `key` is its address in the run, `value` and `iteration` those of the nearest loop around it.

    `attempt` is the number of its newest attempt; times are ISO-8601 in UTC, durations seconds.
    """

    key: str
    task: str
    type: str
    parent: str | None
    value: object
    iteration: int | None
    status: StepStatus
    attempt: int
    start: str | None
    end: str | None
    duration: float | None
    due: str | None
    child: str | None
    worker: str | None
    error: Failure | None


class OutputRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt of a step handed on; `size` in bytes."""

    step: str
    attempt: int
    size: int
    values: dict[str, object]


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """A number that an attempt reported."""

    step: str
    attempt: int
    name: str
    kind: str
    value: float
    unit: str
    tags: dict[str, str]
    at: str


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line that an attempt wrote; `level` is null for what a process printed."""

    at: str
    step: str
    attempt: int
    stream: str
    level: str | None
    text: str


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file: its address, its name below the run, its size in bytes, when it was kept."""

    uri: str
    name: str
    size: int
    at: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a file: rows under their columns, a value, or text; `whole` says that this is all of it."""

    kind: str
    name: str
    size: int
    whole: bool
    columns: list[str] = []
    rows: list[list[object]] = []
    value: object = None
    text: str = ""
    media: str = ""


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was kept: its address is what an input of type FILE takes; its size in bytes."""

    uri: str
    size: int


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something has a new version; who has an older one reads it again.

    `what` is run, claim (a step of a run began to be worked on), flow, … ; of the same thing the newer version counts.
    """

    what: str
    key: str
    version: int
    at: str
    namespace: str = ""
    flow: str = ""
    run: str = ""
    status: RunStatus | None = None
    step: str = ""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has slots of a limit, how many, and since when (microseconds)."""

    run: str
    step: str
    weight: int
    since: int


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is waited for; the empty step is the run itself.

    `kind` is one of limit, queue, maintenance, time, somebody, paused, child, inside, running, earlier, event.
    Instants are microseconds, `ahead` counts who stands before it.
    """

    step: str
    kind: str
    sentence: str
    limit: str = ""
    count: int | None = None
    used: int | None = None
    weight: int | None = None
    holders: tuple[Holder, ...] = ()
    ahead: int | None = None
    queue: str = ""
    owner: str = ""
    workers: int | None = None
    free: int | None = None
    until: int | None = None
    run: str = ""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What an event made of a step (of the run: the empty key), and because of which rules.

    `old` is empty for a step that is born, `new` for one of which only something was noted; `attempt` is its newest.
    """

    step: str
    old: str = ""
    new: str = ""
    attempt: int = 0
    because: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    """What a step (the run: the empty key) waited for from then on, and for how many microseconds (None: still)."""

    step: str
    what: str
    micros: int | None = None


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """One event: at which instant (microseconds), which, who said it, whether it was accepted, what followed.

    `worked` is how long the attempt that ended had worked, `told_after` how long after that its worker said so,
    `folded_after` how long at least it waited until it was decided upon; each in microseconds, where known.
    """

    event: int
    at: int
    kind: str
    step: str
    attempt: int
    happened: str
    accepted: bool
    worker: str = ""
    worked: int | None = None
    told_after: int | None = None
    folded_after: int | None = None
    decided: tuple[Decided, ...] = ()
    waited: tuple[Waited, ...] = ()


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A run's story, whole or that of one step with the groups around it and what lies in it."""

    run: str
    namespace: str
    flow: str
    revision: int
    status: str
    step: str
    chapters: tuple[Chapter, ...]
    step_status: str = ""
