"""Are durations, sizes and secrets read as people write them?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.sdk.values import Duration, Secret, Size


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("PT5S", 5_000_000),
        ("PT0.25S", 250_000),
        ("PT1M30S", 90_000_000),
        ("P1DT2H", 93_600_000_000),
        ("P1W", 604_800_000_000),
        ("pt5s", 5_000_000),
        ("-PT5S", -5_000_000),
        (5, 5_000_000),
        (0.5, 500_000),
        ("5", 5_000_000),
        ("1.5", 1_500_000),
    ],
)
def test_a_duration_is_read(written: object, micros: int) -> None:
    assert Duration.read(written) == micros


@pytest.mark.parametrize("written", ["", "P", "PT", "5 s", "PT5", "P1M", "five", None, True, [5]])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        Duration.read(written)


@given(some.integers(0, 10**14))
def test_every_duration_survives_being_written_as_seconds(micros: int) -> None:
    assert Duration.read(f"PT{micros // 1_000_000}.{micros % 1_000_000:06d}S") == micros


@pytest.mark.parametrize(
    ("written", "size"),
    [(10, 10), ("10", 10), ("10 KB", 10_000), ("10 KiB", 10_240), ("1.5mib", 1_572_864), ("1g", 10**9)],
)
def test_a_size_is_read(written: object, size: int) -> None:
    assert Size.read(written) == size


@pytest.mark.parametrize("written", ["", "ten", "-1", "1 XB"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        Size.read(written)


@pytest.mark.parametrize("written", [float("inf"), float("nan"), 1e30, "9" * 400, f"P{'9' * 400}D", "9e9"])
def test_what_no_clock_can_count_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"too large|is no"):
        Duration.read(written)
    with pytest.raises(ValueError, match=r"too large|is no"):
        Size.read(written)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret.read("hunter2")

    assert "hunter2" not in repr([secret])
    assert str(secret) == "hunter2"
