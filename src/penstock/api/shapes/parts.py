"""What is told of the parts of a run: its steps, what they handed on, the numbers that they reported?"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from penstock.api.shapes.lists import Cursor, Limit
from penstock.model.status import StepStatus


class StepsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which steps of a run a list shows."""

    status: Annotated[tuple[StepStatus, ...], Meta(description="In one of these statuses.")] = ()
    task: Annotated[str, Meta(max_length=100, description="Of this task of the flow, in whichever iteration.")] = ""
    limit: Limit = 100
    cursor: Cursor = ""


class OfStep(msgspec.Struct, frozen=True, kw_only=True):
    """Which step is meant."""

    step: Annotated[str, Meta(min_length=1, max_length=900, description="The step's key: `each[3]/load`.")]


class OfStepOrRun(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one step is meant, or the whole run."""

    step: Annotated[str, Meta(max_length=900, description="The step's key: `each[3]/load`; empty: the run.")] = ""


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
