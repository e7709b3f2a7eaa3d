"""What must become of every step when each attempt's outcome is known beforehand? Slow, obvious, and without time.

Written from what the nodes promise, apart from the engine: plain recursion that writes down what each step comes to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from penstock.model.node import (
    Arrangement,
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
    Subflow,
    Switch,
    Task,
    Until,
)
from penstock.model.node import Sequence as Row
from penstock.model.policy import OnChildFailure, Retry
from tests.engine.triggers import decided

Outcomes = Callable[[str, int], str]
GOOD = ("success", "warning", "skipped")
MOST_LOST = 3
YES = "{{ kv('yes') }}"
NO = "{{ kv('no') }}"
PAUSES = {
    PauseEnd.RESUME: "success",
    PauseEnd.WARN: "warning",
    PauseEnd.FAIL: "failed",
    PauseEnd.CANCEL: "cancelled",
}


class Reference:
    """Goes through a tree by plain recursion; `before` is how steps ended in an earlier going-through of the run.

    `attempts` are the numbers of the attempts that there were, `skips` the steps that an operator wants skipped, and
    `met` the number of iterations after which the condition of a loop until is true.
    """

    def __init__(
        self,
        outcomes: Outcomes,
        met: Callable[[str], int],
        skips: Sequence[str] = (),
        before: Mapping[str, str] | None = None,
        attempts: Mapping[str, int] | None = None,
    ) -> None:
        self.found: dict[str, str] = dict(before or {})
        self._outcomes = outcomes
        self._met = met
        self._skips = skips
        self._attempts = dict(attempts or {})

    def run(self, body: Row, after: Sequence[Node], retry: Retry | None) -> str:
        """A whole run: its body, then the tasks after its end, which do not change how it ends."""
        self.forget(after, "")
        result = self.group(body, "", "", body.retry or retry)
        self.all_of(after, "", body.retry or retry)
        del self.found[""]
        return result

    def group(self, node: Arrangement, key: str, inside: str, retry: Retry | None) -> str:
        """A group: its tasks, its errors after a failure, its finally, its allowances."""
        self.forget((*node.errors, *node.finally_), inside)
        result = worst(self.tasks(node, key, inside, retry))
        if result == "failed":
            self.all_of(node.errors, inside, retry)
        self.all_of(node.finally_, inside, retry)
        return self.write(key, allowed(node, result))

    def tasks(self, node: Arrangement, key: str, inside: str, retry: Retry | None) -> list[str]:
        """What the tasks of a group come to, of those that begin."""
        match node:
            case Row(nodes=nodes):
                return self.until_bad(nodes, inside, retry)
            case Folder(nodes=nodes):
                self.forget(nodes, inside)
                return self.until_bad(nodes, inside, retry)
            case Parallel(nodes=nodes):
                return self.all_of(nodes, inside, retry)
            case If(condition=condition, then=then, else_=other):
                return self.until_bad(then if condition in ("true", YES) else other, inside, retry)
            case Switch(value=value, cases=cases, default=default):
                if value not in cases and not default:
                    return ["failed"]
                return self.until_bad(cases.get(value, default), inside, retry)
            case ForEach(values=list(values), nodes=nodes, limit=limit, on_child_failure=mode):
                one_by_one = limit == 1 and mode is not OnChildFailure.FINISH
                return self.loop(nodes, key, len(values), retry, one_by_one=one_by_one)
            case Until():
                return self.until(node, key, retry)
            case Dag():
                return self.dag(node, inside, retry)
            case _:
                raise AssertionError(f"{node} is not in the reference")

    def loop(self, nodes: Sequence[Node], key: str, count: int, retry: Retry | None, *, one_by_one: bool) -> list[str]:
        """The iterations of a loop: all of them, or until the first that is bad."""
        found: list[str] = []
        for index in range(count):
            found.append(self.iteration(nodes, f"{key}[{index}]", retry))
            if one_by_one and found[-1] not in GOOD:
                break
        return found

    def until(self, node: Until, key: str, retry: Retry | None) -> list[str]:
        """Iterations until one is bad, the condition is met, or there were enough, which a restart counts anew."""
        iteration = re.compile(re.escape(key) + r"\[(\d+)\]")
        begun = sorted(int(there[1]) for each in self.found if (there := iteration.fullmatch(each)))
        found = [self.found[f"{key}[{index}]"] for index in begun]
        done = begun[-1] + 1 if begun else 0
        if found and found[-1] not in GOOD:
            found, done = found[:-1], done - 1
        counted_from = done
        if found and self.is_met(node, key, done):
            return found
        while True:
            if node.keep is Keep.LAST and found:
                self.forget_keys(f"{key}[{done - 1}]")
                found = []
            found.append(self.iteration(node.nodes, f"{key}[{done}]", retry))
            done += 1
            if found[-1] not in GOOD or self.is_met(node, key, done):
                return found
            if node.most is not None and done - counted_from >= node.most:
                return ["failed"] if node.fail_at_most else found

    def is_met(self, node: Until, key: str, done: int) -> bool:
        """Is the condition true after so many iterations?"""
        return node.condition == "true" or (node.condition != "false" and done >= self._met(key))

    def iteration(self, nodes: Sequence[Node], key: str, retry: Retry | None) -> str:
        """One going-through of a loop's nodes."""
        if self.found.get(key) in GOOD:
            return self.found[key]
        return self.write(key, worst(self.until_bad(nodes, f"{key}/", retry)))

    def dag(self, dag: Dag, inside: str, retry: Retry | None) -> list[str]:
        """A graph: whoever's needs have all ended is judged, again and again, until nobody is left."""
        nodes = {each.id: each for each in enabled(dag.nodes)}
        needs = {name: dag.needs.get(name, Need()) for name in nodes}
        ended = self.kept_of(nodes, needs, inside)
        while len(ended) < len(nodes):
            for name in [each for each in nodes if each not in ended]:
                on = [one for one in needs[name].on if one in nodes]
                if all(one in ended for one in on):
                    setups = [ended[one] for one in needs[name].setups if one in nodes]
                    verdict = decided(needs[name].rule, [ended[one] for one in on], setups)
                    begins = verdict == "begin"
                    ended[name] = self.one(nodes[name], inside, retry) if begins else self.write(inside + name, verdict)
        stopped = dag.on_child_failure is not OnChildFailure.FINISH and not {*ended.values()}.issubset(GOOD)
        if stopped or not dag.judges:
            return list(ended.values())
        judged = [ended[name] for name in dag.judges if name in ended]
        return ["failed" if status == "cancelled" else status for status in judged]

    def kept_of(self, nodes: Mapping[str, Node], needs: Mapping[str, Need], inside: str) -> dict[str, str]:
        """Which nodes of a dag stay as they ended before: what did not succeed, and skips behind it, do not."""
        before = {name: self.found[inside + name] for name in nodes if inside + name in self.found}
        behind = {name for name, status in before.items() if status not in GOOD}
        bad = set(behind)
        while more := {name for name in nodes if name not in behind and behind.intersection(needs[name].on)}:
            behind |= more
        again = bad | {name for name in behind if before.get(name) == "skipped"}
        for name in again:
            if before[name] == "skipped":
                del self.found[inside + name]
        return {name: status for name, status in before.items() if name not in again}

    def until_bad(self, nodes: Sequence[Node], inside: str, retry: Retry | None) -> list[str]:
        """One after the other until one does not end well."""
        found: list[str] = []
        for node in enabled(nodes):
            found.append(self.one(node, inside, retry))
            if found[-1] not in GOOD:
                break
        return found

    def all_of(self, nodes: Sequence[Node], inside: str, retry: Retry | None) -> list[str]:
        """All of them, whatever becomes of any."""
        return [self.one(node, inside, retry) for node in enabled(nodes)]

    def one(self, node: Node, inside: str, retry: Retry | None) -> str:
        """A single node; what ended well before stays."""
        key = inside + node.id
        if self.found.get(key) in GOOD:
            return self.found[key]
        if key in self._skips or node.id in self._skips:
            return self.write(key, "skipped")
        match node:
            case Pause():
                return self.write(key, allowed(node, PAUSES[node.at_end]) if node.delay else "success")
            case Task() | Subflow():
                return self.write(key, self.leaf(node, key, node.retry or inherited(node, retry)))
            case _:
                return self.group(node, key, inside, node.retry or retry)

    def leaf(self, node: Task | Subflow, key: str, retry: Retry | None) -> str:
        """A task or a subflow: attempt after attempt, until one decides."""
        if node.run_if == "false":
            return "skipped"
        number, tries, lost = self._attempts.get(key, 0) + 1, 1, 0
        if node.run_if == NO:
            return "skipped"
        while True:
            word = self._outcomes(key, number)
            number += 1
            lost = lost + 1 if word == "lost" else 0
            if word == "snoozed" or (word == "lost" and lost < MOST_LOST):
                continue
            if word in ("failed", "lost"):
                if retry is None or retry.max_attempts is None or tries >= retry.max_attempts:
                    return allowed(node, "failed")
                tries, lost = tries + 1, 0
                continue
            if word == "success" and retry is not None and retry.warn and tries > retry.warn_after:
                word = "warning"
            return "success" if word == "warning" and node.allow_warning else word

    def write(self, key: str, status: str) -> str:
        """Write down what a step comes to."""
        self.found[key] = status
        return status

    def forget(self, nodes: Sequence[Node], inside: str) -> None:
        """Leave nothing of these nodes and of all that lies in them: they are gone through anew, if at all."""
        for node in nodes:
            self.forget_keys(inside + node.id)
            for below in lists_of(node):
                self.forget(below, inside)

    def forget_keys(self, key: str) -> None:
        """Leave nothing of one step and of the iterations that lie in it."""
        for each in [each for each in self.found if each == key or each.startswith((f"{key}[", f"{key}/"))]:
            del self.found[each]


def inherited(node: Node, retry: Retry | None) -> Retry | None:
    """What the retry of a group or flow is for a leaf in it: no warning, and nothing where it may fail."""
    return None if retry is None or node.allow_failure else replace(retry, warn=False)


def lists_of(node: Node) -> list[Sequence[Node]]:
    """Every list of nodes in a node."""
    match node:
        case If():
            inner: list[Sequence[Node]] = [node.then, node.else_]
        case Switch():
            inner = [*node.cases.values(), node.default]
        case Task() | Subflow() | Pause():
            return []
        case _:
            inner = [node.nodes]
    return [*inner, node.errors, node.finally_]


def enabled(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that are not disabled."""
    return [node for node in nodes if not node.disabled]


def worst(statuses: list[str]) -> str:
    """What children come to."""
    return next((bad for bad in ("killed", "failed", "cancelled", "warning") if bad in statuses), "success")


def allowed(node: Node, status: str) -> str:
    """What allowances make of a status."""
    if status == "failed" and node.allow_failure:
        status = "warning"
    return "success" if status == "warning" and node.allow_warning else status


def turn(key: str) -> int:
    """A number that tells iterations apart: the sum of their indexes."""
    return sum(int(index) for index in re.findall(r"\[(\d+)\]", key))
