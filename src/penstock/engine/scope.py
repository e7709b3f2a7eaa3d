"""Which names does an expression see, and what stands behind them? Data of the run only, looked up when asked for."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Protocol

from penstock.model import ids
from penstock.model.node import ForEach, Node, Subflow, Task, Until
from penstock.model.plan import LOOPS, ROOT, TASKS, Plan
from penstock.model.run import Run, Step

COUNTED = ("iterationCount", "runningIterations", "terminatedIterations")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Seen(Protocol):
    """What an expression may look at: a run as it is loaded, or as it stands in the middle of a decision."""

    @property
    def plan(self) -> Plan:
        """The flow that the run goes by."""

    @property
    def run(self) -> Run:
        """The run itself."""

    def step(self, key: str) -> Step | None:
        """The step of this key."""

    def output(self, key: str) -> dict[str, object] | None:
        """The newest outputs of a step."""

    def steps_of(self, node_id: str) -> list[Step]:
        """Every step of one node, whatever the iteration."""


def scope_of(seen: Seen, key: str) -> dict[str, object]:
    """The names that an expression of the step `key` sees; parts not loaded raise NotLoaded when they are touched."""
    plan, run = seen.plan, seen.run
    flow, variables = plan.flow, variables_at(seen, key)
    scope: dict[str, object] = {
        "flow": {"id": flow.id, "namespace": flow.namespace, "revision": run.revision},
        "execution": {
            "id": run.id,
            "startDate": instant(run.started_at or run.created_at),
            "originalId": run.origin or run.id,
            "state": status_word(plan, run.root.verdict or run.status),
            "outputs": run.outputs or {},
        },
        "inputs": nested(run.inputs),
        "vars": variables,
        "variables": variables,
        "globals": flow.globals,
        "labels": nested(run.labels),
        "trigger": run.trigger,
        "outputs": Outputs(seen, key),
        "tasks": Tasks(seen, key),
    }
    if run.logical_date is not None:
        scope["logicalDate"] = instant(run.logical_date)
    if run.interval_start is not None and run.interval_end is not None:
        scope["dataInterval"] = {"start": instant(run.interval_start), "end": instant(run.interval_end)}
    if key != ROOT:
        scope |= _about_step(seen, key)
    return scope


def variables_at(seen: Seen, key: str) -> dict[str, object]:
    """The variables where a step stands: its flow's, until a task changes them, in an iteration or in the run."""
    for around in homes(seen.plan, key):
        step = seen.step(around)
        if step is not None and step.variables is not None:
            return step.variables
    return seen.plan.flow.variables if seen.run.variables is None else seen.run.variables


def homes(plan: Plan, key: str) -> list[str]:
    """The iterations around a step that keep what they do to themselves, the nearest first."""
    return [each for each in iterations(plan, key) if _gathers(plan, each)] if key != ROOT else []


def _about_step(seen: Seen, key: str) -> dict[str, object]:
    plan = seen.plan
    node = plan.node(ids.node_of(key))
    step = seen.step(key)
    around = iterations(plan, key)
    taskrun: dict[str, object] = {
        "id": f"{seen.run.id}/{key}",
        "startDate": instant((step.first_at if step else None) or seen.run.created_at),
        "attemptsCount": max(0, step.tries - 1) if step else 0,
        "parentId": plan.parent_key(key) or None,
    }
    here: dict[str, object] = {"task": {"id": node.id, "type": _type(node)}, "taskrun": taskrun}
    if around:
        taskrun |= _iteration(seen, around[0])
    valued = over_values(plan, around)
    if valued:
        taskrun["value"] = _iteration(seen, valued[0])["value"]
    parents = [{"taskrun": _iteration(seen, other)} for other in valued[1:]]
    if parents:
        here["parent"] = parents[0]
    here["parents"] = parents
    items = [_item(seen, other) for other in valued if _gathers(plan, other)]
    if items:
        item = items[0]
        if items[1:]:
            item |= {"parent": items[1], "parents": items[:0:-1]}
        here["item"] = item
    failure = _nearest_failure(seen, key)
    if failure:
        here["error"] = failure
    return here


def _gathers(plan: Plan, key: str) -> bool:
    node = plan.node(ids.node_of(key))
    return isinstance(node, ForEach) and node.gathers


def _item(seen: Seen, key: str) -> dict[str, object]:
    """What an iteration of a loop that gathers is about: its index, its value, of a map's entry its key."""
    step = seen.step(key)
    value = step.value if step else None
    entry = _entry(seen.plan, key, value)
    name = {} if entry is None else {"key": entry[0]}
    told = loop_value(seen.plan, value if entry is None else entry[1])
    return {"index": ids.iteration_of(key), **name, "value": told}


def _entry(plan: Plan, key: str, value: object) -> tuple[str, object] | None:
    """Key and value of a map's entry, where the loop goes over a map."""
    node = plan.node(ids.node_of(key))
    of_map = isinstance(node, ForEach) and not isinstance(node.values, list)
    if of_map and isinstance(value, dict) and value.keys() == {"key", "value"}:
        return str(value["key"]), value["value"]
    return None


def _type(node: Node) -> str:
    return (
        node.type if isinstance(node, Task) else "subflow" if isinstance(node, Subflow) else type(node).__name__.lower()
    )


def _iteration(seen: Seen, key: str) -> dict[str, object]:
    step = seen.step(key)
    value = loop_value(seen.plan, step.value) if step else None
    return {"value": value, "items": value, "iteration": ids.iteration_of(key)}


def _nearest_failure(seen: Seen, key: str) -> dict[str, object] | None:
    for around in seen.plan.ancestors(key):
        step = seen.step(around) if around else None
        state = seen.run.root if not around else step.group if step else None
        if state and state.failure:
            return {"message": state.failure.message, "kind": str(state.failure.kind)}
    return None


def iterations(plan: Plan, key: str) -> list[str]:
    """Keys of the iterations around a step, the nearest first."""
    return [around for around in (key, *plan.ancestors(key)) if ids.iteration_of(around) is not None]


def over_values(plan: Plan, around: list[str]) -> list[str]:
    """Those of the iterations around a step that have a value."""
    return [key for key in around if isinstance(plan.node(ids.node_of(key)), ForEach)]


def loop_value(plan: Plan, value: object) -> object:
    """A loop's value as expressions see it: maps and lists as JSON text; scalars as text, too, where the flow's
    language has them so.
    """
    as_text = plan.flow.language.values_as_text or isinstance(value, dict | list)
    return loop_text(value) if as_text and value is not None else value


def loop_text(value: object) -> str:
    """A loop's value as text, by which outputs are found."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """Names with dots as maps within maps: `a.b` is reached as `x.a.b`."""
    if not any("." in name for name in flat):
        return dict(flat)
    tree: dict[str, object] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        place = tree
        for part in path:
            below = place.setdefault(part, {})
            if not isinstance(below, dict):
                below = place[part] = {}
            place = below
        place[last] = value
    return tree


def instant(micros: int) -> str:
    """An instant as ISO-8601 text in UTC."""
    return (EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def status_word(plan: Plan, status: str) -> str:
    """A status as the flow's language writes it."""
    return status.upper() if plan.flow.language.upper_case_statuses else str(status)


def plain(value: object) -> object:
    """A value that may be stored: lookups that were lazy become maps."""
    match value:
        case Mapping():
            return {str(name): plain(below) for name, below in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def loops_around(plan: Plan, node_id: str) -> list[str]:
    """Ids of the loops that a node lies in, the outermost first."""
    found = []
    seat = plan.seats[node_id]
    while seat.parent != ROOT:
        parent = plan.seats[seat.parent]
        if isinstance(parent.node, LOOPS) and seat.branch == TASKS:
            found.append(seat.parent)
        seat = parent
    return found[::-1]


def is_by_value(loop: Node) -> bool:
    """Are the outputs of tasks in this loop kept by its values?"""
    return isinstance(loop, ForEach) and not loop.gathers


def within(seen: Seen, node_id: str, loops: list[str], prefix: str, own: list[str]) -> object:
    """The outputs of a task below `prefix`: of a loop over values by value, of a loop until of its newest iteration,
    or the one that the looking step lies in itself; of a loop that gathers nobody else sees inside. Raises KeyError.
    """
    while loops and not is_by_value(loop := seen.plan.node(loops[0])):
        around = prefix + loops[0]
        if own and own[0].startswith(f"{around}["):
            inside, own = own[0], own[1:]
        elif not isinstance(loop, Until):
            raise KeyError(node_id)
        else:
            step = seen.step(around)
            if step is None or step.group is None or not step.group.next:
                raise KeyError(node_id)
            inside = ids.in_loop(around, step.group.next - 1)
        prefix, loops = f"{inside}/", loops[1:]
    if loops:
        return ByValue(seen, node_id, loops, prefix, own)
    node = seen.plan.node(node_id)
    if isinstance(node, ForEach) and node.gathers:
        return Gathered(seen, prefix + node_id)
    found = seen.output(prefix + node_id)
    if found is None:
        raise KeyError(node_id)
    return found


class Gathered(Mapping[str, object]):
    """What a loop that gathers hands on: how many iterations it has and how they ended, and what each handed on.
    Raises KeyError where the loop has not begun.
    """

    def __init__(self, seen: Seen, key: str) -> None:
        step = seen.step(key)
        if step is None or step.group is None or step.group.total is None:
            raise KeyError(key)
        self._seen, self._key, self._state = seen, key, step.group
        node = seen.plan.node(ids.node_of(key))
        self._names = (*COUNTED, "outputs") if isinstance(node, ForEach) and node.outputs else COUNTED

    def __getitem__(self, name: str) -> object:
        counts = self._state.counts
        match name:
            case "iterationCount":
                return self._state.total
            case "runningIterations":
                return counts.get("open", 0)
            case "terminatedIterations":
                plan = self._seen.plan
                return {status_word(plan, word): many for word, many in counts.items() if word != "open" and many}
            case "outputs" if name in self._names:
                return [told for index in range(self._state.next) if (told := self._of(index))]
            case _:
                raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _of(self, index: int) -> dict[str, object] | None:
        inner = ids.in_loop(self._key, index)
        made = self._seen.output(inner)
        if made is None:
            return None
        item = {name: value for name, value in _item(self._seen, inner).items() if name != "index"}
        return {"item": item | {"iteration": index}, "outputs": made}


class Outputs(Mapping[str, object]):
    """`outputs`: by task id; of a task in loops over values, nested by the loops' values."""

    def __init__(self, seen: Seen, key: str) -> None:
        self._seen = seen
        self._own = iterations(seen.plan, key)[::-1] if key else []

    def __getitem__(self, node_id: str) -> object:
        plan = self._seen.plan
        if node_id not in plan.seats:
            raise KeyError(node_id)
        return within(self._seen, node_id, loops_around(plan, node_id), "", self._own)

    def __iter__(self) -> Iterator[str]:
        return (node_id for node_id in self._seen.plan.seats if self._has(node_id))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _has(self, node_id: str) -> bool:
        loops = loops_around(self._seen.plan, node_id)
        if any(is_by_value(self._seen.plan.node(loop)) for loop in loops):
            return True
        try:
            return within(self._seen, node_id, loops, "", self._own) is not None
        except KeyError:
            return False


class ByValue(Mapping[str, object]):
    """The outputs of a task in loops, one level per loop. The own iteration is found without reading the others."""

    def __init__(self, seen: Seen, node_id: str, loops: list[str], prefix: str, own: list[str]) -> None:
        self._seen = seen
        self._node = node_id
        self._loop, *self._inner = loops
        self._prefix = prefix
        self._own = own

    def __getitem__(self, value: object) -> object:
        key = self._iteration(loop_text(value))
        own = self._own[1:] if self._own and self._own[0] == key else []
        return within(self._seen, self._node, self._inner, f"{key}/", own)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(loop_text(step.value) for step in self._steps()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _iteration(self, text: str) -> str:
        loop = self._prefix + self._loop
        if self._own and self._own[0].startswith(f"{loop}["):
            step = self._seen.step(self._own[0])
            if step is not None and loop_text(step.value) == text:
                return self._own[0]
        for step in self._steps():
            if loop_text(step.value) == text:
                return step.key
        raise KeyError(text)

    def _steps(self) -> list[Step]:
        # In the order of their numbers, whoever read them when: values repeat, and the first one is meant.
        start = f"{self._prefix}{self._loop}["
        found = [step for step in self._seen.steps_of(self._loop) if step.key.startswith(start)]
        return sorted(found, key=lambda step: ids.iteration_of(step.key) or 0)


class Tasks(Mapping[str, object]):
    """`tasks`: the status of each task by id, in the same iteration where it lies in one."""

    def __init__(self, seen: Seen, key: str) -> None:
        self._seen = seen
        self._prefix = ids.loop_prefix(key)

    def __getitem__(self, node_id: str) -> object:
        plan = self._seen.plan
        if node_id not in plan.seats:
            raise KeyError(node_id)
        inside = len(loops_around(plan, node_id))
        prefix = "/".join(self._prefix.split("/")[:inside]) + "/" if inside else ""
        step = self._seen.step(prefix + node_id)
        if step is None:
            raise KeyError(node_id)
        return {"state": status_word(plan, step.status)}

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen.plan.seats)

    def __len__(self) -> int:
        return len(self._seen.plan.seats)
