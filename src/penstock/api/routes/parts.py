"""Which addresses are about the parts of a run: steps, attempts, outputs, logs, numbers?"""

from __future__ import annotations

from typing import Final

from penstock.api.handlers import logs, parts
from penstock.api.route import Kind, Route, Where
from penstock.api.routes.runs import RUN
from penstock.api.shapes.lists import Everything, Page
from penstock.api.shapes.logs import LogLinesAsked, LogRow, LogTextAsked
from penstock.api.shapes.parts import MetricRow, OfStep, OutputRow, StepsAsked
from penstock.model.access import Action
from penstock.services.document import AttemptDocument
from penstock.services.step_pages import StepRow

ROUTES: Final = (
    Route(
        method="GET",
        path=f"{RUN}/steps",
        summary="Its steps in the order of their keys, a page at a time.",
        handler=parts.list_steps,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=StepsAsked,
        answer=Page[StepRow],
    ),
    Route(
        method="GET",
        path=f"{RUN}/attempts",
        summary="The attempts of one of its steps.",
        handler=parts.list_attempts,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=OfStep,
        answer=Everything[AttemptDocument],
    ),
    Route(
        method="GET",
        path=f"{RUN}/outputs",
        summary="What the attempts of one of its steps handed on.",
        handler=parts.list_outputs,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=OfStep,
        answer=Everything[OutputRow],
    ),
    Route(
        method="GET",
        path=f"{RUN}/metrics",
        summary="The numbers that it reported.",
        handler=parts.list_metrics,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        answer=Everything[MetricRow],
    ),
    Route(
        method="GET",
        path=f"{RUN}/logs",
        summary="Lines of its log by step, level and text, a page at a time.",
        handler=logs.list_log_lines,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=LogLinesAsked,
        answer=Page[LogRow],
    ),
    Route(
        method="GET",
        path=f"{RUN}/logs/text",
        summary="The text of its log as it came.",
        handler=logs.read_log,
        where=Where.RUN,
        action=Action.RUNS_VIEW,
        query=LogTextAsked,
        kind=Kind.FILE,
        gives="text/plain",
    ),
)
