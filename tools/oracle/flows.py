"""Do our runs end as the engine's do? Topics of cases, run by both, and what differs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from penstock.clock import Clock
from penstock.errors.project import InvalidFlows, WrongCall
from penstock.errors.run import CheckUnmet, FlowDisabled, InvalidInput
from penstock.services.project import Manner
from penstock.services.project_folder import ProjectFolder
from penstock.store.port import Store
from penstock.testing import Harness
from tools.oracle import comparable
from tools.oracle.cases import ENGINES, Case, Topic, allowed, keep, topics
from tools.oracle.comparable import Told
from tools.oracle.engine import Engine
from tools.oracle.installation import HERE
from tools.oracle.trouble import say

# Words that one version of the language has and another lacks; ours reads them all.
_OTHER_WORDS = (
    "Invalid type:",
    "Unrecognized field",
    "Could not resolve type id",
    "Cannot construct instance",
    "not one of the values",
)
MOST_STEPS = 400


class Seen(msgspec.Struct, frozen=True):
    """One case under one version of the language: what the engine did, and what we do."""

    topic: str
    case: str
    version: str
    theirs: Told
    ours: Told

    @property
    def differing(self) -> list[str]:
        """The parts that differ; of a refusal only that it is one, for the words are each engine's own."""
        parts = sorted({*self.theirs, *self.ours})
        words = ("refused", "notStarted")
        return [
            part
            for part in parts
            if (bool(self.theirs.get(part)) != bool(self.ours.get(part)))
            or (part not in words and self.theirs.get(part) != self.ours.get(part))
        ]


def main(names: list[str], kept: bool) -> int:
    """Ask the engines about the topics (or use what they did), keep it, and print what differs."""
    if not kept:
        for version, engine in ENGINES.items():
            _ask(names, version, engine)
    accounted = allowed()
    differing = 0
    for seen in compared(names):
        if seen.differing and (seen.topic, seen.case) not in accounted:
            differing += 1
            sys.stdout.write(shown(seen) + "\n")
    say(f"{differing} cases differ without a reason")
    return 1 if differing else 0


def shown(seen: Seen) -> str:
    """What differs in one case, part by part."""
    lines = [f"{seen.topic} {seen.version}: {seen.case}"]
    for part in seen.differing:
        lines.append(f"  {part}")
        lines.append(f"    theirs {json.dumps(seen.theirs.get(part), ensure_ascii=False)}")
        lines.append(f"    ours   {json.dumps(seen.ours.get(part), ensure_ascii=False)}")
    return "\n".join(lines)


def compared(names: Iterable[str] = ()) -> Iterator[Seen]:
    """Run every case under each version whose engine knows all its words."""
    for topic in topics(names):
        for case in topic.cases:
            for version, said in kept_answers(topic, case):
                yield Seen(topic.name, case.case, version, said, ours(case, version))


def kept_answers(topic: Topic, case: Case) -> list[tuple[str, Told]]:
    """What the engines did with a case, but for one that lacks the words which the other has."""
    said = {version: topic.answers.get(version, {}).get(case.case) for version in case.versions}
    known = {version: answer for version, answer in said.items() if answer is not None}
    lacking = {version for version, answer in known.items() if _lacks_words(answer)}
    if len(lacking) == len(known) and len(known) > 1:
        lacking = set()
    return [(version, answer) for version, answer in known.items() if version not in lacking]


def ours(case: Case, version: str, opened: Callable[[Clock], Store] | None = None) -> Told:
    """Run a case in this process, in a store in memory or one that is opened for it."""
    environment = json.loads((HERE / "environment.json").read_text())
    manner = Manner(version=version, globals=environment.get("globals", {}))
    with Harness(settings=manner, secrets=environment["secrets"], environ=environment["env"]) as harness:
        store = harness.core.store
        if opened is not None:
            store.close()
            store = opened(harness.clock)
        state = _project(harness)
        files = ProjectFolder(state.parent)
        harness.core = dataclasses.replace(harness.core, store=store, state_dir=state, project=files)
        try:
            harness.push(*case.others) if case.others else None
            given = {**case.inputs, **{name: _file(harness, name, text) for name, text in case.files.items()}}
            run_id = harness.start(case.flow, given)
        except InvalidFlows as wrong:
            return {"refused": sorted(problem.sentence for problem in wrong.problems)}
        except (InvalidInput, CheckUnmet, FlowDisabled) as wrong:
            return {"notStarted": wrong.sentence}
        if case.until == "paused":
            for _ in range(MOST_STEPS):
                if not harness.step():
                    break
            return _tell(harness, run_id)
        try:
            return _tell(harness, run_id, finish=True)
        except WrongCall as stuck:
            return {"error": stuck.sentence}


def _tell(harness: Harness, run_id: str, *, finish: bool = False) -> Told:
    if finish:
        harness.finish(run_id)
    document = harness.ran(run_id).document
    following = [child.id for child in document.children]
    if document.successor:
        following.append(document.successor)
    return comparable.ours(document, [_tell(harness, child, finish=finish) for child in following])


def _project(harness: Harness) -> Path:
    """The state folder of a project of the case's own, for the files of its namespace."""
    folder = Path(harness.folder) / "project" / ".penstock"
    folder.mkdir(parents=True)
    return folder


def _file(harness: Harness, name: str, text: str) -> str:
    return harness.files.put(f"inputs/{name}", text.encode())


def _lacks_words(answer: Told) -> bool:
    return any(word in line for line in answer.get("refused", []) for word in _OTHER_WORDS)


def _ask(names: list[str], version: str, engine: str) -> None:
    asked = [(topic, [case for case in topic.cases if version in case.versions]) for topic in topics(names)]
    every: list[tuple[Topic, Case]] = [(topic, case) for topic, cases in asked for case in cases]
    answers: dict[str, dict[str, Any]] = {topic.name: {} for topic, _ in asked}
    with Engine(engine) as jvm:
        requests = [case.request for _, case in every]
        for (topic, case), answer in zip(every, jvm.ask_all(requests), strict=True):
            answers[topic.name][case.case] = comparable.theirs(answer)
    for topic, _ in asked:
        fresh = next(one for one in topics([topic.name]))
        keep(fresh, version, answers[topic.name])
