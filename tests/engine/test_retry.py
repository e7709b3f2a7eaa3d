"""When does another attempt come? Arithmetic, in its bounds whatever the policy and the chance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.engine.retry import delay, next_try_at
from penstock.model.policy import SECOND, Backoff, Retry
from penstock.model.run import Step
from penstock.model.status import StepStatus

chances = st.floats(0, 1, exclude_max=True)
tries = st.integers(1, 200)


@given(st.sampled_from(Backoff), st.integers(0, 600), st.floats(1, 10), chances, tries)
def test_no_wait_is_longer_than_the_cap_or_negative(
    backoff: Backoff, interval: int, factor: float, chance: float, tried: int
) -> None:
    cap = 900 * SECOND
    policy = Retry(backoff=backoff, interval=interval * SECOND, factor=factor, cap=cap, jitter=0.3)

    assert 0 <= delay(policy, tried, chance) <= cap


@given(chances, tries)
def test_a_random_wait_lies_between_its_bounds(chance: float, tried: int) -> None:
    policy = Retry(backoff=Backoff.RANDOM, interval=5 * SECOND, cap=9 * SECOND)

    assert 5 * SECOND <= delay(policy, tried, chance) < 9 * SECOND


@given(chances, tries)
def test_jitter_takes_off_no_more_than_its_part(chance: float, tried: int) -> None:
    policy = Retry(interval=10 * SECOND, jitter=0.2)

    assert 8 * SECOND <= delay(policy, tried, chance) <= 10 * SECOND


def test_an_exponential_wait_multiplies_and_a_linear_one_adds() -> None:
    exponential = Retry(backoff=Backoff.EXPONENTIAL, interval=2 * SECOND, factor=1.5)
    linear = Retry(backoff=Backoff.LINEAR, interval=2 * SECOND, factor=2.0)

    assert [delay(exponential, n, 0) / SECOND for n in (1, 2, 3)] == [2, 3, 4.5]
    assert [delay(linear, n, 0) / SECOND for n in (1, 2, 3)] == [0, 4, 8]


def test_waits_of_two_runs_differ_and_of_one_are_the_same_each_time() -> None:
    policy = Retry(backoff=Backoff.RANDOM, interval=0, cap=3600 * SECOND)
    step = Step(key="a", node="a", status=StepStatus.QUEUED, attempt=1, tries=1, first_at=0)

    mine, again, other = (next_try_at(policy, step, None, 0, run) for run in ("r1", "r1", "r2"))

    assert mine == again != other


def test_a_span_counts_from_the_first_attempt_and_a_wait_that_would_pass_it_is_none() -> None:
    policy = Retry(interval=4 * SECOND, max_duration=10 * SECOND)
    step = Step(key="a", node="a", status=StepStatus.QUEUED, attempt=2, tries=2, first_at=0)

    assert next_try_at(policy, step, None, 6 * SECOND, "r") == 10 * SECOND
    assert next_try_at(policy, step, None, 6 * SECOND + 1, "r") is None
    assert next_try_at(policy, replace(step, first_at=None), None, 6 * SECOND + 1, "r") is not None
