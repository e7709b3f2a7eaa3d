"""What have tasks handed on, and what came of them, as an expression of a step sees it? Looked up when asked for."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView

from penstock.engine.around import Seen, item_told, iterations, loop_text, status_word
from penstock.model import ids
from penstock.model.node import ForEach, Node, Subflow, Until
from penstock.model.plan import LOOPS, ROOT, TASKS, Plan
from penstock.model.run import Step

COUNTED = ("iterationCount", "runningIterations", "terminatedIterations")


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

    def items(self) -> ItemsView[str, object]:
        """The entries that are there: of an iteration that has handed on nothing there is none."""
        return _Present(self)

    def values(self) -> ValuesView[object]:
        """What the entries that are there hold."""
        return _Held(self)

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


class _Present(ItemsView[str, object]):
    def __init__(self, entries: ByValue) -> None:
        super().__init__(entries)
        self._entries = entries

    def __iter__(self) -> Iterator[tuple[str, object]]:
        for name in self._entries:
            try:
                found = self._entries[name]
            except KeyError:
                continue
            yield name, found


class _Held(ValuesView[object]):
    def __init__(self, entries: ByValue) -> None:
        super().__init__(entries)
        self._entries = entries

    def __iter__(self) -> Iterator[object]:
        return (found for _, found in self._entries.items())


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
        item = {name: value for name, value in item_told(self._seen, inner).items() if name != "index"}
        return {"item": item | {"iteration": index}, "outputs": made}


class Tallied(Mapping[str, object]):
    """What a loop over batches hands on: how many there are, and how many of the runs for them stand how.
    Raises KeyError where the loop has not begun, or has nothing to do.
    """

    def __init__(self, seen: Seen, key: str, node: ForEach) -> None:
        step = seen.step(key)
        if step is None or step.group is None or not step.group.total:
            raise KeyError(key)
        self._seen, self._key, self._node, self._state = seen, key, node, step.group

    def __getitem__(self, name: str) -> object:
        match name:
            case "numberOfBatches":
                return self._state.total
            case "iterations":
                found = {"CREATED": (self._state.total or 0) - self._state.next, "RUNNING": 0}
                for index in range(self._state.next):
                    word = self._stands(index)
                    found[word] = found.get(word, 0) + 1
                return found
            case _:
                raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("numberOfBatches", "iterations"))

    def __len__(self) -> int:
        return 2

    def _stands(self, index: int) -> str:
        """The state of the run for a batch; of one that is not waited for, of its step."""
        child = self._node.nodes[0]
        key = f"{ids.in_loop(self._key, index)}/{child.id}"
        step = self._seen.step(key)
        if step is None or step.status.open:
            return "RUNNING"
        made = self._seen.output(key) or {}
        waits = isinstance(child, Subflow) and child.wait
        return str(made["state"]) if waits and "state" in made else status_word(self._seen.plan, step.status)


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
    if isinstance(node, ForEach) and node.tallies:
        return Tallied(seen, prefix + node_id, node)
    found = seen.output(prefix + node_id)
    if found is None and isinstance(node, Until):
        found = _turns(seen, prefix + node_id)
    if found is None:
        raise KeyError(node_id)
    return found


def _turns(seen: Seen, key: str) -> dict[str, object] | None:
    """What a loop until hands on while it runs."""
    step = seen.step(key)
    return {COUNTED[0]: step.group.next} if step is not None and step.group is not None and step.group.next else None


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
