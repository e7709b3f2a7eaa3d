"""Are flows of chance worth to be asked about? One for each seed, within bounds, read by us, of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.services import project
from penstock.services.project import Manner
from tests.dialects.chance.asking import smaller
from tests.dialects.chance.grow import BODIES, DEEPEST, MOST_TASKS, TYPES, grow
from tests.dialects.chance.spelled import case_of, written
from tests.dialects.chance.spots import CORE, Tree
from tools.oracle.cases import topics

VERSIONS = ("1", "2")
SEEDS = range(40)
LEAST_KEPT = 190


@pytest.mark.parametrize("version", VERSIONS)
def test_a_seed_is_one_flow_for_ever(version: str) -> None:
    texts = [written("x", grow(seed, version), version) for seed in SEEDS]

    assert texts == [written("x", grow(seed, version), version) for seed in SEEDS]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("version", VERSIONS)
def test_no_flow_is_deep_or_long_or_has_an_id_twice(version: str) -> None:
    for seed in SEEDS:
        flow = grow(seed, version)
        names = [task["id"] for task, _ in _tasks(flow)]
        assert len(names) == len(set(names)) <= 2 * MOST_TASKS
        assert max(depth for _, depth in _tasks(flow)) <= DEEPEST + 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flow_is_written_as_it_was_grown(version: str) -> None:
    for seed in SEEDS:
        flow = grow(seed, version)
        case = case_of("x", flow, version)
        assert _without_ids(yaml.safe_load(case.flow), case.id) == flow


@pytest.mark.parametrize("version", VERSIONS)
def test_every_flow_reads_without_an_error(version: str) -> None:
    for seed in SEEDS:
        reading = project.read_text(case_of("x", grow(seed, version), version).flow, Manner(version=version))
        assert project.flow_of(reading, Path("x")).body.nodes


def test_what_is_smaller_is_smaller_and_comes_to_an_end() -> None:
    flow, steps = grow(1, "1"), 0
    while less := next(smaller(flow), None):
        assert len(str(less)) < len(str(flow))
        flow, steps = less, steps + 1

    assert steps > 10


def test_of_every_kind_some_are_kept() -> None:
    kept = [case for topic in topics(["chance"]) for case in topic.cases]
    text = "\n".join(case.flow for case in kept)

    assert len(kept) >= LEAST_KEPT
    assert not [kind for kind in (*BODIES, *TYPES.values()) if kind not in text]
    assert not [word for word in ("errors:", "finally:", "afterExecution:", "retry:", "runIf:") if word not in text]


def _tasks(tree: Any, depth: int = 0) -> Iterator[tuple[Tree, int]]:
    """Every task of a tree, and how many groups are around it."""
    match tree:
        case dict():
            is_task = str(tree.get("type", "")).startswith(CORE)
            if is_task:
                yield tree, depth
            for value in tree.values():
                yield from _tasks(value, depth + is_task)
        case list():
            for each in tree:
                yield from _tasks(each, depth)


def _without_ids(flow: Tree, name: str) -> Tree:
    """The flow as chance made it: without its own id and namespace, with the word that stands for its id."""
    kept = {key: value for key, value in flow.items() if key not in ("id", "namespace")}
    back: Tree = _spelled_back(kept, name)
    return back


def _spelled_back(value: Any, name: str) -> Any:
    match value:
        case str():
            return value.replace(name, "<<id>>")
        case list():
            return [_spelled_back(each, name) for each in value]
        case dict():
            return {key: _spelled_back(each, name) for key, each in value.items()}
        case _:
            return value
