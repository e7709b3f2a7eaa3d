"""Which flows does chance make? Trees of every group with policies, small enough to be told when one breaks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hypothesis import strategies as st

from penstock.model.flow import Flow
from penstock.model.inputs import Output
from penstock.model.node import ForEach, If, Node, Parallel, Sequence, Subflow, Switch, Task
from penstock.model.policy import SECOND, Backoff, Limit, OnChildFailure, Retry

Values = list[object] | dict[str, object] | str
VALUES: tuple[Values, ...] = (["a", "b", "c"], ["a"], [], [None], "{{ kv('list') }}", {"k": 1, "l": 2})
DEEPEST = 3
CONDITIONS = ("", "", "", "", "false", "{{ kv('x') }}", "{{ nobody }}", "{{ taskrun.value ?? 'a' == 'a' }}")
CHOICES = ("true", "false", "{{ kv('x') }}", "{{ nobody }}")


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
        limit=Limit(1) if draw(st.integers(0, 5)) == 5 else None,
        retry=draw(st.none() | retries()),
        timeout=draw(seconds) if draw(st.integers(0, 3)) == 3 else None,
        outputs=(Output(id="o", value="{{ kv('o') }}"),) if draw(st.integers(0, 4)) == 4 else (),
    )


@st.composite
def lists(draw: st.DrawFn, numbers: Iterator[int], depth: int, most: int = 3) -> tuple[Node, ...]:
    """Some nodes."""
    return tuple(draw(nodes(numbers, depth)) for _ in range(draw(st.integers(1, most))))


@st.composite
def nodes(draw: st.DrawFn, numbers: Iterator[int], depth: int) -> Node:
    """A task, a subflow, or a group with nodes in it."""
    kind = draw(st.sampled_from(["task", "task", "task", "subflow", "sequence", "parallel", "foreach", "if", "switch"]))
    name = f"{kind}{next(numbers)}"
    deadline = draw(st.integers(2, 40)) * SECOND if draw(st.integers(0, 7)) == 7 else None
    allow = draw(st.integers(0, 7)) == 7
    retry = draw(retries()) if draw(st.integers(0, 2)) == 2 else None
    if kind == "subflow":
        wait = draw(st.booleans())
        flow = draw(st.sampled_from(["other", "{{ kv('which') }}"]))
        return Subflow(id=name, namespace="tests", flow=flow, wait=wait, deadline=deadline, retry=retry)
    if kind == "task" or depth >= DEEPEST:
        condition = draw(st.sampled_from(CONDITIONS))
        return Task(
            id=name, type="log", run_if=condition, retry=retry, deadline=deadline, allow_failure=allow,
            disabled=draw(st.integers(0, 15)) == 15,
        )  # fmt: skip
    inside = draw(lists(numbers, depth + 1))
    errors = draw(lists(numbers, DEEPEST, 1)) if draw(st.integers(0, 3)) == 3 else ()
    finally_ = draw(lists(numbers, DEEPEST, 1)) if draw(st.integers(0, 3)) == 3 else ()
    mode = draw(st.sampled_from(list(OnChildFailure)))
    limit = draw(st.integers(0, 2))
    match kind:
        case "sequence":
            return Sequence(
                id=name, nodes=inside, errors=errors, finally_=finally_, allow_failure=allow, deadline=deadline,
                retry=retry,
            )  # fmt: skip
        case "parallel":
            return Parallel(
                id=name, nodes=inside, errors=errors, finally_=finally_, limit=limit, on_child_failure=mode,
                deadline=deadline,
            )  # fmt: skip
        case "foreach":
            values = draw(st.sampled_from(VALUES))
            return ForEach(
                id=name, values=values, nodes=inside, errors=errors, finally_=finally_, limit=limit,
                on_child_failure=mode, deadline=deadline,
            )  # fmt: skip
        case "if":
            other = draw(lists(numbers, depth + 1, 1)) if draw(st.booleans()) else ()
            condition = draw(st.sampled_from(CHOICES))
            return If(id=name, condition=condition, then=inside, else_=other, errors=errors, finally_=finally_)
        case _:
            value = draw(st.sampled_from(["a", "b", "{{ kv('x') }}"]))
            return Switch(id=name, value=value, cases={"a": inside}, errors=errors, finally_=finally_)


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
    )
