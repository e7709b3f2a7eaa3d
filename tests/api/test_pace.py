"""Is one caller who makes too many calls held back, and nobody else?"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penstock.api.pace import MOST_KNOWN, Pace
from penstock.api.serve import Served
from penstock.errors.api import TooManyCalls
from penstock.settings.keys import Limits, Settings
from penstock.settings.read import Project
from tests.api.house import WHO, House, who


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds that it shows."""
        return self.now


def test_a_caller_has_twice_a_seconds_calls_at_once_and_then_as_many_as_time_brings() -> None:
    hand = Hand()
    pace = Pace(10, hand)

    for _ in range(20):
        pace.take("ann")
    with pytest.raises(TooManyCalls):
        pace.take("ann")
    pace.take("bob")
    hand.now = 0.35
    for _ in range(3):
        pace.take("ann")

    with pytest.raises(TooManyCalls):
        pace.take("ann")


def test_callers_who_have_rested_longest_are_forgotten_first() -> None:
    pace = Pace(1, Hand())
    pace.take("first")
    pace.take("first")

    for number in range(MOST_KNOWN):
        pace.take(str(number))

    pace.take("first")
    assert len(pace._left) == MOST_KNOWN


def test_nobody_is_held_back_where_nothing_is_said() -> None:
    pace = Pace(0)

    for _ in range(10_000):
        pace.take("ann")


def test_who_calls_too_often_is_told_so_and_when_to_come_again(tmp_path: Path) -> None:
    house = House(tmp_path, str(tmp_path / "penstock.db"))
    house.app.project = Project(root=tmp_path, settings=msgspec.structs.replace(Settings(), limits=Limits(calls=1)))
    served = Served(house.app, who)
    client = type(house.client)(served.asgi, headers={WHO: "ann"})

    answers = [client.get("/v1/runs") for _ in range(20)]

    refused = [each for each in answers if each.status_code != 200]
    assert refused
    assert {(each.status_code, each.headers["retry-after"]) for each in refused} == {(429, "1")}
    assert {client.get("/live").status_code for _ in range(20)} == {200}
    served.close()
    house.close()
