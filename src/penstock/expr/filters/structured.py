"""Which filters write values as documents? JSON and YAML."""

from __future__ import annotations

from penstock.expr.printing import to_json
from penstock.expr.registry import filter


@filter("toJson", "json", null="taken")
def to_json_(value: object) -> str:
    """The value as compact JSON; entries of maps that are null are left out."""
    return to_json(value)
