"""What is known of one going-through of a flow? Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import enum

import msgspec

from penstock.model.status import Outcome, RunStatus, StepStatus


class ErrorKind(enum.StrEnum):
    """Why an attempt, a step or a run failed; retries may be limited to some kinds."""

    EXIT = "exit"
    SIGNAL = "signal"
    MEMORY = "memory"
    TIMEOUT = "timeout"
    LOST = "lost"
    TASK = "task"
    EXPRESSION = "expression"
    INPUT = "input"
    SUBFLOW = "subflow"
    CHILD = "child"
    LIMIT = "limit"
    SYSTEM = "system"


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, told to people: kind, sentence, exit code where a process had one, error code where we have
    one.
    """

    kind: ErrorKind
    message: str
    exit_code: int | None = None
    code: str = ""


class Phase(enum.StrEnum):
    """Which list of a group is going through."""

    TASKS = "tasks"
    ERRORS = "errors"
    FINALLY = "finally"
    AFTER = "after"


class GroupState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group's own memory: which list it is in, the next child to start, and counts of the children of that list.

    `counts` has one number per status of the children begun (open ones under "open"); `result` is what the normal
    tasks came to, kept while errors and finally run; `total` is a loop's number of values, of a loop until the
    iterations that were over before it was restarted; `branch` the list chosen.
    In the root alone `evaluation` numbers the attempts at evaluating the outputs of the flow, `lost` counts those
    lost in a row, and `verdict` is how the run will end, known while the tasks after the end run.

    `limit` is how many children may be under way at once, where a template said so.
    `marks` are a dag's: one letter per node, in their order (engine/groups/dag.py). `worker` is the one that holds a
    working directory's folder; `closing` says that it is about to be given up.
    """

    phase: Phase = Phase.TASKS
    branch: str = "tasks"
    next: int = 0
    total: int | None = None
    limit: int | None = None
    counts: dict[str, int] = {}
    result: StepStatus | None = None
    evaluation: int = 0
    lost: int = 0
    failure: Failure | None = None
    verdict: StepStatus | None = None
    marks: str = ""
    worker: str = ""
    closing: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node in one run (in one iteration). Its row is born when it is queued.

    `attempt` is the newest attempt's number (it only grows); `tries` counts those of the current going-through, which
    a retry policy limits; `lost` those lost in a row. `value` is the loop value of an iteration. `child` is the run a
    subflow waits for, `failed_child` the one that a restarted subflow goes on with; `evaluating` says that the current
    attempt only evaluates expressions that reach out. `held` says that it may not begin while its run
    is paused, `waits_for` names the limits that its attempt waits for. `reports` says that an attempt has
    reported steps of its own, `only` names those that the next attempt is to do again (none: all). `variables` are what
    tasks have made of the variables in an iteration that keeps to itself.
    """

    key: str
    node: str
    status: StepStatus
    attempt: int = 0
    tries: int = 0
    lost: int = 0
    value: object = None
    variables: dict[str, object] | None = None
    group: GroupState | None = None
    queued_at: int | None = None
    first_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    due_at: int | None = None
    failure: Failure | None = None
    child: str = ""
    failed_child: str = ""
    evaluating: bool = False
    held: bool = False
    waits_for: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    reports: bool = False


class Parent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The attempt of another run's step that started this run, and whether it waits for the end; `round` is which of
    this run's goings-through it waits for.
    """

    run: str
    step: str
    attempt: int
    wait: bool = True
    round: int = 0


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a run's status history; `by` names who wanted it, empty where it followed by itself."""

    status: RunStatus
    at: int
    by: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One going-through of a flow. `version` grows with every commit; `open` counts steps begun and not ended,
    `active` the tasks and subflows among them that do not merely wait, `retrying` those that wait for a retry.
    `pending` is what a limit holds up: a restart, or a replay from a step.

    `rounds` counts restarts, `redone` groups that began anew: from the first on, a step about to start may have
    earlier attempts. `owner` is the process (a worker's id) that a run started by the command line belongs to until
    it is dead. `waiting` counts the pauses among its steps; `held_by` names who paused the run itself.

    `lane` is what its attempts share their turn with (empty: its flow). `variables` are those that tasks have changed
    (None: the flow's).
    `number` counts runs that took each other's place by a retry, `first_at` is when the first of them was created,
    `successor` the one after this. `breached` names the service levels that were missed, `skips` the steps that an
    operator wants skipped when their turn comes. `trace` is the place in a trace of whatever started it, as a
    `traceparent`.
    """

    id: str
    namespace: str
    flow: str
    revision: int
    status: RunStatus
    created_at: int
    version: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    inputs: dict[str, object] = {}
    outputs: dict[str, object] | None = None
    variables: dict[str, object] | None = None
    labels: dict[str, str] = {}
    trigger: dict[str, object] = {}
    priority: int = 0
    lane: str = ""
    logical_date: int | None = None
    interval_start: int | None = None
    interval_end: int | None = None
    parent: Parent | None = None
    depth: int = 0
    origin: str = ""
    root: GroupState = GroupState()
    open: int = 0
    active: int = 0
    retrying: int = 0
    pending: str = ""
    rounds: int = 0
    redone: int = 0
    waiting: int = 0
    held_by: str = ""
    number: int = 1
    first_at: int | None = None
    successor: str = ""
    breached: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    history: tuple[Change, ...] = ()
    reason: str = ""
    failure: Failure | None = None
    killed_by: str = ""
    owner: str = ""
    started_by: str = ""
    trace: str = ""

    @property
    def lane_name(self) -> str:
        """What its attempts share their turn with: the flow, or the backfill that the run belongs to."""
        return self.lane or f"{self.namespace}.{self.flow}"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One accepted try at a step, as history keeps it."""

    step: str
    number: int
    outcome: Outcome
    worker: str = ""
    queued_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    failure: Failure | None = None
    state: dict[str, object] | None = None
