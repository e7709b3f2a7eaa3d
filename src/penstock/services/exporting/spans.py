"""Which spans is a run made of? One for it, one for each step, one for each attempt, lost ones too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from penstock.model import ids
from penstock.model.node import Task
from penstock.model.plan import ROOT, Plan
from penstock.model.run import Attempt, Run, Step
from penstock.model.status import Outcome, RunStatus, StepStatus
from penstock.telemetry import traces
from penstock.telemetry.traces import Place, Span, Value

BAD: frozenset[Outcome] = frozenset({Outcome.FAILED, Outcome.LOST})


class Going(msgspec.Struct, frozen=True):
    """One going-through of a run, from its beginning or a restart to an end."""

    number: int
    began: int
    ended: int | None = None
    status: RunStatus = RunStatus.RUNNING


def goings(run: Run) -> list[Going]:
    """The goings-through of a run; the last one may still go on."""
    found: list[Going] = []
    for change in run.history:
        if not found or (found[-1].ended is not None and not change.status.ended):
            found.append(Going(len(found), change.at if found else run.created_at))
        if change.status.ended:
            found[-1] = replace(found[-1], ended=change.at, status=change.status)
    return found


def spans_of(
    run: Run, plan: Plan | None, steps: Sequence[Step], attempts: Sequence[Attempt], share: float, since: int
) -> list[Span]:
    """What of a run is over since an instant, as spans of its trace; none of a trace that is not told."""
    trace, sampled = traces.of_run(run, share)
    if not sampled:
        return []
    over = [each for each in goings(run) if each.ended is not None]
    found: list[Span] = []
    for number, going in enumerate(over):
        until = over[number + 1].began if number + 1 < len(over) else None
        scene = _Scene(trace, run, plan, going)
        mine = [each for each in attempts if _within(each.ended_at, going.began, until)]
        rows = [each for each in steps if _within(each.ended_at, going.began, until)]
        last = max((*(each.ended_at or 0 for each in mine), *(each.ended_at or 0 for each in rows)), default=0)
        if max(going.ended or 0, last) > since:
            found += scene.told(mine, rows)
    return found


def _within(at: int | None, began: int, until: int | None) -> bool:
    return at is not None and at >= began and (until is None or at < until)


class _Scene:
    """One going-through of a run, and where its spans hang."""

    def __init__(self, trace: str, run: Run, plan: Plan | None, going: Going) -> None:
        self._trace = trace
        self._run = run
        self._plan = plan
        self._going = going
        self._root = traces.run_span(run.id, going.number)

    def told(self, attempts: Sequence[Attempt], rows: Sequence[Step]) -> list[Span]:
        """All its spans, outer ones first."""
        named = [each for each in attempts if each.step]
        keys = {each.step for each in named} | {each.key for each in rows}
        by_key: dict[str, list[Attempt]] = {}
        for each in named:
            by_key.setdefault(each.step, []).append(each)
        known = {each.key: each for each in rows}
        inner = [self._step(key, known.get(key), by_key.get(key, []), keys) for key in sorted(keys)]
        return [self._whole(), *inner, *(self._attempt(each) for each in named)]

    def _whole(self) -> Span:
        run, going = self._run, self._going
        values: dict[str, Value] = {
            "penstock.run.id": run.id,
            "penstock.namespace": run.namespace,
            "penstock.flow.id": run.flow,
            "penstock.flow.revision": run.revision,
            "penstock.run.status": str(going.status),
            "penstock.run.started_by": run.started_by,
            **{f"penstock.label.{name}": value for name, value in run.labels.items()},
        }
        failed = going.status is RunStatus.FAILED
        why = run.failure.message if run.failure and run.ended_at == going.ended else ""
        moments = tuple(
            (each.at, str(each.status)) for each in run.history if going.began <= each.at <= (going.ended or 0)
        )
        return Span(
            trace=self._trace,
            id=self._root,
            parent=traces.parent_of(run),
            name=f"{run.namespace}.{run.flow}",
            began=going.began,
            ended=max(going.began, going.ended or 0),
            values=values,
            failure=(why or str(going.status)) if failed else None,
            moments=moments,
            links=self._links(),
        )

    def _links(self) -> tuple[Place, ...]:
        """What it goes on from: its own going-through before, and the run that it repeats."""
        if self._going.number:
            return (Place(self._trace, traces.run_span(self._run.id, self._going.number - 1)),)
        origin = self._run.origin
        if not origin or origin == self._run.id:
            return ()
        trace = self._trace if self._run.trace else traces.own_trace(origin)
        return (Place(trace, traces.run_span(origin)),)

    def _step(self, key: str, row: Step | None, tried: Sequence[Attempt], keys: Iterable[str]) -> Span:
        began = [at for each in tried if (at := each.queued_at or each.started_at or each.ended_at) is not None]
        ended = [each.ended_at for each in tried if each.ended_at is not None]
        failed = bool(tried) and tried[-1].outcome in BAD
        failure = tried[-1].failure if failed else None
        values: dict[str, Value] = {"penstock.run.id": self._run.id, "penstock.step.key": key}
        if kind := self._kind(key):
            values["penstock.task.type"] = kind
        if row is not None:
            began += [at for at in (row.first_at or row.started_at or row.queued_at,) if at is not None]
            ended += [row.ended_at] if row.ended_at is not None else []
            values["penstock.step.status"] = str(row.status)
            failed, failure = row.status is StepStatus.FAILED, row.failure
        last = max(ended)
        return Span(
            trace=self._trace,
            id=traces.step_span(self._run.id, key, self._going.number),
            parent=self._above(key, frozenset(keys)),
            name=ids.part_of(key) or ids.node_of(key),
            began=min(last, max(min(began, default=last), self._going.began)),
            ended=last,
            values=values,
            failure=(failure.message if failure else "it failed") if failed else None,
        )

    def _attempt(self, tried: Attempt) -> Span:
        ended = tried.ended_at or 0
        values: dict[str, Value] = {
            "penstock.run.id": self._run.id,
            "penstock.step.key": tried.step,
            "penstock.attempt": tried.number,
            "penstock.outcome": str(tried.outcome),
            "penstock.worker": tried.worker,
        }
        if tried.failure is not None:
            values["penstock.failure.kind"] = str(tried.failure.kind)
            if tried.failure.exit_code is not None:
                values["process.exit.code"] = tried.failure.exit_code
        why = tried.failure.message if tried.failure else str(tried.outcome)
        return Span(
            trace=self._trace,
            id=traces.attempt_span(self._run.id, tried.step, tried.number),
            parent=traces.step_span(self._run.id, tried.step, self._going.number),
            name=f"{ids.node_of(tried.step)} attempt",
            began=min(tried.started_at or ended, ended),
            ended=ended,
            values=values,
            failure=why if tried.outcome in BAD else None,
        )

    def _above(self, key: str, keys: frozenset[str]) -> str:
        """The span around a step's: that of the nearest group that has one, else the run's."""
        try:
            around = list(self._plan.ancestors(key)) if self._plan is not None else []
        except KeyError:  # a revision of this number that has other nodes
            around = []
        near = next((each for each in around if each != ROOT and each in keys), ROOT)
        return traces.step_span(self._run.id, near, self._going.number) if near else self._root

    def _kind(self, key: str) -> str:
        seat = self._plan.seats.get(ids.node_of(key)) if self._plan is not None else None
        return seat.node.type if seat is not None and isinstance(seat.node, Task) else ""
