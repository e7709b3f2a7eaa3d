"""Do the engine and a slow, obvious evaluator agree on what becomes of every step of random trees?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.model.effect import Ready
from penstock.model.event import Begin, Ended
from penstock.model.flow import Flow
from penstock.model.node import ForEach, If, Node, Parallel, Sequence, Switch, Task
from penstock.model.status import Outcome
from tests.engine import rules
from tests.engine.reference import Reference, turn
from tests.engine.tale import Tale

WORDS = {"success": Outcome.DONE, "failed": Outcome.FAILED, "warning": Outcome.WARNING, "skipped": Outcome.SKIPPED}
Outcomes = dict[str, tuple[str, ...]]
VALUES: list[object] = [1, 2, 3]


@st.composite
def stories(draw: st.DrawFn) -> tuple[Flow, Outcomes]:
    """A tree, and what its tasks come to in each iteration.

    Where groups stand side by side, only single tasks beside them may fail: what else would become of a group whose
    sibling fails is a matter of time, which the reference does not have.
    """
    numbers, outcomes = count(1), dict[str, tuple[str, ...]]()
    some = [rows(draw, numbers, outcomes, 0, calm=False) for _ in range(3)]
    body = Sequence(id="", nodes=some[0], errors=some[1][:1], finally_=some[2][:1])
    return Flow(id="f", namespace="n", body=body), outcomes


def rows(draw: st.DrawFn, numbers: Iterator[int], outcomes: Outcomes, depth: int, *, calm: bool) -> tuple[Node, ...]:
    """Up to three nodes."""
    return tuple(a_node(draw, numbers, outcomes, depth, calm=calm) for _ in range(draw(st.integers(0, 3))))


def a_node(draw: st.DrawFn, numbers: Iterator[int], outcomes: Outcomes, depth: int, *, calm: bool) -> Node:
    """A task or a group; nothing in it fails when it is to be calm."""
    kinds = ["task", "task", "sequence", "parallel", "foreach", "each", "if", "switch"]
    kind = draw(st.sampled_from(kinds)) if depth < 3 else "task"
    name = f"{kind}{next(numbers)}"
    off = draw(st.integers(0, 11)) == 11
    may: dict[str, Any] = {"allow_failure": draw(st.integers(0, 4)) == 4, "allow_warning": draw(st.integers(0, 4)) == 4}
    if kind == "task":
        words = ["success", "warning", "skipped"] if calm else ["success", "failed", "failed", "warning", "skipped"]
        outcomes[name] = tuple(draw(st.sampled_from(words)) for _ in range(3))
        condition = draw(st.sampled_from(["", "", "", "false"]))
        return Task(id=name, type="log", disabled=off, run_if=condition, **may)
    beside = calm or kind in ("parallel", "each")
    inside = rows(draw, numbers, outcomes, depth + 1, calm=beside)
    if kind in ("parallel", "each") and not calm and draw(st.booleans()):
        leaf = a_node(draw, numbers, outcomes, 3, calm=False)
        inside = (leaf,) if kind == "each" else (*inside, leaf)
    aside = rows(draw, numbers, outcomes, depth + 1, calm=calm)
    around: dict[str, Any] = {"id": name, "errors": aside[:1], "finally_": aside[1:], "disabled": off, **may}
    match kind:
        case "sequence":
            return Sequence(nodes=inside, **around)
        case "parallel":
            return Parallel(nodes=inside, **around)
        case "foreach":
            return ForEach(nodes=inside, values=VALUES[: draw(st.integers(0, 3))], **around)
        case "each":
            return ForEach(nodes=inside, values=VALUES[: draw(st.integers(0, 3))], limit=0, **around)
        case "if":
            return If(condition=draw(st.sampled_from(["true", "false"])), then=inside, else_=aside[:0], **around)
        case _:
            return Switch(value="a", cases={"a": inside} if calm or draw(st.booleans()) else {"b": inside}, **around)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=150)
@given(stories())
def test_the_engine_and_the_reference_agree_on_every_step(story: tuple[Flow, Outcomes]) -> None:
    flow, outcomes = story

    def outcome(key: str) -> str:
        return outcomes[key[key.rfind("/") + 1 :]][turn(key) % 3]

    tale = Tale(flow)
    held = [effect for effect in tale.tell(Begin()).effects if isinstance(effect, Ready)]
    while held:
        held.sort(key=lambda ready: outcome(ready.step) == "failed")
        ready = held.pop(0)
        ended = Ended(step=ready.step, attempt=ready.attempt, outcome=WORDS[outcome(ready.step)])
        held += [effect for effect in tale.tell(ended).effects if isinstance(effect, Ready)]
        rules.hold(tale)

    reference = Reference(outcome)
    result = reference.group(flow.body, "", "")
    expected = {key: status for key, status in reference.found.items() if key}
    assert {key: str(step.status) for key, step in tale.steps.items()} == expected
    assert str(tale.run.status) == result
