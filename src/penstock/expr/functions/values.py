"""Which functions make or read values? Ranges, extremes, JSON, YAML, Ion text, the outputs of loops."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from penstock.errors.expr import ExprFailed
from penstock.expr.calls import Frame
from penstock.expr.documents import from_ion, from_yaml
from penstock.expr.operators import counted, less
from penstock.expr.registry import function
from penstock.expr.scope import ABSENT, entry


@function("min")
def least(first: object, *values: object) -> object:
    """The least of the values."""
    found = first
    for value in values:
        if less(value, found, "min"):
            found = value
    return found


@function("max")
def greatest(first: object, *values: object) -> object:
    """The greatest of the values."""
    found = first
    for value in values:
        if less(found, value, "max"):
            found = value
    return found


@function("range")
def range_(start: object, end: object, increment: int = 1) -> list[object]:
    """The whole numbers (or characters) from start to end, both included."""
    return counted(start, end, increment)


@function("fromJson", "json")
def from_json(json: str | None) -> object:
    """The value that the JSON text holds; null of null."""
    if json is None:
        return None
    try:
        return msgspec.json.decode(json)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ExprFailed(f"This is no JSON: {error}.") from None


@function("yaml")
def yaml(frame: Frame, yaml: str | None) -> object:
    """The value that the YAML text holds, of its first document; anchors are not followed."""
    if yaml is None:
        if frame.calls.version == "0.20":
            return None
        raise ExprFailed("`yaml` reads text, and this is null.")
    return from_yaml(yaml, frame)


@function("fromIon")
def from_ion_(frame: Frame, ion: str | None) -> object:
    """The first value that the Ion text holds; null of null."""
    return None if ion is None else from_ion(ion, frame)


@function("loopOutputs", "iterationOutput")
def loop_outputs(outputs: list[object], name: str) -> list[object]:
    """One output of every iteration of a loop, from the outputs that the loop keeps; null where there is none."""
    return [None if (found := entry(one, name)) is ABSENT else found for one in outputs]


@function("currentEachOutput")
def current_each_output(frame: Frame, outputs: Mapping[str, object]) -> object:
    """The outputs of a task for the values of the loops that stand around this one, and its own."""
    parents = frame.scope.get("parents")
    around = list(reversed(parents)) if isinstance(parents, list) else []
    found: object = outputs
    for holder in [*around, frame.scope]:
        value = entry(entry(holder, "taskrun"), "value")
        if value is not ABSENT:
            found = entry(found, value)
    if found is ABSENT:
        raise ExprFailed("There is no output for the values of the loops here.")
    return found
