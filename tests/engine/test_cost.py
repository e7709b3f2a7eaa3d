"""Does an event cost the same in a small run and in a wide one? Told by what a decision looks at and writes."""

from __future__ import annotations

import pytest

from penstock.engine import Loaded, advance
from penstock.engine.groups import parallel
from penstock.model.event import Begin, Ended
from penstock.model.status import Outcome
from tests.engine import outline
from tests.engine.tale import Tale

WIDTHS = (10, 2_000)
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


def test_the_end_of_a_task_in_a_dag_costs_the_same_however_many_there_are() -> None:
    costs = []
    for width in WIDTHS:
        nodes = ["a", "b", *(f"t{number}" for number in range(width))]
        tale = Tale(outline.flow([{"dag d": {"tasks": nodes, "needs": {"b": "a"}}}]))
        tale.tell(Begin())
        costs.append(cost(tale, "a"))

    assert costs[0] == costs[1]


@pytest.mark.parametrize("kind", ["parallel", "dag"])
def test_no_decision_grows_with_a_wide_group(kind: str) -> None:
    tale = Tale(outline.flow([{f"{kind} wide": [f"t{number}" for number in range(1_050)]}]))
    begun = advance(Loaded(tale.plan, tale.run, every=True), Begin(), tale.now)

    assert len(begun.steps) == 1 + parallel.WINDOW
    tale.tell(Begin())
    assert len(tale.steps) == 1 + 1_050


def cost(tale: Tale, key: str) -> tuple[int, int, int, int]:
    """End a task; count the steps, outputs and values that were looked at, and what was decided."""
    tale.outputs[key] = {"n": 1}
    loaded = Loaded(tale.plan, tale.run)
    ended = Ended(step=key, attempt=1, outcome=Outcome.DONE)
    decision = tale.with_parts(loaded, lambda: advance(loaded, ended, tale.now))
    tale.take(decision)
    looked_at = len(loaded.steps), len(loaded.outputs), len(loaded.values)
    return (*looked_at, len(decision.steps) + len(decision.effects))
