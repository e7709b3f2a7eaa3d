"""What must become of every step when each task's outcome is known beforehand? Slow, obvious, and without time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from penstock.model.node import ForEach, Group, If, Node, Parallel, Switch, Task
from penstock.model.node import Sequence as Row

Outcomes = Callable[[str], str]
GOOD = ("success", "warning", "skipped")


class Reference:
    """Goes through a tree by plain recursion and writes down what each step comes to."""

    def __init__(self, outcomes: Outcomes) -> None:
        self.found: dict[str, str] = {}
        self._outcomes = outcomes

    def group(self, node: Group, key: str, inside: str) -> str:
        """A group: its tasks, its errors after a failure, its finally, its allowances."""
        result = worst(self.tasks(node, key, inside))
        if result == "failed":
            self.all_of(node.errors, inside)
        self.all_of(node.finally_, inside)
        return self.write(key, allowed(node, result))

    def tasks(self, node: Group, key: str, inside: str) -> list[str]:
        """What the tasks of a group come to, of those that begin."""
        match node:
            case Row(nodes=nodes):
                return self.until_bad(nodes, inside)
            case Parallel(nodes=nodes):
                return self.all_of(nodes, inside)
            case If(condition=condition, then=then, else_=other):
                return self.until_bad(then if condition == "true" else other, inside)
            case Switch(value=value, cases=cases, default=default):
                if value not in cases and not default:
                    return ["failed"]
                return self.until_bad(cases.get(value, default), inside)
            case ForEach(values=list(values), nodes=nodes, limit=limit):
                return self.loop(nodes, key, len(values), one_by_one=limit == 1)
            case _:
                raise AssertionError(f"{node} is not in the reference")

    def loop(self, nodes: Sequence[Node], key: str, count: int, *, one_by_one: bool) -> list[str]:
        """The iterations of a loop: all of them, or until the first that is bad."""
        found: list[str] = []
        for index in range(count):
            iteration = f"{key}[{index}]"
            found.append(self.write(iteration, worst(self.until_bad(nodes, f"{iteration}/"))))
            if one_by_one and found[-1] not in GOOD:
                break
        return found

    def until_bad(self, nodes: Sequence[Node], inside: str) -> list[str]:
        """One after the other until one does not end well."""
        found: list[str] = []
        for node in enabled(nodes):
            found.append(self.one(node, inside))
            if found[-1] not in GOOD:
                break
        return found

    def all_of(self, nodes: Sequence[Node], inside: str) -> list[str]:
        """All of them, whatever becomes of any."""
        return [self.one(node, inside) for node in enabled(nodes)]

    def one(self, node: Node, inside: str) -> str:
        """A single node."""
        key = inside + node.id
        if isinstance(node, Group):
            return self.group(node, key, inside)
        assert isinstance(node, Task)
        return self.write(key, "skipped" if node.run_if == "false" else allowed(node, self._outcomes(key)))

    def write(self, key: str, status: str) -> str:
        """Write down what a step comes to."""
        self.found[key] = status
        return status


def enabled(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that are not disabled."""
    return [node for node in nodes if not node.disabled]


def worst(statuses: list[str]) -> str:
    """What children come to."""
    return next((bad for bad in ("failed", "warning") if bad in statuses), "success")


def allowed(node: Node | Group, status: str) -> str:
    """What allowances make of a status."""
    if status == "failed" and node.allow_failure:
        status = "warning"
    return "success" if status == "warning" and node.allow_warning else status


def turn(key: str) -> int:
    """A number that tells iterations apart: the sum of their indexes."""
    return sum(int(index) for index in re.findall(r"\[(\d+)\]", key))
