"""Does each operator of an assertion say yes where it should, and no where it should?"""

from __future__ import annotations

import pytest

from penstock.errors import Place
from penstock.errors.expr import ExprFailed
from penstock.testing.suite.judge import Verdict, difference, holds

TRUE = [
    ("isNull", None, True),
    ("isNull", 0, False),
    ("isNotNull", "", True),
    ("isNotNull", None, False),
    ("equalTo", 200, "200"),
    ("equalTo", "200", 200),
    ("equalTo", 2, 2.0),
    ("equalTo", True, "true"),
    ("equalTo", [1, "a"], '["1", "a"]'),
    ("equalTo", {"a": [1]}, {"a": ["1"]}),
    ("notEqualTo", 1, True),
    ("notEqualTo", "[", ["["]),
    ("notEqualTo", None, ""),
    ("contains", "MY-PRODUCT-1", "PRODUCT"),
    ("contains", ["a", 2], "2"),
    ("contains", {"a": 1}, "a"),
    ("startsWith", "prod-7", "prod-"),
    ("endsWith", "rows.json", ".json"),
    ("greaterThan", "10.5", 10),
    ("greaterThanOrEqualTo", 10, "10"),
    ("lessThan", -1, 0),
    ("lessThanOrEqualTo", 20, 20.0),
    ("in", 201, [200, 201]),
    ("in", "a", '["a", "b"]'),
    ("notIn", 404, [200, "201"]),
]
FALSE = [
    ("isNull", None, False),
    ("equalTo", "a", "A"),
    ("equalTo", [1], [1, 2]),
    ("notEqualTo", 200, "200"),
    ("contains", "abc", "d"),
    ("startsWith", "abc", "b"),
    ("endsWith", "abc", "b"),
    ("greaterThan", 10, 10),
    ("lessThan", 10, 10),
    ("in", "c", ["a", "b"]),
    ("notIn", "200", [200]),
]


@pytest.mark.parametrize(("operator", "actual", "expected"), TRUE)
def test_it_holds(operator: str, actual: object, expected: object) -> None:
    assert holds(operator, actual, expected)


@pytest.mark.parametrize(("operator", "actual", "expected"), FALSE)
def test_it_does_not_hold(operator: str, actual: object, expected: object) -> None:
    assert not holds(operator, actual, expected)


@pytest.mark.parametrize("actual", [None, "many", True, [1]])
def test_what_is_no_number_is_not_compared_as_one(actual: object) -> None:
    with pytest.raises(ExprFailed, match="is no number"):
        holds("greaterThan", actual, 1)


def verdict(expected: object, actual: object) -> Verdict:
    return Verdict(place=Place(1, 1), value="{{ x }}", operator="equalTo", expected=expected, actual=actual)


def test_the_first_sign_that_differs_is_shown() -> None:
    assert difference(verdict("Hello you", "Hello me")) == [
        'expected  "Hello you"',
        'was       "Hello me"',
        "                 ^",
    ]


def test_of_long_values_only_what_differs_is_shown() -> None:
    lines = difference(verdict({"a": 1, "b": [1, 2, 3]}, {"a": 1, "b": [1, 2, 4]}))

    assert [line for line in lines if line[0] in "+-"] == ["--- expected", "+++ was", "-    3", "+    4"]
