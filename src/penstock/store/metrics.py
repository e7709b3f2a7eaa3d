"""Which numbers did attempts report?"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from penstock.store import codec
from penstock.store.port import Tx


class MetricKind(enum.StrEnum):
    """How a number is to be read: it adds up, it stands, or it is a time in seconds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A number that an attempt reported."""

    step: str
    attempt: int
    name: str
    value: float
    at: int
    kind: MetricKind = MetricKind.COUNTER
    unit: str = ""
    tags: dict[str, str] = {}


def append(tx: Tx, run_id: str, metrics: Iterable[Metric]) -> None:
    """Keep numbers."""
    rows: list[dict[str, object]] = [
        {
            "run_id": run_id,
            "step": metric.step,
            "attempt": metric.attempt,
            "name": metric.name,
            "kind": metric.kind.value,
            "value": float(metric.value),
            "unit": metric.unit,
            "tags": codec.text(metric.tags),
            "at": metric.at,
        }
        for metric in metrics
    ]
    if rows:
        tx.many("metrics.append", rows)


def every(tx: Tx, run_id: str) -> list[Metric]:
    """Give a run's numbers in the order reported."""
    return [
        Metric(
            step=str(step),
            attempt=codec.number(attempt),
            name=str(name),
            kind=MetricKind(str(kind)),
            value=float(str(value)),
            unit=str(unit),
            tags=codec.words(tags),
            at=codec.number(at),
        )
        for step, attempt, name, kind, value, unit, tags, at in tx.all("metrics.every", run_id=run_id)
    ]
