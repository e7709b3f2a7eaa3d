"""Which flows does chance make? Trees of every group with policies, small enough to be told when one breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

from penstock.model.flow import Flow
from penstock.model.inputs import Output
from penstock.model.node import (
    Dag,
    Folder,
    ForEach,
    If,
    Keep,
    Need,
    Node,
    Parallel,
    Pause,
    PauseEnd,
    Sequence,
    Subflow,
    Switch,
    Task,
    TriggerRule,
    Until,
)
from penstock.model.policy import SECOND, Backoff, Breach, Limit, OnChildFailure, Retry, Sensor, Sla, WhenFull

Values = list[object] | dict[str, object] | str
VALUES: tuple[Values, ...] = (["a", "b", "c"], ["a"], [], [None], "{{ kv('list') }}", {"k": 1, "l": 2})
DEEPEST = 3
CONDITIONS = ("", "", "", "", "false", "{{ kv('x') }}", "{{ nobody }}", "{{ taskrun.value ?? 'a' == 'a' }}")
CHOICES = ("true", "false", "{{ kv('x') }}", "{{ nobody }}")
MET = ("true", "false", "false", "{{ kv('x') }}", "{{ kv('x') }}", "{{ nobody }}")
DELAYS: tuple[str | int, ...] = ("", "PT5S", 0, 7 * SECOND, "{{ kv('delay') }}", "soon")
SLAS = (
    Sla(id="long", duration=20 * SECOND, breach=Breach.LABEL, labels={"late": "yes"}),
    Sla(id="longer", duration=30 * SECOND, breach=Breach.FAIL),
    Sla(id="longest", duration=25 * SECOND, breach=Breach.CANCEL),
    Sla(id="well", condition="{{ execution.state != 'PAUSED' }}", breach=Breach.CANCEL),
    Sla(id="lost", condition="{{ nobody }}", breach=Breach.FAIL),
)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow with everything in it that time or an operator may meddle with."""
    numbers = count(1)
    seconds = st.none() | st.integers(5, 60).map(lambda n: n * SECOND)
    body = Sequence(
        id="",
        nodes=draw(lists(numbers, 0, 3)),
        errors=draw(lists(numbers, 2, 1)) if draw(st.booleans()) else (),
        finally_=draw(lists(numbers, 2, 1)) if draw(st.booleans()) else (),
    )
    return Flow(
        id="chance",
        namespace="tests",
        body=body,
        after=draw(lists(numbers, 2, 2)) if draw(one_in(3)) else (),
        limits=(Limit(1),) if draw(one_in(6)) else (),
        retry=draw(st.none() | retries()),
        timeout=draw(seconds) if draw(one_in(4)) else None,
        outputs=(Output(id="o", value="{{ kv('o') }}"),) if draw(one_in(5)) else (),
        sla=(draw(st.sampled_from(SLAS)),) if draw(one_in(5)) else (),
    )


def one_in(many: int) -> st.SearchStrategy[bool]:
    """True once in so many times."""
    return st.integers(1, many).map(lambda number: number == many)


@st.composite
def lists(draw: st.DrawFn, numbers: Iterator[int], depth: int, most: int = 3) -> tuple[Node, ...]:
    """Some nodes."""
    return tuple(draw(nodes(numbers, depth)) for _ in range(draw(st.integers(1, most))))


@st.composite
def nodes(draw: st.DrawFn, numbers: Iterator[int], depth: int) -> Node:
    """A task, a subflow, a pause, or a group with nodes in it."""
    kind = draw(st.sampled_from(["task", "task", "task", "task", "subflow", "pause", *GROUPS]))
    name = f"{kind}{next(numbers)}"
    own: dict[str, Any] = {
        "id": name,
        "deadline": draw(st.integers(2, 40)) * SECOND if draw(one_in(8)) else None,
        "allow_failure": draw(one_in(8)),
        "allow_warning": draw(one_in(12)),
        "retry": draw(retries()) if draw(one_in(3)) else None,
    }
    match kind:
        case "subflow":
            flow = draw(st.sampled_from(["other", "{{ kv('which') }}"]))
            return Subflow(namespace="tests", flow=flow, wait=draw(st.booleans()), **own)
        case "pause":
            return Pause(delay=draw(st.sampled_from(DELAYS)), at_end=draw(st.sampled_from(list(PauseEnd))), **own)
    if kind == "task" or depth >= DEEPEST:
        return draw(tasks(own))
    around = own | {
        "errors": draw(lists(numbers, DEEPEST, 1)) if draw(one_in(4)) else (),
        "finally_": draw(lists(numbers, DEEPEST, 1)) if draw(one_in(4)) else (),
    }
    return GROUPS[kind](draw, numbers, depth, around)


@st.composite
def tasks(draw: st.DrawFn, own: dict[str, Any]) -> Task:
    """A task, perhaps with a condition, perhaps one that looks again and again, perhaps behind a limit."""
    sensor = Sensor(interval=3 * SECOND, longest=draw(st.sampled_from([None, 0, 8 * SECOND])), soft=draw(st.booleans()))
    limit = Limit(1, draw(st.sampled_from(list(WhenFull))), key=draw(st.sampled_from(["", "{{ taskrun.value }}"])))
    return Task(
        type="log",
        run_if=draw(st.sampled_from(CONDITIONS)),
        sensor=sensor if draw(one_in(6)) else None,
        limits=(limit,) if draw(one_in(6)) else (),
        disabled=draw(one_in(16)),
        **own,
    )


Made = Callable[[st.DrawFn, Iterator[int], int, dict[str, Any]], Node]


def _sequence(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    return Sequence(nodes=draw(lists(numbers, depth + 1)), **around)


def _folder(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    return Folder(nodes=draw(lists(numbers, depth + 1)), **around)


def _parallel(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    mode, limit = draw(st.sampled_from(list(OnChildFailure))), draw(st.integers(0, 2))
    return Parallel(nodes=draw(lists(numbers, depth + 1)), limit=limit, on_child_failure=mode, **around)


def _foreach(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    mode, limit = draw(st.sampled_from(list(OnChildFailure))), draw(st.integers(0, 2))
    values = draw(st.sampled_from(VALUES))
    return ForEach(nodes=draw(lists(numbers, depth + 1)), values=values, limit=limit, on_child_failure=mode, **around)


def _if(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    inside = draw(lists(numbers, depth + 1))
    other = draw(lists(numbers, depth + 1, 1)) if draw(st.booleans()) else ()
    return If(condition=draw(st.sampled_from(CHOICES)), then=inside, else_=other, **around)


def _switch(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    value = draw(st.sampled_from(["a", "b", "{{ kv('x') }}"]))
    return Switch(value=value, cases={"a": draw(lists(numbers, depth + 1))}, **around)


def _dag(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    inside = draw(lists(numbers, depth + 1, 5))
    needs = {}
    for place, node in enumerate(inside):
        on = tuple(each.id for each in inside[:place] if draw(st.booleans()))
        if draw(st.integers(0, 4)) and on:
            setups = tuple(each for each in on if draw(st.booleans()))
            needs[node.id] = Need(on, draw(st.sampled_from(list(TriggerRule))), setups)
    judges = tuple(node.id for node in inside if draw(st.booleans())) if draw(one_in(5)) else ()
    mode = draw(st.sampled_from([OnChildFailure.FINISH] * 3 + list(OnChildFailure)))
    limit = draw(st.integers(0, 2))
    return Dag(nodes=inside, needs=needs, limit=limit, judges=judges, on_child_failure=mode, **around)


def _until(draw: st.DrawFn, numbers: Iterator[int], depth: int, around: dict[str, Any]) -> Node:
    return Until(
        nodes=draw(lists(numbers, depth + 1, 2)),
        condition=draw(st.sampled_from(MET)),
        most=draw(st.integers(1, 3)),
        longest=draw(st.sampled_from([None, None, 10 * SECOND])),
        interval=draw(st.sampled_from([0, 4 * SECOND])),
        keep=draw(st.sampled_from(list(Keep))),
        fail_at_most=draw(st.booleans()),
        **around,
    )


GROUPS: dict[str, Made] = {
    "sequence": _sequence,
    "parallel": _parallel,
    "foreach": _foreach,
    "if": _if,
    "switch": _switch,
    "dag": _dag,
    "until": _until,
    "folder": _folder,
}


@st.composite
def retries(draw: st.DrawFn) -> Retry:
    """A policy that ends."""
    return Retry(
        backoff=draw(st.sampled_from(list(Backoff))),
        interval=draw(st.integers(0, 10)) * SECOND,
        cap=20 * SECOND,
        jitter=draw(st.sampled_from([0.0, 0.5])),
        max_attempts=draw(st.integers(1, 3)),
        kinds=draw(st.sampled_from([(), ("task",), ("timeout",)])),
        warn=draw(st.booleans()),
        new_run=draw(one_in(6)),
    )
