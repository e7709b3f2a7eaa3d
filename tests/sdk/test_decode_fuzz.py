"""Does any property whatever break the reading of tasks? It fits, or it is told; nothing else happens."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from penstock.errors.task import InvalidProperties
from penstock.sdk import registry
from penstock.sdk.builtin import TYPES
from penstock.sdk.decode import check, decode, field_names
from penstock.sdk.describe import describe
from penstock.sdk.task import TaskType

TEXT = some.text(max_size=8) | some.sampled_from(
    [
        "",
        " ",
        "1",
        "1e400",
        "-0",
        "PT5S",
        "PT9e9S",
        "[",
        '["a"]',
        "[[1]]",
        "{}",
        '{"a": {"b": null}}',
        "{{ x }}",
        "true",
    ]
)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | TEXT,
    lambda inside: some.lists(inside, max_size=3) | some.dictionaries(TEXT, inside, max_size=3),
    max_leaves=6,
)
KINDS = some.sampled_from([registry.find(name) for name in TYPES])


@given(some.data(), KINDS)
@settings(max_examples=400)
def test_properties_fit_or_are_told(data: some.DataObject, kind: type[TaskType]) -> None:
    names = some.sampled_from([*field_names(kind), ""]) | some.text(max_size=5)
    properties = {**kind.example, **data.draw(some.dictionaries(names, VALUES, max_size=4))}

    try:
        task = decode(kind, properties)
    except InvalidProperties as refused:
        assert refused.problems
        assert all(problem.sentence for problem in refused.problems)
    else:
        assert isinstance(task, kind)
        assert describe(kind).name == task.type_name
    assert all(problem.code == "PS-702" for problem in check(kind, properties))
