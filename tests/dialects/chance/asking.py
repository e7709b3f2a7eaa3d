"""Do flows of chance end here as they end in the engine? Both are asked; what differs is made smaller and told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from tests.dialects.chance.spelled import case_of
from tests.dialects.chance.spots import Tree
from tools.oracle import comparable
from tools.oracle.cases import Case
from tools.oracle.comparable import Told
from tools.oracle.engine import Engine
from tools.oracle.flows import Seen, ours

# Seconds until a run of the engine counts as one that never ends.
PATIENCE: Final = 12
AT_ONCE: Final = 4
MOST_ROUNDS: Final = 40
NO_END: Final = "without an end there"


class Asked(msgspec.Struct, frozen=True):
    """A flow, what we do with it, and what the engine did each time that it was asked."""

    name: str
    flow: Tree
    version: str
    ours: Told
    answers: list[Told]

    @property
    def seen(self) -> Seen:
        """What the engine did, in the way that we did it if it ever did so, and what we do."""
        matching = (each for each in self.answers if not Seen("", "", "", each, self.ours).differing)
        return Seen("chance", self.name, self.version, next(matching, self.answers[0]), self.ours)

    @property
    def how(self) -> str:
        """What came of it, in a word or two."""
        if not self.seen.differing:
            return "same"
        ended = [each for each in self.answers if not each.keys() & {"timedOut", "error"}]
        if not ended:
            return NO_END
        if not Seen("", "", "", _once(ended[0]), self.ours).differing:
            return "same, but twice there"
        return "differs" if all(each == ended[0] for each in ended) else "of several minds there"


def _once(answer: Told) -> Told:
    """An answer without the second rows of tasks that were tried again, which the newer engine makes at times."""
    steps = answer.get("steps", {})
    tried = {place for place in steps if place.endswith("'") and " ×" in steps[place]}
    again = {place for place in tried if steps[place] == steps.get(place[:-1])}
    kept = {place: status for place, status in steps.items() if place not in again}
    return answer | {"steps": kept} if again else answer


def ask(jvm: Engine, flows: Iterable[tuple[str, Tree]], version: str) -> Iterator[Asked]:
    """Ask the engine about flows, by their names."""
    named = [(name, flow, case_of(name, flow, version)) for name, flow in flows]
    answers = jvm.ask_all([request_of(case) for _, _, case in named], AT_ONCE)
    for (name, flow, case), answer in zip(named, answers, strict=True):
        yield Asked(name, flow, version, ours(case, version), [comparable.theirs(answer)])


def again(jvm: Engine, asked: Asked, times: int = 2) -> Asked:
    """Ask about one flow several times more, while the engine does not do what we do."""
    case = case_of(asked.name, asked.flow, asked.version)
    for _ in range(times):
        if asked.how == "differs" or (asked.how == NO_END and len(asked.answers) == 1):
            answer = comparable.theirs(jvm.ask(request_of(case)))
            asked = msgspec.structs.replace(asked, answers=[*asked.answers, answer])
    return asked


def request_of(case: Case) -> dict[str, Any]:
    """What the engine is asked about a case."""
    return {**case.request, "timeout": PATIENCE}


def shrunk(jvm: Engine, asked: Asked) -> Asked:
    """The smallest flow found whose end still differs in one of the parts, and that the engine is of one mind about."""
    parts, name = {*asked.seen.differing}, asked.name
    for _ in range(MOST_ROUNDS):
        less = [(f"{name} less {number}", flow) for number, flow in enumerate(smaller(asked.flow))]
        for each in ask(jvm, less, asked.version):
            if each.how == "differs" and parts & {*each.seen.differing} and ("refused" in parts or not _refused(each)):
                asked = each
                break
        else:
            return asked
    return asked


def _refused(asked: Asked) -> bool:
    return "refused" in asked.ours or "refused" in asked.answers[0]


def smaller(tree: Tree) -> Iterator[Tree]:
    """Trees with something less: a task, a group around its tasks, a word."""
    for key, value in tree.items():
        if key in ("id", "type", "namespace", "flowId"):
            continue
        if _is_list(value):
            if key in ASIDE or len(value) > 1:
                for place in range(len(value)):
                    if rest := [*value[:place], *value[place + 1 :]]:
                        yield tree | {key: rest}
                    else:
                        yield {name: each for name, each in tree.items() if name != key}
            for place, task in enumerate(value):
                for inner in _pulled_out(task):
                    yield tree | {key: [*value[:place], *inner, *value[place + 1 :]]}
                for less in smaller(task):
                    yield tree | {key: [*value[:place], less, *value[place + 1 :]]}
        elif isinstance(value, dict) and (key in ("cases", "task")):
            for name in value if len(value) > 1 and key == "cases" else ():
                yield tree | {key: {other: each for other, each in value.items() if other != name}}
            for less in smaller(value):
                yield tree | {key: less}
        elif key in LESS:
            yield {name: each for name, each in tree.items() if name != key}


def _pulled_out(task: Tree) -> Iterator[list[Tree]]:
    """The tasks of a group, in its place."""
    if "task" in task or str(task.get("type")).endswith(("Dag", "Switch")):
        return
    for key in ("tasks", "then", "else", "errors"):
        if key in task:
            yield task[key]


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


ASIDE: Final = ("errors", "finally", "afterExecution", "else", "defaults", "outputs")
LESS: Final = frozenset(
    {"retry", "runIf", "allowFailure", "allowWarning", "disabled", "concurrent", "concurrencyLimit", "dependsOn"}
    | {"variables", "transmitFailed", "onChildFailure", "warningOnRetry", "errorMessage", "condition"}
)
