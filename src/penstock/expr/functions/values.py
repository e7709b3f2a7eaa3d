"""Which functions make or read values? Ranges, extremes, JSON, YAML, Ion text, the outputs of loops."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.errors.expr import ExprFailed, WrongType
from penstock.expr.calls import Frame, spend
from penstock.expr.documents import from_ion, from_yaml, read_json
from penstock.expr.operators import counted, less
from penstock.expr.printing import kind_of
from penstock.expr.registry import function
from penstock.expr.scope import ABSENT, entry


@function("min")
def least(*values: object) -> object:
    """The least of the numbers; null counts for nothing."""
    found = None
    for value in values:
        if found is None or less(_counted(value), found, "min"):
            found = value
    return found


@function("max")
def greatest(*values: object) -> object:
    """The greatest of the numbers; null counts for nothing."""
    found = None
    for value in values:
        if found is None or less(found, _counted(value), "max"):
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
    return read_json(json)


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
    if ion is None:
        return None
    value = from_ion(ion, frame)
    if value is None:
        raise ExprFailed("The Ion text holds null alone.")
    return value


@function("fileURI")
def file_uri(frame: Frame, path: str, namespace: str | None = None) -> str:
    """The address of a file of the namespace, for `read` and for tasks."""
    own = namespace or entry(frame.scope.get("flow"), "namespace")
    if not isinstance(own, str):
        raise ExprFailed("`fileURI` needs a namespace, and there is no flow here.")
    clean = path.replace("\\", "/")
    if ".." in clean.split("/"):
        raise ExprFailed(f"The path `{path[:60]}` leaves the namespace.")
    return f"kestra:///{own.replace('.', '/')}/_files/{clean.lstrip('/')}"


@function("tasksWithState")
def tasks_with_state(frame: Frame, state: str) -> list[object]:
    """The tasks of this run that are in a state: `taskId`, `state`, and of a task in a loop its `value`."""
    tasks = frame.scope.get("tasks")
    found: list[object] = []
    for name in tasks if isinstance(tasks, Mapping) else ():
        about = entry(tasks, name)
        if not isinstance(about, Mapping):
            continue
        if "state" in about and not isinstance(about["state"], Mapping):
            valued: list[tuple[dict[str, object], object]] = [({}, about)]
        else:
            valued = [({"value": value}, about[value]) for value in about]
        spend(frame, len(valued))
        for more, one in valued:
            if entry(one, "state") == state:
                found.append({"state": state, **more, "taskId": name})
    return found


@function("loopOutputs", "iterationOutput")
def loop_outputs(outputs: list[object], name: str) -> list[object]:
    """One output of every iteration of a loop, from the outputs that the loop keeps; null where there is none."""
    found = [entry(entry(one, "outputs"), name) for one in outputs]
    return [None if value is ABSENT else value for value in found]


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


def _counted(value: object) -> object:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise WrongType(f"The least and the greatest are looked for among numbers, not {kind_of(value)}.")
    return value
