"""What of a run lies before the engine? Exactly what a decision needs; a missing part is asked for by NotLoaded.

The engine reads nothing itself. Where it needs a part that is not there it raises, the service reads that part and
asks again: a pure function asked again gives the same answer, so nothing is decided twice and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.model import ids
from penstock.model.effect import VALUES_CHUNK
from penstock.model.plan import Plan
from penstock.model.run import Run, Step


class NotLoaded(Exception):
    """The parts that a decision turned out to need."""

    def __init__(
        self,
        *,
        steps: frozenset[str] = frozenset(),
        outputs: frozenset[str] = frozenset(),
        nodes: frozenset[str] = frozenset(),
        values: tuple[str, int] | None = None,
        every: bool = False,
        open_steps: bool = False,
    ) -> None:
        super().__init__("a part of the run is not loaded")
        self.steps = steps
        self.outputs = outputs
        self.nodes = nodes
        self.values = values
        self.every = every
        self.open_steps = open_steps


@dataclass(slots=True)
class Loaded:
    """A run with those of its parts that were read; None stands for "read, and there is none".

    `outputs` is by step key; `nodes` names the nodes all of whose steps are in `steps`; `open_steps` and `every` say
    that all open, or all, steps are there. `heard` names the attempts (step, number) whose end has been decided upon
    since the run was read: what they handed on is seen from then on, and not before.
    """

    plan: Plan
    run: Run
    steps: dict[str, Step | None] = field(default_factory=dict)
    outputs: dict[str, dict[str, object] | None] = field(default_factory=dict)
    nodes: set[str] = field(default_factory=set)
    values: dict[tuple[str, int], list[object]] = field(default_factory=dict)
    open_steps: bool = False
    every: bool = False
    heard: set[tuple[str, int]] = field(default_factory=set)

    def step(self, key: str) -> Step | None:
        """The step of this key; NotLoaded when nobody looked yet."""
        if key not in self.steps:
            if self.every:
                return None
            raise NotLoaded(steps=frozenset({key}))
        return self.steps[key]

    def look_up(self, keys: Iterable[str]) -> None:
        """Have several steps read at once; NotLoaded for those at which nobody looked yet."""
        lacking = frozenset(key for key in keys if key not in self.steps)
        if lacking and not self.every:
            raise NotLoaded(steps=lacking)

    def output(self, key: str) -> dict[str, object] | None:
        """The newest outputs of a step; None when it has none."""
        if key not in self.outputs:
            raise NotLoaded(outputs=frozenset({key}))
        return self.outputs[key]

    def steps_of(self, node_id: str) -> list[Step]:
        """Every step of one node, whatever the iteration."""
        if node_id not in self.nodes and not self.every:
            raise NotLoaded(nodes=frozenset({node_id}))
        return [s for s in self.steps.values() if s is not None and s.node == node_id and "#" not in s.key]

    def parts_of(self, key: str) -> list[Step]:
        """Every step that attempts of the step `key` have reported."""
        if ids.node_of(key) not in self.nodes and not self.every:
            raise NotLoaded(nodes=frozenset({ids.node_of(key)}))
        start = ids.part_key(key, "")
        return [step for step in self.steps.values() if step is not None and step.key.startswith(start)]

    def all_steps(self) -> list[Step]:
        """Every step that has a row and was not merely reported, by key: whoever read when, the order is one."""
        if not self.every:
            raise NotLoaded(every=True)
        found = [step for step in self.steps.values() if step is not None and "#" not in step.key]
        return sorted(found, key=_by_key)

    def forget(self, iteration: str) -> None:
        """An iteration and all that lies in it is not kept any more: looked for, there is nothing."""
        inside = f"{iteration}/"
        self.steps.update({key: None for key in self.steps if key == iteration or key.startswith(inside)})
        self.outputs.update({key: None for key in self.outputs if key.startswith(inside)})

    def all_open(self) -> list[Step]:
        """Every step that has begun and has not ended, by key."""
        if not self.open_steps and not self.every:
            raise NotLoaded(open_steps=True)
        rows = self.steps.values()
        found = [step for step in rows if step is not None and step.status.open and "#" not in step.key]
        return sorted(found, key=_by_key)

    def value(self, key: str, index: int) -> object:
        """One value of the loop `key`."""
        chunk, place = divmod(index, VALUES_CHUNK)
        if (key, chunk) not in self.values:
            raise NotLoaded(values=(key, chunk))
        return self.values[key, chunk][place]


def _by_key(step: Step) -> str:
    return step.key
