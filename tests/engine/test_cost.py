"""Does an event cost the same in a small run and in a wide one? Told by what a decision looks at, writes and calls."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import FrameType

import pytest

from penstock.engine import Decision, Loaded, advance
from penstock.model.event import Begin, Ended
from penstock.model.flow import Flow
from penstock.model.node import Dag, Keep, Need, Sequence, Task, TriggerRule, Until
from penstock.model.status import Outcome
from tests.engine import outline
from tests.engine.tale import Tale

WIDTHS = (10, 2_000)
SIZES = (10, 10_000)
LOOP = {"values": "{{ range(1, inputs.width) }}"}
OWN = {"b": {"run_if": "{{ outputs.a[taskrun.value].n == 1 }}"}}
FLOWS = {
    "all values at once": {"foreach each": {**LOOP, "limit": 0, "tasks": ["a", OWN]}},
    "some values at once": {"foreach each": {**LOOP, "limit": 4, "tasks": ["a", OWN]}},
    "one value after the other": {"foreach each": {**LOOP, "tasks": ["a", OWN]}},
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_end_of_a_task_in_a_loop_costs_the_same_however_wide_the_loop_is(name: str) -> None:
    costs = []
    for width in WIDTHS:
        inputs = [{"id": "width", "type": "INT"}]
        tale = Tale(outline.flow({"inputs": inputs, "tasks": [FLOWS[name]]}), {"width": width})
        tale.tell(Begin())
        costs.append([cost(tale, "each[0]/a"), cost(tale, "each[0]/b")])

    assert costs[0] == costs[1]


def test_the_end_of_a_task_in_a_parallel_group_costs_the_same_however_many_there_are() -> None:
    costs = []
    for width in WIDTHS:
        tale = Tale(outline.flow([{"parallel p": [f"t{number}" for number in range(width)]}]))
        tale.tell(Begin())
        costs.append(cost(tale, "t0"))

    assert costs[0] == costs[1]


def test_a_node_of_a_dag_that_many_wait_beside_costs_the_same_however_many_there_are() -> None:
    costs = []
    for size in SIZES:
        names = [f"t{number}" for number in range(size)]
        tale = of_dag([*names, "first"], {name: Need(("first",)) for name in names}, limit=4)
        end(tale, "first")
        costs.append([cost(tale, "t0"), cost(tale, "t1")])

    assert costs[0] == costs[1]


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_node_of_a_dag_that_one_waits_for_among_many_costs_the_same_however_many_there_are(rule: TriggerRule) -> None:
    costs = []
    for size in SIZES:
        names = [f"t{number}" for number in range(size)]
        tale = of_dag([*names, "last"], {"last": Need(tuple(names), rule)}, limit=4)
        end(tale, "t0")
        costs.append([cost(tale, "t1"), cost(tale, "t2")])

    assert costs[0] == costs[1]


def test_a_node_of_a_dag_that_is_a_long_chain_costs_the_same_however_long_it_is() -> None:
    costs = []
    for size in SIZES:
        names = [f"t{number}" for number in range(size)]
        tale = of_dag(names, {late: Need((early,)) for early, late in pairwise(names)})
        costs.append([cost(tale, "t0"), cost(tale, "t1"), cost(tale, "t2")])

    assert costs[0] == costs[1]


@pytest.mark.parametrize("keep", Keep)
def test_an_iteration_costs_the_same_however_many_there_were(keep: Keep) -> None:
    body = Until(id="loop", nodes=(Task(id="a", type="log"),), condition="false", keep=keep)
    tale = Tale(Flow(id="f", namespace="n", body=Sequence(id="", nodes=(body,))))
    tale.tell(Begin())
    for index in range(5):
        end(tale, f"loop[{index}]/a")

    early = cost(tale, "loop[5]/a", goes_on=True)
    for index in range(6, 2_000):
        end(tale, f"loop[{index}]/a")

    assert cost(tale, "loop[2000]/a", goes_on=True) == early


def of_dag(names: list[str], needs: dict[str, Need], limit: int = 0) -> Tale:
    """A run of one dag of tasks, begun."""
    dag = Dag(id="d", nodes=tuple(Task(id=name, type="log") for name in names), needs=needs, limit=limit)
    tale = Tale(Flow(id="f", namespace="n", body=Sequence(id="", nodes=(dag,))))
    tale.tell(Begin())
    return tale


def end(tale: Tale, key: str) -> None:
    """Let a task end well."""
    tale.tell(Ended(step=key, attempt=1, outcome=Outcome.DONE))


def cost(tale: Tale, key: str, *, goes_on: bool = False) -> tuple[int, int, int, int, int]:
    """End a task; count the steps, outputs and values that were looked at, what was decided, and the calls it took.

    `goes_on` says that the run then tells itself something: that is decided, too, and not counted.
    """
    tale.outputs[key] = {"n": 1}
    loaded = Loaded(tale.plan, tale.run)
    ended = Ended(step=key, attempt=1, outcome=Outcome.DONE)
    tale.with_parts(loaded, lambda: advance(loaded, ended, tale.now))
    decision, calls = counted(loaded, ended, tale.now)
    if goes_on:
        tale.tell(ended)
    else:
        tale.take(decision)
    looked_at = len(loaded.steps), len(loaded.outputs), len(loaded.values)
    return (*looked_at, len(decision.steps) + len(decision.effects), calls)


def counted(loaded: Loaded, ended: Ended, now: int) -> tuple[Decision, int]:
    """Decide, and count the calls of our own functions."""
    calls = 0

    def called(frame: FrameType, what: str, _: object) -> None:
        nonlocal calls
        calls += what == "call"

    sys.setprofile(called)
    try:
        return advance(loaded, ended, now), calls
    finally:
        sys.setprofile(None)
