"""How is a run told as one value? The run document: the same shape for `--json`, for tests and for programs."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import partial
from typing import Final

import msgspec

from penstock.errors.run import UnknownRun
from penstock.model import ids
from penstock.model.node import ForEach, Subflow, Task, Until
from penstock.model.plan import AFTER, ERRORS, FINALLY, ROOT, TASKS, Plan
from penstock.model.run import Attempt, Failure, Phase, Run, Step
from penstock.model.status import Outcome, StepStatus
from penstock.services.core import Core
from penstock.services.reading import unstow
from penstock.services.secrets.given import STARS, starred
from penstock.store import attempts, outputs, queue, runs, steps
from penstock.store.port import Tx
from penstock.store.queue import Claim

RANK: Final = {ERRORS: 1, FINALLY: 2, AFTER: 3}
WORDS: Final = {Outcome.DONE: "success"}


class Moment(msgspec.Struct, frozen=True):
    """One line of a status history; `by` is who wanted it: started, killed or restarted the run."""

    status: str
    at: str
    by: str


class ErrorDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: a word for its kind, a sentence, and our code where it has one."""

    kind: str
    message: str
    code: str = ""


class AttemptDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One try at a step."""

    number: int
    status: str
    start: str | None
    end: str | None
    exit_code: int | None
    error: ErrorDocument | None
    worker: str


class ChildDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a step started."""

    id: str
    namespace: str
    flow: str
    status: str
    step: str


class RoundsDocument(msgspec.Struct, frozen=True):
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
    error: ErrorDocument | None
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
    error: ErrorDocument | None
    steps: list[StepDocument]
    children: list[ChildDocument]


class Gathered(msgspec.Struct, frozen=True):
    """Everything of one run that the document tells, read at one moment."""

    run: Run
    steps: list[Step]
    attempts: list[Attempt]
    claims: list[Claim]
    outputs: dict[str, outputs.Output]
    children: list[Run]


def document(core: Core, run_id: str, *, whole: bool = False) -> RunDocument:
    """Tell a run as it was committed last; the `whole` of it has tasks, too, whose rounds were not kept, under their
    keys alone. Raises UnknownRun.
    """
    found = core.store.read(partial(_gather, run_id))
    plan = core.plan(found.run.namespace, found.run.flow, found.run.revision)
    return _run(found.run, plan, _steps(core, plan, found, whole), found.children)


def summary(core: Core, run: Run) -> RunDocument:
    """The same shape for lists: a run without its steps."""
    return _run(run, core.plan(run.namespace, run.flow, run.revision), [], [])


def instant(micros: int | None) -> str | None:
    """An instant as ISO-8601 text in UTC."""
    if micros is None:
        return None
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _gather(run_id: str, tx: Tx) -> Gathered:
    run = runs.load(tx, run_id)
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return Gathered(
        run,
        steps.every(tx, run_id),
        attempts.every(tx, run_id),
        queue.claims_of(tx, run_id),
        outputs.every(tx, run_id),
        runs.children(tx, run_id),
    )


def _run(run: Run, plan: Plan, told: list[StepDocument], children: list[Run]) -> RunDocument:
    hidden = {declared.id for declared in plan.flow.inputs if declared.type == "SECRET"}
    hidden_outputs = {declared.id for declared in plan.flow.outputs if declared.type == "SECRET"}
    start, end = instant(run.interval_start), instant(run.interval_end)
    return RunDocument(
        id=run.id,
        namespace=run.namespace,
        flow=run.flow,
        revision=run.revision,
        status=run.status.value,
        reason=run.reason,
        history=[Moment(change.status.value, instant(change.at) or "", change.by) for change in run.history],
        created=instant(run.created_at) or "",
        start=instant(run.started_at),
        end=instant(run.ended_at),
        duration=_seconds(run.started_at, run.ended_at),
        logical_date=instant(run.logical_date),
        data_interval=(start, end) if start and end else None,
        inputs=_masked(run.inputs, hidden),
        outputs=_masked(run.outputs or {}, hidden_outputs),
        labels=run.labels,
        priority=run.priority,
        trigger=run.trigger,
        started_by=run.started_by,
        killed_by=run.killed_by,
        origin=run.origin or None,
        successor=run.successor or None,
        parent=run.parent.run if run.parent else None,
        error=_error(run.failure),
        steps=told,
        children=[_child(child) for child in children],
    )


def _child(child: Run) -> ChildDocument:
    step = child.parent.step if child.parent else ""
    return ChildDocument(id=child.id, namespace=child.namespace, flow=child.flow, status=child.status.value, step=step)


def _steps(core: Core, plan: Plan, found: Gathered, whole: bool) -> list[StepDocument]:
    held = {claim.step: claim for claim in found.claims}
    tried: dict[str, list[Attempt]] = {}
    for attempt in found.attempts:
        tried.setdefault(attempt.step, []).append(attempt)
    started: dict[str, list[str]] = {}
    for child in found.children:
        if child.parent:
            started.setdefault(child.parent.step, []).append(child.id)
    by_key = {step.key: step for step in found.steps}
    seats = _Seats(plan)
    told = []
    for step in found.steps:
        made = found.outputs.get(step.key)
        given = unstow(core, made) if made else {}
        parent, nearest, _ = seats[step.key]
        told.append(
            StepDocument(
                key=step.key,
                task=step.node,
                type=type_of(plan, step.node),
                parent=parent or None,
                value=by_key[nearest].value if nearest in by_key else None,
                iteration=ids.iteration_of(nearest) if nearest else None,
                status="running" if step.key in held and not step.status.ended else step.status.value,
                start=instant(_start(step, tried.get(step.key, ()), held.get(step.key))),
                end=instant(step.ended_at),
                duration=_seconds(_start(step, tried.get(step.key, ()), None), step.ended_at),
                error=_error(step.failure),
                attempts=told_attempts(tried.get(step.key, []), held.get(step.key), given),
                outputs=_masked(given, set()),
                children=started.get(step.key, []),
                rounds=_rounds(plan, step),
            )
        )
    if whole:
        told += [_past(plan, seats, key, made) for key, made in tried.items() if key not in by_key and "[" in key]
    if not found.run.status.ended:
        told += [_waiting(plan, key) for key in _not_begun(plan, by_key)]
    return sorted(told, key=lambda one: seats[one.key][2])


def type_of(plan: Plan, node_id: str) -> str:
    """What kind of node an id names: the task's type, or the group's word."""
    node = plan.node(node_id)
    return (
        node.type if isinstance(node, Task) else "subflow" if isinstance(node, Subflow) else type(node).__name__.lower()
    )


def _waiting(plan: Plan, key: str) -> StepDocument:
    return StepDocument(
        key=key, task=ids.node_of(key), type=type_of(plan, key), parent=plan.parent_key(key) or None, value=None,
        iteration=None, status=StepStatus.WAITING.value, start=None, end=None, duration=None, error=None, attempts=[],
        outputs={}, children=[],
    )  # fmt: skip


def _rounds(plan: Plan, step: Step) -> RoundsDocument | None:
    state = step.group
    if state is None or state.phase is not Phase.TASKS or ids.iteration_of(step.key) is not None:
        return None
    match plan.node(step.node):
        case Until() as loop:
            return RoundsDocument(state.next - (state.total or 0), loop.most)
        case ForEach():
            return RoundsDocument(state.next, state.total)
        case _:
            return None


def _past(plan: Plan, seats: _Seats, key: str, tried: list[Attempt]) -> StepDocument:
    """A task of a round whose rows are gone: what its attempts tell."""
    told = told_attempts(tried, None, {})
    last, (parent, nearest, _) = told[-1], seats[key]
    return msgspec.structs.replace(
        _waiting(plan, ids.node_of(key)),
        key=key,
        parent=parent or None,
        iteration=ids.iteration_of(nearest) if nearest else None,
        status=last.status,
        start=told[0].start,
        end=last.end,
        error=last.error,
        attempts=told,
    )


def _not_begun(plan: Plan, begun: dict[str, Step]) -> Iterable[str]:
    """Nodes that will have their turn unless something fails: outside loops and branches, among the normal tasks."""
    groups = [ROOT]
    while groups:
        group = groups.pop()
        for node in plan.children(group, TASKS):
            if node.id not in begun:
                yield node.id
            if type_of(plan, node.id) in ("sequence", "parallel", "dag", "folder"):
                groups.append(node.id)


def told_attempts(tried: list[Attempt], held: Claim | None, made: dict[str, object]) -> list[AttemptDocument]:
    """The attempts of a step, of which one may be held, and what it handed on."""
    told = [
        AttemptDocument(
            number=attempt.number,
            status=WORDS.get(attempt.outcome, attempt.outcome.value),
            start=instant(attempt.started_at),
            end=instant(attempt.ended_at),
            exit_code=_exit_code(attempt, made),
            error=_error(attempt.failure),
            worker=attempt.worker,
        )
        for attempt in tried
    ]
    if held and all(attempt.number != held.attempt for attempt in tried):
        told.append(
            AttemptDocument(
                number=held.attempt,
                status="running",
                start=instant(held.claimed_at),
                end=None,
                exit_code=None,
                error=None,
                worker=held.worker,
            )
        )
    return told


def _exit_code(attempt: Attempt, made: dict[str, object]) -> int | None:
    """The exit code of an attempt's process; a good one stands among the outputs only."""
    if attempt.failure is not None:
        return attempt.failure.exit_code
    code = made.get("exitCode")
    return code if isinstance(code, int) and attempt.outcome in (Outcome.DONE, Outcome.WARNING) else None


def _start(step: Step, tried: Iterable[Attempt], held: Claim | None) -> int | None:
    began = [attempt.started_at for attempt in tried if attempt.started_at is not None]
    if held:
        began.append(held.claimed_at)
    return step.started_at or (min(began) if began else step.first_at)


def _error(failure: Failure | None) -> ErrorDocument | None:
    return ErrorDocument(failure.kind.value, failure.message, failure.code) if failure else None


def _masked(values: dict[str, object], hidden: set[str]) -> dict[str, object]:
    return {name: STARS if name in hidden and value is not None else starred(value) for name, value in values.items()}


def _seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else round((end - start) / 1e6, 6)


class _Seats(dict[str, tuple[str, str, tuple[tuple[int, int], ...]]]):
    """Where steps stand, by their keys: the group around, the nearest iteration (itself included; empty outside
    loops), and the place in the flow's order, which is its own and those of the groups around it, from the outside in.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__({ROOT: ("", "", ())})
        self._plan = plan

    def __missing__(self, key: str) -> tuple[str, str, tuple[tuple[int, int], ...]]:
        parent = self._plan.parent_key(key)
        _, nearest, path = self[parent]
        index = ids.iteration_of(key)
        if index is None:
            seat = self._plan.seats[ids.node_of(key)]
            own = (RANK.get(seat.branch, 0), seat.position)
        else:
            nearest, own = key, (0, index)
        self[key] = found = (parent, nearest, (*path, own))
        return found
