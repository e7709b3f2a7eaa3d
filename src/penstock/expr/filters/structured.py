"""Which filters read or write values as documents? JSON, YAML, Ion text, and the queries of jq."""

from __future__ import annotations

from penstock.expr.calls import Frame
from penstock.expr.documents import read_json, to_ion, to_yaml
from penstock.expr.jq import results, taken_in
from penstock.expr.printing import to_json
from penstock.expr.registry import filter


@filter("toJson", "json", null="taken")
def to_json_(value: object) -> str:
    """The value as compact JSON; entries of maps that are null are left out."""
    return to_json(value)


@filter("jq")
def jq(frame: Frame, value: object, expression: str) -> list[object]:
    """The results of a jq program, always a list; text is read as JSON first."""
    if isinstance(value, str):
        return results(expression, read_json(value) if value.strip() else None, frame)
    return results(expression, taken_in(value, frame), frame)


@filter("yaml", null="taken")
def yaml(frame: Frame, value: object) -> str:
    """The value as YAML, with a line break at its end."""
    return to_yaml(value, frame)


@filter("toIon", null="taken")
def to_ion_(frame: Frame, value: object) -> str:
    """The value as Ion text."""
    return to_ion(value, frame)
