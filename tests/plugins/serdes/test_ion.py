"""Is Ion text read as it is meant, and written so that it reads the same?"""

from __future__ import annotations

import datetime
import decimal
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.plugins.serdes import ion

TEXT = some.text(alphabet=some.characters(exclude_categories=["Cs"]), max_size=20)
SIMPLE = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | TEXT
    | some.decimals(allow_nan=False, allow_infinity=False, places=3)
    | some.datetimes(timezones=some.just(datetime.UTC))
    | some.dates(min_value=datetime.date(1000, 1, 1))
    | some.binary(max_size=9)
)
ANY = some.recursive(SIMPLE, lambda inner: some.lists(inner) | some.dictionaries(TEXT, inner), max_leaves=9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, 'b c': [true, null.string], \"d\": sym}", {"a": 1, "b c": [True, None], "d": "sym"}),
        ("1.50", decimal.Decimal("1.50")),
        ("12d-2", decimal.Decimal("0.12")),
        ("1_000e3", 1_000_000.0),
        ("-0xFf", -255),
        ("0b101", 5),
        ("-inf", -math.inf),
        ("2024-02-03", datetime.date(2024, 2, 3)),
        ("2024T", datetime.date(2024, 1, 1)),
        ("2024-02-03T04:05Z", datetime.datetime(2024, 2, 3, 4, 5, tzinfo=datetime.UTC)),
        ("2024-02-03T04:05:06.789-00:00", datetime.datetime(2024, 2, 3, 4, 5, 6, 789000)),
        ('LocalDate::"2024-02-03"', "2024-02-03"),
        ("a::'b'::{c:1,}", {"c": 1}),
        ("(1 + x)", [1, "+", "x"]),
        ("{{ aGVsbG8= }}", b"hello"),
        ('{{ "text" }}', b"text"),
        (r'"a\n\x41\u00e9\"\\"', 'a\nAé"\\'),
        ("'''one ''' /* not this */ '''two'''", "one two"),
        ("[1, // one\n 2]", [1, 2]),
    ],
)
def test_each_kind_of_value_is_read(text: str, value: object) -> None:
    assert list(ion.values(text.splitlines(keepends=True))) == [value]


@pytest.mark.parametrize("text", ["{a: 1", "[1 2]", '"open', "{a 1}", "}", "2024-02-30", "{{ !! }}", "[" * 300])
def test_what_is_no_ion_is_told_with_its_line(text: str) -> None:
    with pytest.raises(ion.Unreadable, match=r"^line 2: "):
        list(ion.values(["1\n", text]))


def test_a_value_may_go_on_over_many_lines() -> None:
    lines = ["$ion_1_0 {\n", *[f"  a{number}: {number},\n" for number in range(100)], "}\n", "2\n"]

    first, second = ion.values(lines)

    assert first == {f"a{number}": number for number in range(100)}
    assert second == 2


@given(ANY)
def test_what_is_written_reads_the_same(value: object) -> None:
    text = ion.written(value)

    assert "\n" not in text
    assert list(ion.values([text])) == [value]
