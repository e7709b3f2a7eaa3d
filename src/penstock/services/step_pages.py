"""Which steps has a run, a page at a time? In the order of their keys, without what they handed on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.model import ids
from penstock.model.plan import ROOT, Plan
from penstock.model.run import Attempt, Run, Step
from penstock.model.status import StepStatus
from penstock.services.core import Core
from penstock.services.document import AttemptDocument, ErrorDocument, instant, told_attempts, type_of
from penstock.services.reading import plan_of, unstow
from penstock.store import attempts, outputs, queue, steps
from penstock.store.outputs import Output
from penstock.store.port import Tx
from penstock.store.queue import Claim


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
    error: ErrorDocument | None


class StepsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which steps: in one of these statuses, of one node of the flow."""

    statuses: tuple[StepStatus, ...] = ()
    node: str = ""


def page(core: Core, run: Run, wanted: StepsWanted, limit: int, after: str = "") -> list[StepRow]:
    """Steps of a run behind a key."""
    plan = plan_of(core, run)

    def look(tx: Tx) -> list[StepRow]:
        found = steps.page(tx, run.id, limit, after, statuses=wanted.statuses, node=wanted.node)
        held = {(claim.step, claim.attempt): claim for claim in queue.claims_of(tx, run.id)}
        loops = _loops(plan, found)
        values = steps.load(tx, run.id, list(set(loops.values()) - {""}))
        told = []
        for step in found:
            around = values.get(loops[step.key])
            claim = held.get((step.key, step.attempt))
            told.append(_row(plan, step, around, claim))
        return told

    return core.store.read(look)


def attempts_of(core: Core, run_id: str, step: str) -> list[AttemptDocument]:
    """The attempts of a step, oldest first; the one that is being made comes last."""

    def look(tx: Tx) -> tuple[list[Attempt], Claim | None, Output | None]:
        held = next((claim for claim in queue.claims_of(tx, run_id) if claim.step == step), None)
        return attempts.of_step(tx, run_id, step), held, outputs.load(tx, run_id, [step]).get(step)

    tried, held, made = core.store.read(look)
    return told_attempts(tried, held, unstow(core, made) if made else {})


def _loops(plan: Plan, found: Sequence[Step]) -> dict[str, str]:
    """The nearest iteration of each step, itself included; empty outside loops."""
    nearest = {}
    for step in found:
        around = (key for key in (step.key, *plan.ancestors(step.key)) if key != ROOT)
        nearest[step.key] = next((key for key in around if ids.iteration_of(key) is not None), "")
    return nearest


def _row(plan: Plan, step: Step, around: Step | None, claim: Claim | None) -> StepRow:
    running = claim is not None and not step.status.ended
    start = step.started_at or (claim.claimed_at if claim else None) or step.first_at
    took = None if start is None or step.ended_at is None else round((step.ended_at - start) / 1e6, 6)
    failure = step.failure
    return StepRow(
        key=step.key,
        task=step.node,
        type=type_of(plan, step.node),
        parent=plan.parent_key(step.key) or None,
        value=around.value if around else None,
        iteration=ids.iteration_of(around.key) if around else None,
        status=StepStatus.RUNNING if running else step.status,
        attempt=step.attempt,
        start=instant(start),
        end=instant(step.ended_at),
        duration=took,
        due=instant(step.due_at),
        child=step.child or None,
        worker=claim.worker if claim else None,
        error=ErrorDocument(failure.kind.value, failure.message, failure.code) if failure else None,
    )
