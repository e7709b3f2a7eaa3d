"""How does one thread wait for many things? Descriptors to read, instants that come, calls from other threads."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable

from penstock.clock import Clock


class Timer:
    """A call at an instant of the steady clock; `cancel` takes it back."""

    __slots__ = ("call", "cancelled")

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


class Reactor:
    """Waits and calls back, in the thread that turns it; opens a selector and a pipe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()
        self._calls: deque[Callable[[], None]] = deque()
        self._closed = False
        # Whoever wakes must not write into what another thread closes; reentrant, since a signal may come meanwhile.
        self._closing = threading.RLock()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self.watch(self._woken, self._drain)

    def watch(self, descriptor: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever `descriptor` can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, ready)

    def forget(self, descriptor: int) -> None:
        """No longer watch it."""
        self._selector.unregister(descriptor)

    def at(self, instant: int, call: Callable[[], None]) -> Timer:
        """Call once the steady clock has come to `instant`."""
        timer = Timer(call)
        heapq.heappush(self._timers, (instant, next(self._order), timer))
        return timer

    def after(self, micros: int, call: Callable[[], None]) -> Timer:
        """Call once `micros` microseconds have passed."""
        return self.at(self._clock.steady() + micros, call)

    def wake(self) -> None:
        """End a wait; for other threads and signal handlers."""
        with self._closing:
            if not self._closed:
                with contextlib.suppress(BlockingIOError):
                    os.write(self._waker, b"\0")

    def soon(self, call: Callable[[], None]) -> None:
        """Call in the reactor's thread; for other threads."""
        self._calls.append(call)
        self.wake()

    def turn(self, *, wait: bool = True) -> None:
        """Wait for the next thing (or not), and call what is ready."""
        wait_for = self._until_next() if wait and not self._calls else 0.0
        for key, _ in self._selector.select(wait_for):
            # an earlier call of this turn may have forgotten it
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        while self._calls:
            self._calls.popleft()()
        now = self._clock.steady()
        while self._timers and (self._timers[0][0] <= now or self._timers[0][2].cancelled):
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled:
                timer.call()

    def close(self) -> None:
        """Let go of selector and pipe."""
        self._selector.close()
        with self._closing:
            self._closed = True
            os.close(self._woken)
            os.close(self._waker)

    def _until_next(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return max(0.0, (self._timers[0][0] - self._clock.steady()) / 1e6) if self._timers else None

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
