"""What is in a run? Its steps, attempts, outputs, numbers."""

from __future__ import annotations

from penstock.api import cursors
from penstock.api.route import Call
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.parts import MetricRow, OfStep, OutputRow, StepsAsked
from penstock.services.document import AttemptDocument, instant
from penstock.services.reading import unstow
from penstock.services.secrets.given import starred_values
from penstock.services.step_pages import StepRow, StepsWanted, attempts_of
from penstock.services.step_pages import page as step_page
from penstock.store import metrics, outputs


def list_steps(call: Call[StepsAsked, None]) -> Page[StepRow]:
    """Steps in the order of their keys."""
    asked = call.query
    after = cursors.read(asked.cursor, str) or ""
    wanted = StepsWanted(statuses=asked.status, node=asked.task)
    found = step_page(call.core, call.run, wanted, asked.limit + 1, after)
    shown = found[: asked.limit]
    return Page(shown, cursors.written(shown[-1].key) if len(found) > len(shown) else "")


def list_attempts(call: Call[OfStep, None]) -> Everything[AttemptDocument]:
    """The attempts of a step, oldest first; the one that is being made comes last."""
    return Everything(attempts_of(call.core, call.run.id, call.query.step))


def list_outputs(call: Call[OfStep, None]) -> Everything[OutputRow]:
    """What the attempts of a step handed on, oldest first."""
    found = call.core.store.read(lambda tx: outputs.of_step(tx, call.run.id, call.query.step))
    values = (starred_values(unstow(call.core, each)) for each in found)
    return Everything(
        [
            OutputRow(step=each.step, attempt=each.attempt, size=each.size, values=told)
            for each, told in zip(found, values, strict=True)
        ]
    )


def list_metrics(call: Call[None, None]) -> Everything[MetricRow]:
    """The numbers that a run reported, in the order reported."""
    found = call.core.store.read(lambda tx: metrics.every(tx, call.run.id))
    return Everything(
        [
            MetricRow(
                step=each.step,
                attempt=each.attempt,
                name=each.name,
                kind=each.kind.value,
                value=each.value,
                unit=each.unit,
                tags=each.tags,
                at=instant(each.at) or "",
            )
            for each in found
        ]
    )
