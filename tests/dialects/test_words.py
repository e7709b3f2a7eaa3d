"""What do single words mean? Unquoted scalars as Kestra's engine reads them, and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dialects.kestra.durations import parse_duration
from penstock.dialects.kestra.scalars import resolve

# Each was asked of the running engine (1.3.31), except for the last four, which it refuses or cannot keep exactly.
SCALARS = [
    ("0123", 83),
    ("0x1F", 31),
    ("1_000", 1000),
    ("1:30", "1:30"),
    ("0o17", "0o17"),
    ("yes", True),
    ("On", True),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.10", 1.1),
    ("2016-01-02", "2016-01-02"),
    ("+12", 12),
    ("0b101", 5),
    ("08", "08"),
    ("y", "y"),
    ("1_0.5", 10.5),
    ("~", None),
    ("12e03", 12000.0),
    ("-.5", -0.5),
    ("0.", 0.0),
    ("True", True),
    ("", None),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("1e999", "1e999"),
    ("9223372036854775808", "9223372036854775808"),
]
DURATIONS = [
    ("PT5S", 5_000_000),
    ("PT0.25S", 250_000),
    ("PT1H30M", 5_400_000_000),
    ("P1D", 86_400_000_000),
    ("P1DT12H", 129_600_000_000),
    ("P2W", 1_209_600_000_000),
    ("pt1m", 60_000_000),
    ("PT-5S", -5_000_000),
    ("-PT5S", -5_000_000),
    ("PT-0.5S", -500_000),
    ("PT0S", 0),
]


@pytest.mark.parametrize(("written", "value"), SCALARS)
def test_an_unquoted_word_means_what_the_engine_says(written: str, value: object) -> None:
    found = resolve(written)

    assert found == value
    assert type(found) is type(value)


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_as_json_writes_them_are_read_as_they_are(number: float) -> None:
    assert resolve(repr(number)) == number


@given(st.text(max_size=12))
def test_any_word_means_something(text: str) -> None:
    assert isinstance(resolve(text), str | int | float | None)


@pytest.mark.parametrize(("written", "micros"), DURATIONS)
def test_a_duration_is_counted_in_microseconds(written: str, micros: int) -> None:
    assert parse_duration(written) == micros


@pytest.mark.parametrize(
    "written", ["", "P", "PT", "P1DT", "5m", "1h", "PT5", "P1Y", "P1M", "PT5S ago", "P99999999999D"]
)
def test_what_is_no_duration_gives_none(written: str) -> None:
    assert parse_duration(written) is None


@given(st.integers(0, 10**15))
def test_seconds_keep_their_microseconds(micros: int) -> None:
    assert parse_duration(f"PT{micros // 1_000_000}.{micros % 1_000_000:06}S") == micros
