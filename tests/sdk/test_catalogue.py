"""Does every task type say of itself what people and forms need?"""

from __future__ import annotations

import json

import msgspec
import pytest

from penstock.sdk import registry
from penstock.sdk.builtin import TYPES
from penstock.sdk.catalogue import catalogue, describe, fields, json_schema, reference
from penstock.sdk.decode import check, field_names, shapes
from penstock.sdk.task import TaskType

EVERY = pytest.mark.parametrize("name", TYPES)


def structs_of(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    inside = [shape.struct for shape in shapes(kind).values() if shape.struct is not None]
    return [kind, *(found for struct in inside for found in structs_of(struct))]


@EVERY
def test_every_field_says_what_it_is(name: str) -> None:
    for struct in structs_of(registry.find(name)):
        for field in fields(struct):
            assert field.description, f"{struct.__name__}.{field.name} has no description"
            assert field.description.endswith("."), f"{struct.__name__}.{field.name} is no sentence"


@EVERY
def test_every_type_has_a_summary_outputs_in_words_and_an_example_that_fits(name: str) -> None:
    kind = registry.find(name)

    assert describe(kind).summary.endswith(".")
    assert all(sentence.endswith(".") for sentence in kind.outputs.values())
    assert kind.example or not field_names(kind), f"{name} has no example"
    assert check(kind, kind.example) == ()


@EVERY
def test_every_field_with_a_span_of_time_or_a_size_names_its_unit(name: str) -> None:
    for struct in structs_of(registry.find(name)):
        for field in fields(struct):
            if field.type in ("duration", "size"):
                assert field.unit, f"{struct.__name__}.{field.name} has no unit"


@EVERY
def test_every_type_has_a_json_schema_and_a_page(name: str) -> None:
    kind = registry.find(name)

    schema = json_schema(kind)
    page = reference(kind)

    assert json.loads(json.dumps(schema)) == schema
    assert isinstance(schema["properties"], dict)
    assert list(schema["properties"]) == [field.name for field in fields(kind)]
    assert all(f"`{field.name}`" in page for field in fields(kind))
    assert page.startswith(f"# {name}\n")


def test_the_catalogue_has_every_type_once() -> None:
    names = [about.name for about in catalogue()]

    assert set(TYPES) <= set(names)
    assert len(names) == len(set(names))


def test_no_two_types_share_an_alias() -> None:
    kinds: list[type[TaskType]] = [registry.find(name) for name in TYPES]
    aliases = [alias for kind in kinds for alias in kind.aliases]

    assert len(aliases) == len(set(aliases))
