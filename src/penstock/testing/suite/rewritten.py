"""How do fixtures come into a flow? What they name is swapped for tasks that end as told; waiting costs no time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from penstock.dialects.kestra.suites import TaskFixture
from penstock.model.flow import Flow
from penstock.model.node import Base, Node, Task
from penstock.sdk import registry

STAND_IN: Final = "stand_in"
SLEEP: Final = "sleep"
N = TypeVar("N", bound=Base)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One fixture, its outputs rendered as far as that could be done before the run; the rest is rendered in it."""

    fixture: TaskFixture
    outputs: dict[str, object]
    late: dict[str, object] = {}


def rewritten(flow: Flow, given: Mapping[str, list[Given]]) -> Flow:
    """The flow with fixtures in their tasks' places, and with sleeping that passes in no time."""

    def swap(node: Node) -> Node | None:
        if node.id in given:
            return _stand_in(node, given[node.id])
        if isinstance(node, Task) and _short(node.type) == SLEEP:
            return _task(node, {"takes": node.properties.get("duration", 0)})
        return None

    body = _mapped(flow.body, swap)
    return msgspec.structs.replace(flow, body=body, after=tuple(_mapped(node, swap) for node in flow.after))


def _short(kind: str) -> str:
    return registry.short_name(kind) if registry.known(kind) else kind


def _stand_in(node: Node, given: list[Given]) -> Task:
    ends: list[dict[str, object]] = []
    late: dict[str, object] = {}
    for number, each in enumerate(given):
        ends.append({"value": each.fixture.value, "state": each.fixture.state, "outputs": each.outputs})
        if each.late:
            late[str(number)] = each.late
    properties: dict[str, object] = {"ends": ends, "outputsLate": late}
    if any(each.fixture.value is not None for each in given):
        properties["value"] = "{{ taskrun.value }}"
    return _task(node, properties)


def _task(node: Node, properties: dict[str, object]) -> Task:
    return Task(
        id=node.id,
        description=node.description,
        disabled=node.disabled,
        run_if=node.run_if,
        retry=node.retry,
        deadline=node.deadline,
        allow_failure=node.allow_failure,
        allow_warning=node.allow_warning,
        type=STAND_IN,
        properties=properties,
    )


def _mapped(node: N, swap: Callable[[Node], Node | None]) -> N:
    """The node with every node below it swapped, where there is another one for it."""

    def each(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(swap(one) or _mapped(one, swap) for one in nodes)

    changes: dict[str, object] = {}
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if isinstance(value, tuple) and value and isinstance(value[0], Base):
            changes[name] = each(value)
        elif name == "cases":
            changes[name] = {case: each(nodes) for case, nodes in value.items()}
    return msgspec.structs.replace(node, **changes) if changes else node
