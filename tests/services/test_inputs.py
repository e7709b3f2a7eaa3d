"""What becomes of the values that people give? Typed as declared, all that is wrong told at once."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.engine.evaluate import calls_at
from penstock.errors.run import InvalidInput
from penstock.model.flow import Flow
from penstock.model.inputs import Input
from penstock.model.node import Sequence
from penstock.services.inputs import typed_inputs

NOW = 1_700_000_000_000_000


def taken(given: dict[str, object], *declared: Input, strict: bool = True) -> dict[str, object]:
    """The inputs of a run of a flow that declares these."""
    flow = Flow(id="f", namespace="n", body=Sequence(id=""), inputs=declared)
    return typed_inputs(flow, given, calls_at(NOW), strict=strict)


def an(type_: str, **rest: Any) -> Input:
    """An input called x."""
    return Input(id="x", type=type_, **rest)


@pytest.mark.parametrize(
    ("declared", "given", "found"),
    [
        (an("STRING"), "text", "text"),
        (an("STRING"), 7, "7"),
        (an("STRING"), True, "true"),
        (an("STRING"), {"a": 1}, '{"a":1}'),
        (an("INT"), "42", 42),
        (an("INT"), " -7 ", -7),
        (an("INT"), 3.0, 3),
        (an("FLOAT"), "1.5", 1.5),
        (an("FLOAT"), 2, 2.0),
        (an("BOOLEAN"), "TRUE", True),
        (an("BOOL"), "yes", False),
        (an("DATETIME"), "2016-01-02T10:00:00+02:00", "2016-01-02T08:00:00.000000Z"),
        (an("DATETIME"), "2016-01-02T10:00:00", "2016-01-02T10:00:00.000000Z"),
        (an("DATE"), "2016-01-02", "2016-01-02"),
        (an("TIME"), "10:30", "10:30:00"),
        (an("DURATION"), "PT1M30S", "PT1M30S"),
        (an("JSON"), '{"a": [1, null]}', {"a": [1, None]}),
        (an("JSON"), [1], [1]),
        (an("YAML"), "a: [1, 2]\nb: text", {"a": [1, 2], "b": "text"}),
        (an("YAML"), "when: 2016-01-02", {"when": "2016-01-02"}),
        (an("ARRAY", item_type="INT"), "[1, 2]", [1, 2]),
        (an("ARRAY", item_type="INT"), ["3"], [3]),
        (an("URI"), "s3://bucket/key", "s3://bucket/key"),
        (an("EMAIL"), "a@example.org", "a@example.org"),
        (an("FILE"), "penstock:///f/1", "penstock:///f/1"),
        (an("SECRET"), "hush", "hush"),
        (an("SELECT", values=("a", "b")), "b", "b"),
        (an("SELECT", values=("a",), allow_custom=True), "z", "z"),
        (an("SELECT", expression="{{ ['p', 'q'] }}"), "q", "q"),
        (an("ENUM", values=("A",)), "A", "A"),
        (an("MULTISELECT", values=("a", "b", "c")), '["a", "c"]', ["a", "c"]),
        (an("STRING", validator="[a-z]+"), "abc", "abc"),
        (an("INT", least=1, most=3), 3, 3),
        (an("INT", has_default=True, default="5"), None, 5),
        (an("INT", required=False), None, None),
    ],
)
def test_a_value_becomes_what_its_type_says(declared: Input, given: object, found: object) -> None:
    values = taken({"x": given} if given is not None else {}, declared)

    assert values == {"x": found}
    assert type(values["x"]) is type(found)


@pytest.mark.parametrize(
    ("declared", "given", "says"),
    [
        (an("INT"), "many", "not a whole number"),
        (an("INT"), "1.5", "not a whole number"),
        (an("INT"), True, "not a whole number"),
        (an("INT"), "1_000", "not a whole number"),
        (an("INT"), "9" * 30, "not a whole number"),
        (an("FLOAT"), "nan", "not a number"),
        (an("FLOAT"), "1e999", "not a number"),
        (an("FLOAT"), "inf", "not a number"),
        (an("DATE"), "2016-13-01", "not a date"),
        (an("DATE"), "02.01.2016", "not a date"),
        (an("TIME"), "25:00", "not a time"),
        (an("DATETIME"), "soon", "not a date and time"),
        (an("DURATION"), "5 minutes", "not an ISO-8601 duration"),
        (an("DURATION"), "P", "not an ISO-8601 duration"),
        (an("JSON"), "{", "not valid JSON"),
        (an("JSON"), "[NaN]", "not valid JSON"),
        (an("JSON"), "[" + "9" * 40 + "]", "not valid JSON"),
        (an("YAML"), "a: [", "not valid YAML"),
        (an("YAML"), "a: &x [1]\nb: *x", "not valid YAML"),
        (an("ARRAY", item_type="INT"), '["s1"]', r"x\[0\]"),
        (an("ARRAY"), '{"a": 1}', "not a list"),
        (an("URI"), "no scheme", "not a URI"),
        (an("EMAIL"), "nobody", "not an e-mail address"),
        (an("SELECT", values=("apple", "pear")), "aple", 'Did you mean "apple"'),
        (an("MULTISELECT", values=("a", "b")), '["a", "z"]', '"z", which is none of a, b'),
        (an("STRING", validator="[a-z]+"), "ABC", "does not match the pattern"),
        (an("STRING", validator="[a-z]+"), "abc1", "does not match the pattern"),
        (an("STRING", validator="(a+)+$"), "a" * 40 + "b", "pattern"),
        (an("INT", least=10), 9, "less than 10"),
        (an("INT", most=20), 21, "more than 20"),
        (an("FLOAT", most=0.5), 0.6, "more than 0.5"),
        (an("DATE", least="2016-01-02"), "2016-01-01", "less than 2016-01-02"),
        (an("DATETIME", most="2016-01-02T00:00:00Z"), "2016-01-02T00:00:00-01:00", "more than"),
        (an("TIME", least="10:00"), "09:59", "less than 10:00"),
        (an("DURATION", most="PT1H"), "PT61M", "more than PT1H"),
        (an("INT"), None, "is required"),
        (an("NUMBER"), "1", "does not exist"),
        (an("SELECT", expression="{{ nobody }}"), "q", "nobody"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_name(declared: Input, given: object, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as wrong:
        taken({"x": given} if given is not None else {}, declared)

    assert '"x' in str(wrong.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as wrong:
        taken({"n": "many", "z": 1}, Input(id="n", type="INT"), Input(id="d", type="DATE"))

    assert all(part in str(wrong.value) for part in ('"n"', '"d" (DATE) is required', 'no input "z"'))


def test_an_unknown_name_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(InvalidInput, match='Did you mean "batch_date"'):
        taken({"batch_dat": "x"}, Input(id="batch_date", type="STRING", required=False))


def test_unknown_names_are_let_go_where_a_flow_hands_them_to_another() -> None:
    assert taken({"z": 1, "x": "a"}, an("STRING"), strict=False) == {"x": "a"}


def test_an_input_is_left_out_when_its_condition_does_not_hold() -> None:
    kind = Input(id="kind", type="STRING")
    path = Input(id="path", type="STRING", depends_on=("kind",), condition="{{ inputs.kind == 'file' }}")

    assert taken({"kind": "table"}, path, kind) == {"kind": "table"}
    assert taken({"kind": "file", "path": "p"}, path, kind) == {"kind": "file", "path": "p"}
    with pytest.raises(InvalidInput, match='"path"'):
        taken({"kind": "file"}, path, kind)


def test_what_depends_on_an_input_left_out_is_left_out_too() -> None:
    first = Input(id="a", type="STRING", condition="false")
    second = Input(id="b", type="STRING", depends_on=("a",), condition="true")
    third = Input(id="c", type="STRING", depends_on=("b",))

    assert taken({}, third, second, first) == {}


def test_a_condition_that_cannot_be_rendered_leaves_its_input_out() -> None:
    assert taken({}, an("STRING", condition="{{ inputs.nobody == 1 }}")) == {}


def test_names_with_dots_are_reached_as_maps_within_maps() -> None:
    outer = Input(id="a.b", type="INT")
    inner = Input(id="c", type="STRING", depends_on=("a.b",), condition="{{ inputs.a.b > 1 }}", required=False)

    assert taken({"a.b": "2"}, inner, outer) == {"a.b": 2, "c": None}


def test_what_is_wrong_ends_with_one_full_stop_and_names_who_asks() -> None:
    flow = Flow(id="f", namespace="n", body=Sequence(id=""), inputs=(an("INT"),))

    with pytest.raises(InvalidInput) as several:
        typed_inputs(flow, {"x": "hi", "q": 1}, calls_at(NOW), strict=True, of='"ask"')

    wrong = 'Inputs of "ask": there is no input "q"; Invalid value for "x": "hi" is not a whole number.'
    assert str(several.value) == f"PS-304  {wrong} It takes: x (INT)."


def test_a_default_may_be_an_expression_of_earlier_inputs_and_of_keys() -> None:
    first = Input(id="first", type="INT", default="3", has_default=True)
    second = Input(id="second", type="STRING", default="{{ inputs.first + 1 }} {{ flow.id }}", has_default=True)

    assert taken({}, first, second) == {"first": 3, "second": "4 f"}
    assert taken({"first": 7, "second": "{{ as written }}"}, first, second) == {
        "first": 7,
        "second": "{{ as written }}",
    }


def test_a_default_that_cannot_be_rendered_is_told() -> None:
    with pytest.raises(InvalidInput, match='default of "x" cannot be told'):
        taken({}, Input(id="x", type="STRING", default="{{ nobody }}", has_default=True))


def test_a_form_takes_its_values_one_by_one_or_as_a_map() -> None:
    form = (Input(id="who.name", type="STRING"), Input(id="who.age", type="INT", required=False))

    assert taken({"who.name": "ann", "who.age": "3"}, *form) == {"who.name": "ann", "who.age": 3}
    assert taken({"who": '{"name": "ann"}'}, *form) == {"who.name": "ann", "who.age": None}
    with pytest.raises(InvalidInput, match=r'no input "who\.size"'):
        taken({"who": {"name": "ann", "size": 3}}, *form)
