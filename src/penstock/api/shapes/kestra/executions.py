"""How is a run told as Kestra's execution? Statuses in its words, labels as pairs, steps as task runs."""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from penstock.errors.api import BadRequest
from penstock.model.status import RunStatus, StepStatus
from penstock.services.document import AttemptDocument, Moment, RunDocument, StepDocument

CREATED: Final = "CREATED"
STEPS: Final = {"queued": CREATED, "snoozed": "RUNNING", "lost": "FAILED"}
RUNS: Final = {status.value.upper(): status for status in RunStatus} | {
    CREATED: RunStatus.QUEUED,
    "RESTARTED": RunStatus.RUNNING,
}
# What only begins here is no key of a step that Kestra could have made.
CODED: Final = "~"


class History(msgspec.Struct, frozen=True):
    """When an execution came to a state."""

    state: str
    date: str


class State(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an execution, a task run or an attempt of one stands; durations are ISO-8601."""

    current: str
    histories: list[History]
    start_date: str
    end_date: str | None
    duration: str


class Label(msgspec.Struct, frozen=True):
    """A label."""

    key: str
    value: str


class AttemptTold(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A try at a task."""

    state: State
    worker_id: str


class TaskRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task in an execution; its `id` is made of the step's key."""

    id: str
    execution_id: str
    namespace: str
    flow_id: str
    task_id: str
    parent_task_run_id: str | None
    value: str | None
    iteration: int | None
    attempts: list[AttemptTold]
    outputs: dict[str, object]
    state: State


class TriggerTold(msgspec.Struct, frozen=True):
    """What started an execution by itself."""

    id: str
    type: str
    variables: dict[str, object]


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """The first beginning of an execution."""

    attempt_number: int
    original_created_date: str


class Execution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A run."""

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    task_run_list: list[TaskRun]
    inputs: dict[str, object]
    outputs: dict[str, object]
    labels: list[Label]
    variables: dict[str, object]
    state: State
    parent_id: str | None
    original_id: str
    trigger: TriggerTold | None
    schedule_date: str | None
    metadata: Metadata
    deleted: bool = False
    kind: str = "NORMAL"
    url: str = ""


def execution(run: RunDocument) -> Execution:
    """A run as an execution; steps that have not begun have no task runs."""
    trigger = dict(run.trigger)
    about = TriggerTold(str(trigger.pop("id", "")), str(trigger.pop("type", "")), trigger) if trigger else None
    told = [History(_word(run, each, number), each.at) for number, each in enumerate(run.history)]
    return Execution(
        id=run.id,
        namespace=run.namespace,
        flow_id=run.flow,
        flow_revision=run.revision,
        task_run_list=[_task_run(run, step) for step in run.steps if step.status != StepStatus.WAITING],
        inputs=run.inputs,
        outputs=run.outputs,
        labels=[Label(name, value) for name, value in run.labels.items()],
        variables={},
        state=_state(word(run.status, run.reason), told or [History(CREATED, run.created)], run.end, run.duration),
        parent_id=run.parent,
        original_id=run.origin or run.id,
        trigger=about,
        schedule_date=run.logical_date,
        metadata=Metadata(1, run.created),
        url=f"/v1/runs/{run.id}",
    )


def word(status: str, reason: str = "") -> str:
    """A run's status in Kestra's words: one that waits for room is queued, one that nobody looked at yet created."""
    return CREATED if status == RunStatus.QUEUED and not reason else status.upper()


def statuses(words: list[str]) -> tuple[RunStatus, ...]:
    """Kestra's words as statuses. Raises BadRequest."""
    unknown = [each for each in words if each.upper() not in RUNS]
    if unknown:
        raise BadRequest(f'There is no state "{unknown[0][:50]}".', hint=f"There are: {', '.join(RUNS)}.")
    return tuple(dict.fromkeys(RUNS[each.upper()] for each in words))


def task_run_id(key: str) -> str:
    """The id of a step's task run: its key, in letters that an address may have."""
    if all(letter.isalnum() or letter in "-_." for letter in key) and key.isascii():
        return key
    return CODED + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def step_key(task_run: str) -> str:
    """The key of the step that a task run is. Raises BadRequest."""
    if not task_run.startswith(CODED):
        return task_run
    try:
        body = task_run[1:]
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise BadRequest("This is not the id of a task run.") from None


def _word(run: RunDocument, moment: Moment, number: int) -> str:
    return word(moment.status, "" if number == 0 else "again")


def _task_run(run: RunDocument, step: StepDocument) -> TaskRun:
    value = step.value
    return TaskRun(
        id=task_run_id(step.key),
        execution_id=run.id,
        namespace=run.namespace,
        flow_id=run.flow,
        task_id=step.task,
        parent_task_run_id=task_run_id(step.parent) if step.parent else None,
        value=None if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode(),
        iteration=step.iteration,
        attempts=[_attempt(run, each) for each in step.attempts],
        outputs=step.outputs,
        state=_went(run, step.status, step.start, step.end, step.duration),
    )


def _attempt(run: RunDocument, attempt: AttemptDocument) -> AttemptTold:
    return AttemptTold(
        state=_went(run, attempt.status, attempt.start, attempt.end, None),
        worker_id=attempt.worker,
    )


def _went(run: RunDocument, status: str, start: str | None, end: str | None, duration: float | None) -> State:
    now, begun = STEPS.get(status, status.upper()), start or run.created
    told = [History(CREATED, begun)]
    if start and now != CREATED:
        told.append(History("RUNNING", start))
    if now not in (CREATED, "RUNNING"):
        told.append(History(now, end or begun))
    return _state(now, told, end, duration)


def _state(now: str, told: list[History], end: str | None, duration: float | None) -> State:
    return State(
        current=now, histories=told, start_date=told[0].date, end_date=end, duration=f"PT{duration or 0.0:.6f}S"
    )
