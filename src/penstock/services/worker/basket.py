"""How many attempts does a worker claim at once? All it has room for; of those it does itself, what takes moments."""

from __future__ import annotations

from typing import Final

MOMENTS: Final = 4_000
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

    def learn(self, claimed: int, done: int, micros: int) -> None:
        """So many were claimed, so many of them done at once, in so much time."""
        if not claimed:
            return
        # Two at least: one whose turn it is, and behind it whoever has just come, both done before either is reported.
        self._most = max(LEAST, MOMENTS * done // max(1, micros)) if done == claimed else None
