"""What time is it? The only place that asks the machine; tests and users hand in a clock they hold."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in microseconds since 1970 UTC, and a steady time that no one sets."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""

    def steady(self) -> int:
        """Microseconds since the machine booted, suspension included; comparable between processes of one machine."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def steady(self) -> int:
        """Microseconds since boot where the system tells it (Linux), of the monotonic clock elsewhere."""
        return time.clock_gettime_ns(_STEADY) // 1000


class ManualClock:
    """A clock held by hand: it stands still until `advance` moves it; `set_wall` steps the wall time alone."""

    def __init__(self, start: int = 1_700_000_000_000_000) -> None:
        self._steady = start
        self._offset = 0

    def now(self) -> int:
        """Microseconds since 1970 UTC, as set."""
        return self._steady + self._offset

    def steady(self) -> int:
        """Microseconds that `advance` has added up to."""
        return self._steady

    def advance(self, micros: int) -> None:
        """Let `micros` microseconds pass."""
        self._steady += micros

    def set_wall(self, offset: int) -> None:
        """Step the wall clock by `offset` microseconds against the steady one."""
        self._offset = offset


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
