"""Is the schema for editors a schema, does every good flow fit it, and do wrong words not?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from penstock.dialects.kestra.schema import schema
from penstock.dialects.kestra.tree import plain
from penstock.dialects.kestra.yaml import parse
from penstock.sdk import registry
from penstock.sdk.catalogue import json_schema
from tests.dialects.corpus import GOOD, HERE

PUBLIC = sorted((HERE / "written").rglob("*.yml"))
OURS = sorted((HERE.parents[1] / "projects").glob("*/flows/*.yml"))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return schema((json_schema(kind), (kind.type_name, *kind.aliases)) for kind in registry.all_types())


@pytest.fixture(scope="module")
def checker(made: dict[str, Any]) -> Any:
    return jsonschema.Draft202012Validator(made)


def problems(checker: Any, text: str) -> list[str]:
    """What the schema finds, and where."""
    found = checker.iter_errors(plain(parse(text, [])))
    told = (jsonschema.exceptions.best_match([each]) for each in found)
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message[:200]}" for each in told]


def test_it_is_a_schema(made: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(made)


@pytest.mark.parametrize("path", [*GOOD, *PUBLIC, *OURS], ids=lambda path: path.stem)
def test_a_good_flow_fits(path: Path, checker: Any) -> None:
    text = path.read_text(encoding="utf-8-sig")
    if "\ntasks:" not in text and '"tasks"' not in text:
        return

    assert problems(checker, text) == []


TOP = "id: a\nnamespace: co\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (TOP + "tasks: [{id: x, type: lgo}]\n", "tasks/0/type"),
        (TOP + "tasks: [{id: x, type: log, mesage: m}]\n", "tasks/0"),
        (TOP + "tasks: [{id: x, type: io.kestra.plugin.core.flow.If, condition: a, thn: []}]\n", "tasks/0"),
        (TOP + "tasks: [{id: x, type: sequence, tasks: [{id: y, type: log, level: LOUD}]}]\n", "tasks/0/tasks/0/level"),
        (TOP + "tasks: []\ninputs: [{id: x, type: STRNG}]\n", "inputs/0/type"),
        (TOP + "tasks: []\ntriggers: [{id: t, type: Schedule, corn: a}]\n", "triggers/0"),
        (TOP + "tasks: []\nretry: {type: constant, intervall: PT1S}\n", "retry"),
        (TOP, ""),
    ],
)
def test_a_wrong_word_does_not_fit(text: str, where: str, checker: Any) -> None:
    assert [each.partition(":")[0] for each in problems(checker, text)] == [where]


def test_other_types_fit_where_they_may_be_named() -> None:
    made = schema((), others=True)

    assert problems(jsonschema.Draft202012Validator(made), TOP + "tasks: [{id: x, type: some.other, a: b}]\n") == []
