"""How many attempts does a worker claim at once? All it has room for; of those it does itself, what takes moments."""

from __future__ import annotations

from typing import Final

MOMENTS: Final = 4_000
MOST: Final = 16_000
SHARE: Final = 6
LEAST: Final = 2


class Basket:
    """The size of the next claim, learned from what the last one turned out to be.

    What needs no process is done one after the other: whoever comes meanwhile waits until the basket is empty.
    """

    def __init__(self) -> None:
        self._most: int | None = None

    def size(self, room: int) -> int:
        """How many to claim, having room for so many."""
        return room if self._most is None else min(room, self._most)

    def learn(self, claimed: int, done: int, micros: int, claiming: int) -> None:
        """So many were claimed, so many of them done at once, in so much time, and the claim itself took so much."""
        if not claimed:
            return
        # Where a claim takes long, what it brings must be worth it.
        moments = min(max(MOMENTS, SHARE * claiming), MOST)
        # Two at least: one whose turn it is, and behind it whoever has just come, both done before either is reported.
        self._most = max(LEAST, moments * done // max(1, micros)) if done == claimed else None
