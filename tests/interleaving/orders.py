"""Which orders of two sides' moves are there? All that can be told apart, each run from the same beginning.

A search by depth with replay: run, note at every move who else could have moved, and come back to the last place where
another order is left that could make a difference (dynamic partial-order reduction with sleep sets, after Flanagan and
Godefroid). Orders in which only moves that are not tied have changed places are run once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Protocol

from tests.interleaving.footprint import Step, tied

CUTS: Final = ("before", "after")


class Performance(Protocol):
    """Two sides on their way: who can move, what each would do, and moving."""

    def possible(self) -> tuple[str, ...]:
        """The sides that can move now, in the order of their names; none when both have come to their end."""

    def pending(self, side: str) -> Step | None:
        """What a side stands before; None when it is at its end."""

    def move(self, side: str, cut: str) -> Step:
        """Let a side do its next step, and tell what it touched; `cut` loses a COMMIT before or after it is done."""


@dataclass
class Place:
    """A place in an order: who moved there, who else could have, and what is left to be tried."""

    possible: tuple[str, ...]
    sleep: dict[str, Step]
    side: str
    cut: str = ""
    cuts: list[str] = field(default_factory=list)
    step: Step | None = None
    done: dict[str, Step] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)

    def after(self) -> dict[str, Step]:
        """Who need not move next, since that order has been run: what was tried here and is not tied to this step."""
        assert self.step is not None
        step = self.step
        return {
            side: asleep
            for side, asleep in (self.sleep | self.done).items()
            if side != self.side and not tied(asleep, step)
        }

    def turn(self, *, may_switch: bool, last: str) -> bool:
        """Turn to the next choice here that is left; False when there is none."""
        if self.cuts:
            self.cut = self.cuts.pop()
            return True
        assert self.step is not None
        self.done[self.side] = self.step
        left = sorted(self.wanted - self.done.keys() - self.sleep.keys())
        if not may_switch and last in self.possible:
            left = [side for side in left if side == last]
        if left:
            self.side, self.cut, self.step = left[0], "", None
        return bool(left)


class Search:
    """The orders of a pair; opens before the first one, `perform` runs one of them and `turn` goes to the next."""

    def __init__(self, *, switches: int, switches_with_cut: int) -> None:
        self.switches = switches
        self.switches_with_cut = switches_with_cut
        self.path: list[Place] = []

    def perform(self, pair: Performance) -> bool:
        """Run the order whose beginning is chosen, to its end; False when all that is left of it was run before."""
        for place in self.path:
            self._move(pair, place)
        while possible := pair.possible():
            sleep = self.path[-1].after() if self.path else {}
            able = [side for side in possible if side not in sleep]
            if not able:
                self._note_races([pending for side in possible if (pending := pair.pending(side)) is not None])
                return False
            last = self.path[-1].side if self.path else ""
            place = Place(possible, sleep, last if last in able else able[0])
            self.path.append(place)
            self._move(pair, place)
            if place.step and place.step.commits and self._may_cut():
                place.cuts = list(CUTS)
        self._note_races([])
        return True

    def turn(self) -> bool:
        """Choose the next order; False when all have been run."""
        while self.path:
            before = self.path[:-1]
            most = self.switches_with_cut if any(place.cut for place in before) else self.switches
            last = before[-1].side if before else ""
            if self.path[-1].turn(may_switch=_switches(before) < most, last=last):
                return True
            self.path.pop()
        return False

    def _may_cut(self) -> bool:
        return not any(place.cut for place in self.path) and _switches(self.path) <= self.switches_with_cut

    def told(self) -> str:
        """This order, move by move."""
        return "\n".join(
            f"  {place.step.side} {place.step.words}{f' [cut {place.cut}]' if place.cut else ''}"
            for place in self.path
            if place.step
        )

    def _move(self, pair: Performance, place: Place) -> None:
        before = place.step
        assert place.side in pair.possible(), f"the same order went another way:\n{self.told()}"
        place.step = pair.move(place.side, place.cut)
        assert before is None or before.words == place.step.words, f"the same order went another way:\n{self.told()}"

    def _note_races(self, pending: list[Step]) -> None:
        """Where a move is tied to an earlier one of the other side and could come before it, that is to be tried."""
        steps = [place.step for place in self.path if place.step is not None]
        come: dict[str, int] = {}  # up to which move of the other side all comes before this side's next one anyway
        for number, step in [*enumerate(steps), *((len(steps), step) for step in pending)]:
            others = (each for each in reversed(range(number)) if steps[each].side != step.side)
            last = next((each for each in others if tied(steps[each], step)), -1)
            if last > come.get(step.side, -1):
                come[step.side] = last
                if step.side in self.path[last].possible:
                    self.path[last].wanted.add(step.side)


def _switches(path: list[Place]) -> int:
    """How often the other side moved although the one before could have gone on."""
    return sum(before.side != after.side and before.side in after.possible for before, after in pairwise(path))
