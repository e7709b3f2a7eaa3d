"""Which flows does the simulation run? Random trees of every group, with retries, allowances, limits and subflows."""

from __future__ import annotations

import random

from penstock.model.flow import Flow
from penstock.model.node import ForEach, If, Node, Parallel, Sequence, Subflow, Switch, Task
from penstock.model.policy import SECOND, Backoff, Limit, OnChildFailure, Retry, WhenFull

NAMESPACE = "sim"


class FlowMaker:
    """Makes one flow's tree; ids count up, so that they are unique over the flow."""

    def __init__(self, rng: random.Random, callees: tuple[str, ...]) -> None:
        self._rng = rng
        self._callees = callees
        self._count = 0

    def flow(self, flow_id: str) -> Flow:
        """A flow with a random body, errors and finally, perhaps a limit."""
        rng = self._rng
        body = Sequence(
            id="",
            nodes=self._nodes(rng.randint(1, 4), depth=0),
            errors=self._nodes(1, depth=3) if rng.random() < 0.3 else (),
            finally_=self._nodes(1, depth=3) if rng.random() < 0.2 else (),
        )
        limits: tuple[Limit, ...] = ()
        if rng.random() < 0.3:
            limits = (Limit(rng.randint(1, 2), rng.choice(list(WhenFull))),)
        return Flow(
            id=flow_id,
            namespace=NAMESPACE,
            body=body,
            limits=limits,
            retry=self._retry() if rng.random() < 0.1 else None,
            timeout=rng.randint(60, 300) * SECOND if rng.random() < 0.15 else None,
        )

    def _nodes(self, count: int, depth: int) -> tuple[Node, ...]:
        return tuple(self._node(depth) for _ in range(count))

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _node(self, depth: int) -> Node:
        rng = self._rng
        roll = rng.random()
        if depth >= 3 or roll < 0.5:
            return self._task()
        if roll < 0.55 and self._callees:
            return Subflow(
                id=self._id("sub"), namespace=NAMESPACE, flow=rng.choice(self._callees), wait=rng.random() < 0.8
            )
        inside = self._nodes(rng.randint(1, 3), depth + 1)
        errors = self._nodes(1, depth=3) if rng.random() < 0.2 else ()
        finally_ = self._nodes(1, depth=3) if rng.random() < 0.1 else ()
        allow = rng.random() < 0.1
        if roll < 0.65:
            return Sequence(id=self._id("seq"), nodes=inside, errors=errors, finally_=finally_, allow_failure=allow)
        if roll < 0.77:
            mode = rng.choice(list(OnChildFailure))
            return Parallel(
                id=self._id("par"), nodes=inside, errors=errors, finally_=finally_, limit=rng.randint(0, 2),
                on_child_failure=mode,
            )  # fmt: skip
        if roll < 0.9:
            values: list[object] = [f"v{i}" for i in range(rng.randint(0, 4))]
            return ForEach(
                id=self._id("each"), values=values, nodes=inside, limit=rng.randint(0, 2), errors=errors,
                deadline=rng.randint(30, 200) * SECOND if rng.random() < 0.1 else None,
            )  # fmt: skip
        if roll < 0.95:
            condition = rng.choice(["true", "false", "{{ flow.id == 'nobody' }}", "{{ uuid() == '' }}"])
            return If(id=self._id("if"), condition=condition, then=inside, else_=self._nodes(1, depth + 1))
        return Switch(id=self._id("switch"), value=rng.choice(["a", "b"]), cases={"a": inside}, errors=errors)

    def _task(self) -> Task:
        rng = self._rng
        return Task(
            id=self._id("task"),
            type="log",
            retry=self._retry() if rng.random() < 0.3 else None,
            allow_failure=rng.random() < 0.1,
            run_if=rng.choice(["", "", "", "false", "{{ uuid() != '' }}", "{{ missing }}"])
            if rng.random() < 0.2
            else "",
            deadline=rng.randint(20, 90) * SECOND if rng.random() < 0.1 else None,
            disabled=rng.random() < 0.03,
        )

    def _retry(self) -> Retry:
        rng = self._rng
        return Retry(
            backoff=rng.choice(list(Backoff)),
            interval=rng.randint(0, 5) * SECOND,
            cap=20 * SECOND,
            max_attempts=rng.randint(1, 3),
        )
