"""What of a flow have its tests reached? Tasks, and the branches that are not always taken."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.model.flow import Flow
from penstock.model.node import If, Switch
from penstock.model.plan import ERRORS, FINALLY, ROOT, Plan, plan
from penstock.services.document import StepDocument


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks and branches of one flow, and those that no test has reached; `stood_in` were only ever replaced."""

    flow: str
    tasks: tuple[str, ...]
    branches: tuple[str, ...]
    missed_tasks: tuple[str, ...]
    missed_branches: tuple[str, ...]
    stood_in: tuple[str, ...]

    @property
    def share(self) -> float:
        """How much was reached, from 0 to 1."""
        every = len(self.tasks) + len(self.branches)
        return 1.0 if not every else 1 - (len(self.missed_tasks) + len(self.missed_branches)) / every


class Reached(msgspec.Struct, frozen=True):
    """The nodes that one case has reached, and those of them that a fixture stood in for."""

    nodes: frozenset[str]
    stood_in: frozenset[str]


def reached(steps: Iterable[StepDocument], stood_in: Iterable[str]) -> Reached:
    """What a run has reached: all that was begun, and not passed over."""
    passed = ("skipped", "waiting", "cancelled")
    return Reached(frozenset(step.task for step in steps if step.status not in passed), frozenset(stood_in))


def coverage(flow: Flow, cases: Iterable[Reached]) -> Coverage:
    """What all cases of a flow have reached together."""
    found = list(cases)
    nodes = frozenset[str]().union(*(each.nodes for each in found))
    really = frozenset[str]().union(*(each.nodes - each.stood_in for each in found))
    laid = plan(flow)
    tasks = tuple(laid.seats)
    branches = dict(_branches(laid))
    return Coverage(
        flow=flow.name,
        tasks=tasks,
        branches=tuple(branches),
        missed_tasks=tuple(name for name in tasks if name not in nodes),
        missed_branches=tuple(name for name, held in branches.items() if nodes.isdisjoint(held)),
        stood_in=tuple(name for name in tasks if name in nodes and name not in really),
    )


def _branches(laid: Plan) -> Iterable[tuple[str, frozenset[str]]]:
    """Every list of tasks that is not always done, by the name of its group and its own."""
    for (group, branch), nodes in laid.lists.items():
        conditional = isinstance(laid.node(group), If | Switch) and branch not in (ERRORS, FINALLY)
        if nodes and (conditional or branch == ERRORS):
            word = branch.removeprefix("case:")
            yield (f"{group}.{word}" if group != ROOT else word), frozenset(node.id for node in nodes)
