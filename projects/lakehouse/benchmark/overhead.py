"""What does it cost to have the pipeline steered? By hand and under Penstock in turn, all else the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from projects.lakehouse.benchmark.processes import HAND, OWN, Spent, spent
from projects.lakehouse.benchmark.workplace import Workplace, document, fresh

SCRIPT: Final = Path(__file__).parent / "by_hand.sh"
SETTLES: Final = 2.0
STAGES: Final = (
    "create_topics", "generate_events", "submit_flink_bronze", "submit_flink_silver", "wait_for_processing",
    "dbt_build",
)  # fmt: skip
Say = Callable[[str], None]


class Side(msgspec.Struct, frozen=True):
    """One going-through: seconds in all and of each task, and the memory of those who steer (MB)."""

    seconds: float
    megabytes: float
    stages: dict[str, float]


class Round(msgspec.Struct, frozen=True):
    """Both, one straight after the other."""

    hand: Side
    penstock: Side

    @property
    def more(self) -> float:
        """Seconds that Penstock took more."""
        return self.penstock.seconds - self.hand.seconds

    @property
    def more_but_dbt(self) -> float:
        """The same of all but dbt, which Penstock begins in a better way than a shell does."""
        hand, own = (each.stages.get("dbt_build", 0.0) for each in (self.hand, self.penstock))
        return self.more - (own - hand)


def rounds(place: Workplace, events: int, sleep: int, numbers: range, say: Say) -> list[Round]:
    """A round for each number; who begins changes from one to the next. Round 0, where all is cold, is not counted."""
    found = []
    for number in numbers:
        sides: dict[str, Side] = {}
        for who in ("penstock", "hand") if number % 2 == 0 else ("hand", "penstock"):
            name = fresh()
            sides[who] = (_by_penstock if who == "penstock" else _by_hand)(place, name, events, sleep)
            place.cancel_jobs(name)
            time.sleep(SETTLES)
        made = Round(**sides)
        told = "not counted" if number == 0 else f"round {number}"
        say(
            f"{told}: {made.hand.seconds:.2f} s by hand, {made.penstock.seconds:.2f} s under Penstock "
            f"({made.more:+.2f} s, {made.penstock.megabytes:.0f} MB)"
        )
        for stage in STAGES:
            hand, own = made.hand.stages[stage], made.penstock.stages[stage]
            say(f"    {stage:<20} {hand:7.2f} {own:7.2f} {own - hand:+7.2f}")
        if number:
            found.append(made)
    return found


def _by_penstock(place: Workplace, name: str, events: int, sleep: int) -> Side:
    command = place.run_flow(name=name, events=events, sleep=sleep)
    took = spent(command, place.folder, place.env, OWN)
    steps = document(took.said)["steps"]
    return _side(took, {each["task"]: each["duration"] for each in reversed(steps)})


def _by_hand(place: Workplace, name: str, events: int, sleep: int) -> Side:
    folder = place.for_hand(name=name, events=events, sleep=sleep)
    stages = folder / "stages"
    env = {**place.env, **place.dbt_env(name=name), "DBT": str(place.packages), "STAGES": str(stages)}
    took = spent(["bash", str(SCRIPT), name, str(sleep)], folder, env, HAND)
    moments = [line.split() for line in stages.read_text().splitlines()]
    at = {stage: float(moment) for stage, moment in moments}
    before = dict(zip(STAGES, at, strict=False))
    return _side(took, {stage: at[stage] - at[before[stage]] for stage in STAGES})


def _side(took: Spent, stages: dict[str, float]) -> Side:
    told = {stage: round(stages[stage], 3) for stage in STAGES}
    return Side(seconds=round(took.seconds, 3), megabytes=round(took.megabytes, 1), stages=told)
