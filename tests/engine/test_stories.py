"""Does the engine do what each story tells? One file per behaviour: given a flow, when this happens, then that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from penstock import expr
from penstock.engine import Decision
from penstock.engine.evaluate import calls_at
from penstock.engine.scope import plain, scope_of
from penstock.model.effect import Effect, StartChild
from penstock.model.event import Mark, Restart
from penstock.model.run import Parent
from tests.engine import outline, rules, words
from tests.engine.tale import Tale, news

STORIES = Path(__file__).parent / "stories"
PARTS = frozenset({"story", "flow", "inputs", "run", "events"})


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.yml")), ids=lambda path: path.stem)
def test_every_story_goes_as_it_is_told(path: Path) -> None:
    told = yaml.safe_load(path.read_text())
    assert told.keys() <= PARTS, f"{told.keys() - PARTS} is no part of a story"
    tale = Tale(outline.flow(told["flow"]), told.get("inputs"), **changes(told.get("run") or {}))

    for place, scene in enumerate(told["events"]):
        assert scene.keys() <= {"when", "then"}, f"scene {place}: {scene.keys()}"
        effects: list[Effect] = []
        for line in scene["when"] if isinstance(scene["when"], list) else [scene["when"]]:
            before, (tale, decision) = tale, happen(tale, line)
            effects = news(decision) if tale is not before else effects + news(decision)
            rules.hold(tale)

        assert seen(tale, effects, scene["then"]) == scene["then"], f"scene {place} of {path.name}: {scene['when']}"


def changes(given: Mapping[str, object]) -> dict[str, object]:
    """What a story says of its run beforehand: that it has a parent, how deep it is."""
    return {name: Parent("p" * 26, str(value), 1) if name == "parent" else value for name, value in given.items()}


def happen(tale: Tale, line: str) -> tuple[Tale, Decision]:
    """Let one line of a story happen."""
    first, _, rest = line.partition(" ")
    if first == "wait":
        return tale, tale.wait(outline.micros(rest))
    if first == "again":
        return tale, tale.tell(tale.said[-1])
    if first == "replay":
        step, _, inputs = rest.removeprefix("from ").partition(" with ")
        return tale.replayed(step, yaml.safe_load(inputs) if inputs else {})
    event, made = words.event(tale, line)
    version = tale.run.status
    decision = tale.tell(event, made)
    assert isinstance(event, Restart | Mark) or not version.ended or decision.run.status is version
    return tale, decision


def seen(tale: Tale, effects: list[Effect], expected: Mapping[str, object]) -> dict[str, object]:
    """What there is to be seen of what a scene expects."""
    return {name: _seen(tale, effects, name, wanted) for name, wanted in expected.items()}


def _seen(tale: Tale, effects: list[Effect], name: str, wanted: object) -> object:
    run = tale.run
    match name:
        case "run":
            return str(run.status)
        case "history":
            return [str(change.status) for change in run.history]
        case "failure":
            return wanted if wanted and run.failure and str(wanted) in run.failure.message else run.failure
        case "outputs":
            return run.outputs
        case "reason":
            return run.reason
        case "killed by":
            return run.killed_by
        case "only":
            assert isinstance(wanted, dict)
            return {key: list(tale.steps[key].only) for key in wanted}
        case "held by":
            return run.held_by
        case "labels":
            return run.labels
        case "variables":
            return run.variables
        case "breached":
            return list(run.breached)
        case "successor":
            return bool(run.successor)
        case "kept":
            return {key: tale.outputs.get(key) for key in wanted} if isinstance(wanted, dict) else None
        case "child inputs":
            return [effect.inputs for effect in effects if isinstance(effect, StartChild)]
        case "child labels":
            return [effect.labels for effect in effects if isinstance(effect, StartChild)]
        case "effects":
            return [words.line(effect) for effect in effects]
        case "sees":
            assert isinstance(wanted, dict)
            return {key: {text: sight(tale, key, text) for text in texts} for key, texts in wanted.items()}
        case _:
            return _of_step(tale, name, wanted)


def _of_step(tale: Tale, key: str, wanted: object) -> object:
    step = tale.steps.get(key)
    if step is None:
        return "none"
    word = str(step.status)
    if str(wanted).startswith(f"{word} because "):
        reason = str(wanted).partition(" because ")[2]
        return wanted if step.failure and reason in step.failure.message else f"{word}: {step.failure}"
    return f"{word} {step.attempt}" if " " in str(wanted) else word


def sight(tale: Tale, key: str, text: str) -> object:
    """What an expression of a step comes to."""
    scope = scope_of(tale.scope_of_everything(), key)
    return plain(expr.compile(text).value(scope, calls_at(tale.now)))
