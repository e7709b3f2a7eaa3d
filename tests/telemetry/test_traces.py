"""Are places in traces read as the standard writes them, and made of runs' ids alone?"""

from __future__ import annotations

import pytest

from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.telemetry import traces
from penstock.telemetry.traces import Place

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def run(trace: str = "", name: str = "one") -> Run:
    """A run."""
    return Run(id=name, namespace="a", flow="b", revision=1, status=RunStatus.QUEUED, created_at=1, trace=trace)


def test_a_place_reads_as_it_was_written() -> None:
    place = Place(TRACE, SPAN)

    assert traces.written(place) == f"00-{TRACE}-{SPAN}-01"
    assert traces.read(traces.written(place)) == place
    assert traces.read(f"00-{TRACE}-{SPAN}-00") == Place(TRACE, SPAN, sampled=False)
    assert traces.read(f"cc-{TRACE}-{SPAN}-01-what-comes-later") == place


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
    ],
)
def test_what_is_no_place_is_none(wrong: str) -> None:
    assert traces.read(wrong) is None


def test_who_tells_first_says_the_same_and_nothing_is_said_where_nothing_is_told() -> None:
    first, again = (traces.of_attempt(run(), "each[3]/load", 2, 1.0) for _ in range(2))

    assert first == again
    assert traces.read(first) == Place(traces.own_trace("one"), traces.attempt_span("one", "each[3]/load", 2))
    assert traces.of_attempt(run(), "each[3]/load", 2, 0.0) == ""
    assert len({traces.attempt_span("one", key, number) for key in ("a", "b") for number in (1, 2)}) == 4


def test_a_share_of_the_runs_is_told_and_who_is_above_decides_for_its_own() -> None:
    told = sum(traces.of_run(run(name=f"run{number}"), 0.25)[1] for number in range(2_000))

    assert 400 < told < 600
    assert traces.of_run(run(f"00-{TRACE}-{SPAN}-01"), 0.0) == (TRACE, True)
    assert traces.of_run(run(f"00-{TRACE}-{SPAN}-00"), 1.0) == (TRACE, False)
    assert traces.parent_of(run(f"00-{TRACE}-{SPAN}-00")) == SPAN
