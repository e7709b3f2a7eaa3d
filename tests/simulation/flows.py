"""Which flows does the simulation run? Random trees of every group, with every policy, limits, pauses and subflows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from penstock.model.flow import Flow
from penstock.model.inputs import Input, Output
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
from penstock.model.policy import (
    SECOND,
    Backoff,
    Breach,
    Cache,
    Check,
    IfUnmet,
    Limit,
    OnChildFailure,
    Retry,
    Sensor,
    Sla,
    WhenFull,
)

NAMESPACE = "sim"
CONDITIONS = ("true", "false", "{{ flow.id == 'nobody' }}", "{{ uuid() == '' }}", "{{ missing }}")
RUN_IFS = ("", "", "", "false", "{{ uuid() != '' }}", "{{ missing }}")
ASKED = "{{ uuid() == '' ? '[]' : '[1, 2]' }}"
INSTANTS = ("2023-11-14T22:14:00Z", "{{ uuid() == '' ? '' : '2023-11-14T22:15:00Z' }}", "no instant")
POOL = "boats"
QUEUES = ("default", "slow")
WIDE = 104


class FlowMaker:
    """Makes one flow's tree; ids count up, so that they are unique over the flow. `version` is that of its code."""

    def __init__(self, rng: random.Random, callees: tuple[str, ...], version: str = "1") -> None:
        self._rng = rng
        self._callees = callees
        self._version = version
        self._count = 0

    def flow(self, flow_id: str) -> Flow:
        """A flow with a random body, errors and finally, perhaps limits, service levels, outputs that reach out."""
        rng = self._rng
        body = Sequence(
            id="",
            nodes=self._nodes(rng.randint(1, 4), depth=0),
            errors=self._nodes(1, depth=3) if rng.random() < 0.3 else (),
            finally_=self._nodes(1, depth=3) if rng.random() < 0.2 else (),
        )
        limits: tuple[Limit, ...] = ()
        if rng.random() < 0.3:
            limits = (Limit(rng.randint(1, 2), rng.choice(list(WhenFull)), key=rng.choice(["", "", "{{ inputs.k }}"])),)
        return Flow(
            id=flow_id,
            namespace=NAMESPACE,
            inputs=(Input(id="k", type="STRING", default="a", has_default=True),),
            checks=(self._check(),) if rng.random() < 0.1 else (),
            body=body,
            after=self._nodes(rng.randint(1, 2), depth=2) if rng.random() < 0.25 else (),
            limits=limits,
            outputs=(Output(id="o", value="{{ uuid() }}"),) if rng.random() < 0.2 else (),
            retry=self._retry() if rng.random() < 0.1 else None,
            sla=(self._sla(),) if rng.random() < 0.2 else (),
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
        if depth >= 3 or roll < 0.4:
            return self._task()
        if roll < 0.47 and self._callees:
            return self._subflow()
        if roll < 0.53:
            delays: list[str | int] = ["", "PT20S", 5 * SECOND, "{{ uuid() == '' ? '' : 'PT3S' }}"]
            delay = rng.choice(delays)
            return Pause(id=self._id("pause"), delay=delay, at_end=rng.choice(list(PauseEnd)))
        make = rng.choice(self._groups())
        around = {
            "nodes": self._nodes(rng.randint(1, 3), depth + 1),
            "errors": self._nodes(1, depth=3) if rng.random() < 0.2 else (),
            "finally_": self._nodes(1, depth=3) if rng.random() < 0.1 else (),
            "allow_failure": rng.random() < 0.1,
            "deadline": rng.randint(30, 200) * SECOND if rng.random() < 0.1 else None,
            "retry": self._retry() if rng.random() < 0.1 else None,
        }
        return make(around)

    def _subflow(self) -> Node:
        rng = self._rng
        return Subflow(
            id=self._id("sub"),
            namespace=NAMESPACE,
            flow=rng.choice([*self._callees, *self._callees, "nobody", "{{ uuid() == '' ? '' : 'low0' }}"]),
            inputs={"k": "{{ flow.id }}"} if rng.random() < 0.5 else {},
            wait=rng.random() < 0.8,
            transmit_failed=rng.random() < 0.8,
            transmit_cancelled=rng.random() < 0.8,
            allow_failure=rng.random() < 0.1,
            retry=self._retry() if rng.random() < 0.2 else None,
            deadline=rng.randint(20, 90) * SECOND if rng.random() < 0.1 else None,
            at=rng.choice(INSTANTS) if rng.random() < 0.15 else "",
        )

    def _groups(self) -> list[Callable[[dict[str, Any]], Node]]:
        return [
            self._sequence, self._folder, self._parallel, self._foreach, self._branch, self._dag, self._until,
        ]  # fmt: skip

    def _sequence(self, around: dict[str, Any]) -> Node:
        return Sequence(id=self._id("seq"), **around)

    def _folder(self, around: dict[str, Any]) -> Node:
        return Folder(id=self._id("folder"), **around)

    def _parallel(self, around: dict[str, Any]) -> Node:
        mode, limit = self._rng.choice(list(OnChildFailure)), self._rng.randint(0, 2)
        if self._rng.random() < 0.02:
            around["nodes"] = self._wide()
        return Parallel(id=self._id("par"), limit=limit, on_child_failure=mode, **around)

    def _foreach(self, around: dict[str, Any]) -> Node:
        mode, limit = self._rng.choice(list(OnChildFailure)), self._rng.randint(0, 2)
        values: list[object] | dict[str, object] | str = [f"v{i}" for i in range(self._rng.randint(0, 4))]
        if self._rng.random() < 0.1:
            values = {"a": 1, "b": 2}
        elif self._rng.random() < 0.2:
            values = self._rng.choice([ASKED, "[3, 4]", "{{ missing }}", "no list"])
        if self._rng.random() < 0.01:
            values, limit = [f"v{i}" for i in range(WIDE)], 0
            around["nodes"] = (self._idle(),)
        gathers = self._rng.random() < 0.15
        return ForEach(
            id=self._id("each"),
            values=values,
            limit=limit,
            on_child_failure=mode,
            gathers=gathers,
            outputs=(Output(id="o", value=self._rng.choice(["{{ flow.id }}", "{{ missing }}"])),) if gathers else (),
            **around,
        )

    def _wide(self) -> tuple[Node, ...]:
        """So many that they begin in windows; most have nothing to do."""
        return (self._task(), *(self._idle() for _ in range(WIDE)), self._task())

    def _idle(self) -> Task:
        return Task(id=self._id("idle"), type="log", run_if="false")

    def _branch(self, around: dict[str, Any]) -> Node:
        nodes = around.pop("nodes")
        if self._rng.random() < 0.6:
            other = self._nodes(1, depth=3) if self._rng.random() < 0.3 else ()
            return If(id=self._id("if"), condition=self._rng.choice(CONDITIONS), then=nodes, else_=other, **around)
        default = self._nodes(1, depth=3) if self._rng.random() < 0.5 else ()
        value = self._rng.choice(["a", "b", "{{ uuid() == '' ? 'b' : 'a' }}", "{{ missing }}"])
        return Switch(id=self._id("switch"), value=value, cases={"a": nodes}, default=default, **around)

    def _dag(self, around: dict[str, Any]) -> Node:
        rng = self._rng
        nodes = (*around.pop("nodes"), *(self._task() for _ in range(rng.randint(0, 3))))
        if rng.random() < 0.01:
            nodes = (*nodes, *self._wide())
        needs = {}
        for place, node in enumerate(nodes):
            on = tuple(each.id for each in nodes[max(0, place - 4) : place] if rng.random() < 0.6)
            if on:
                needs[node.id] = Need(on, rng.choice(list(TriggerRule)), on[:1])
        mode = rng.choice([OnChildFailure.FINISH, OnChildFailure.FINISH, *OnChildFailure])
        judges = (nodes[0].id,) if rng.random() < 0.1 else ()
        dag_id, limit = self._id("dag"), rng.randint(0, 2)
        return Dag(id=dag_id, nodes=nodes, needs=needs, limit=limit, judges=judges, on_child_failure=mode, **around)

    def _until(self, around: dict[str, Any]) -> Node:
        rng = self._rng
        return Until(
            id=self._id("until"),
            condition=rng.choice(CONDITIONS),
            most=rng.randint(1, 3),
            longest=rng.choice([None, None, 20 * SECOND]),
            interval=rng.choice([0, 3 * SECOND]),
            keep=rng.choice(list(Keep)),
            fail_at_most=rng.random() < 0.3,
            **around,
        )

    def _task(self) -> Task:
        rng = self._rng
        sensor = Sensor(interval=2 * SECOND, longest=rng.choice([None, 10 * SECOND]), soft=rng.random() < 0.5)
        return Task(
            id=self._id("task"),
            type="log",
            retry=self._retry() if rng.random() < 0.3 else None,
            allow_failure=rng.random() < 0.1,
            allow_warning=rng.random() < 0.05,
            run_if=rng.choice(RUN_IFS) if rng.random() < 0.2 else "",
            deadline=rng.randint(20, 90) * SECOND if rng.random() < 0.1 else None,
            disabled=rng.random() < 0.03,
            sensor=sensor if rng.random() < 0.1 else None,
            limits=tuple(self._limit() for _ in range(rng.randint(1, 2))) if rng.random() < 0.12 else (),
            cache=self._cache() if rng.random() < 0.08 else None,
            queue=rng.choice(QUEUES) if rng.random() < 0.1 else QUEUES[0],
        )

    def _limit(self) -> Limit:
        """A pool, a rate, a limit by key, one of several tasks or one of this task alone."""
        rng = self._rng
        full = rng.choice([WhenFull.QUEUE, *WhenFull])
        match rng.randint(0, 4):
            case 0:
                return Limit(weight=rng.randint(1, 2), name=POOL)
            case 1:
                return Limit(rng.randint(1, 2), full, window=8 * SECOND)
            case 2:
                return Limit(1, full, key=rng.choice(["{{ inputs.k }}", "{{ missing }}", "{{ inputs.k }}"]))
            case 3:
                return Limit(2, full, weight=rng.randint(1, 2), name="tasks")
            case _:
                return Limit(rng.randint(1, 2), full)

    def _cache(self) -> Cache:
        ttl, key = self._rng.choice([None, 60 * SECOND]), self._rng.choice(["", "{{ inputs.k }}"])
        return Cache(ttl=ttl, key=key, version=self._version)

    def _retry(self) -> Retry:
        rng = self._rng
        return Retry(
            backoff=rng.choice(list(Backoff)),
            interval=rng.randint(0, 5) * SECOND,
            cap=20 * SECOND,
            jitter=rng.choice([0.0, 0.5]),
            max_attempts=rng.randint(1, 3),
            max_duration=rng.choice([None, None, 30 * SECOND]),
            warn=rng.random() < 0.2,
            new_run=rng.random() < 0.15,
            kinds=("task",) if rng.random() < 0.2 else (),
            exit_codes=(3,) if rng.random() < 0.1 else (),
        )

    def _check(self) -> Check:
        condition = self._rng.choice(["true", "{{ inputs.k == 'a' }}", "{{ uuid() == '' }}"])
        return Check(condition=condition, message="It may not begin.", unmet=self._rng.choice(list(IfUnmet)))

    def _sla(self) -> Sla:
        breach, labels = self._rng.choice(list(Breach)), {"late": "yes"}
        if self._rng.random() < 0.7:
            return Sla(id="time", duration=self._rng.randint(20, 120) * SECOND, breach=breach, labels=labels)
        return Sla(id="truth", condition="{{ execution.state != 'PAUSED' }}", breach=breach, labels=labels)
