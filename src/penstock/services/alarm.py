"""Who looks after time, and is told when something falls due sooner than the next look? Within one process."""

from __future__ import annotations

from collections.abc import Callable


class Alarm:
    """Told of every timer that this process sets, once it is committed; instants in microseconds."""

    def __init__(self) -> None:
        self._heard: list[Callable[[int], None]] = []

    def subscribe(self, heard: Callable[[int], None]) -> None:
        """Be told of each instant at which something falls due."""
        self._heard.append(heard)

    def set(self, at: int) -> None:
        """Something falls due at an instant."""
        for heard in self._heard:
            heard(at)
