"""How many calls may one caller make? So many a second, and twice as many at once after a pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from penstock.errors.api import TooManyCalls

MOST_KNOWN: Final = 10_000


class Pace:
    """A bucket for each caller, that fills as time goes by; 0 a second means that nobody is held back."""

    def __init__(self, a_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second = a_second
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> None:
        """Count a call. Raises TooManyCalls."""
        if not self._a_second:
            return
        now, most = self._clock(), 2.0 * self._a_second
        with self._lock:
            left, since = self._left.pop(caller, (most, now))
            left = min(most, left + (now - since) * self._a_second)
            # the last to have called stands last, so that the first are those who have rested longest
            self._left[caller] = (left - 1 if left >= 1 else left, now)
            if len(self._left) > MOST_KNOWN:
                del self._left[next(iter(self._left))]
        if left < 1:
            raise TooManyCalls(f"{caller} makes more than {self._a_second:,} calls a second.")
