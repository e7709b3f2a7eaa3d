"""What stands around a step that expressions look out from? Loops with their values, and the groups in these."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Protocol

from penstock.model import ids
from penstock.model.node import Folder, ForEach, If, Switch
from penstock.model.plan import ROOT, Plan
from penstock.model.run import Run, Step


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


def status_word(plan: Plan, status: str) -> str:
    """A status as the flow's language writes it."""
    return status.upper() if plan.flow.language.upper_case_statuses else str(status)


class Parent(Mapping[str, object]):
    """A group that has a value or hands on something: the value of the nearest loop around it, and what it hands on."""

    def __init__(self, seen: Seen, key: str) -> None:
        self._seen, self._key = seen, key
        self._around = over_values(seen.plan, iterations(seen.plan, key))

    def __getitem__(self, name: str) -> object:
        if name == "taskrun" and self._around:
            return iteration_told(self._seen, self._around[0])
        if name == "outputs" and (made := self._seen.output(self._key)):
            return made
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((*["taskrun"][: len(self._around)], *(["outputs"] if self._seen.output(self._key) else ())))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_parent(plan: Plan, key: str) -> bool:
    """Do the tasks in this group see it among their `parents`: a child of a loop over values, or a branch taken?

    Those in a working directory see what it sees.
    """
    if key == ROOT or ids.iteration_of(key) is not None or isinstance(plan.node(ids.node_of(key)), Folder):
        return False
    around = plan.parent_key(key)
    in_loop = ids.iteration_of(around) is not None and isinstance(plan.node(ids.node_of(around)), ForEach)
    return in_loop or isinstance(plan.node(ids.node_of(key)), If | Switch)


def gathers(plan: Plan, key: str) -> bool:
    """Is this the iteration of a loop that gathers what each of its iterations hands on?"""
    node = plan.node(ids.node_of(key))
    return isinstance(node, ForEach) and node.gathers


def item_told(seen: Seen, key: str) -> dict[str, object]:
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


def iteration_told(seen: Seen, key: str) -> dict[str, object]:
    """What expressions see of an iteration of a loop over values."""
    step = seen.step(key)
    value = loop_value(seen.plan, step.value) if step else None
    return {"value": value, "items": value, "iteration": ids.iteration_of(key)}
