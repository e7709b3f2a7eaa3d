"""Which processes are kept for the next attempts of our own task types, and when is one of them let go?"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Final

import msgspec

from penstock.runners.process.launcher import Child, Exit, Launcher, Order, descriptor_of
from penstock.runners.process.warm import TASK, Task
from penstock.sdk.plain import plain

SECOND: Final = 1_000_000
MEGABYTE: Final = 1_000_000


class Wear(msgspec.Struct, frozen=True, kw_only=True):
    """How much one process is used: attempts, microseconds of age and of idleness, bytes grown and in all."""

    attempts: int = 200
    age: int = 600 * SECOND
    idle: int = 60 * SECOND
    growth: int = 200 * MEGABYTE
    memory: int = 1000 * MEGABYTE


WEAR: Final = Wear()


class Warm:
    """A process that does one attempt after the other; `user` hears of its end while it has one."""

    child: Child

    def __init__(self, order: Order, now: int, user: Callable[[Exit], None]) -> None:
        self.order = order
        self.user: Callable[[Exit], None] | None = user
        self.born = now
        self.idle_since = now
        self.attempts = 0
        self.first_memory = 0

    def hand(self, task: Task) -> bool:
        """Give it its next attempt; False when it is dead."""
        body = descriptor_of(msgspec.json.encode(task, enc_hook=plain))
        try:
            socket.send_fds(self.child.channel, [TASK], [body])
        except OSError:
            return False
        finally:
            os.close(body)
        return True


class Kept:
    """The warm processes of one worker, of which `most` may wait; the launcher's end is theirs, too."""

    def __init__(self, launcher: Launcher, most: int, wear: Wear = WEAR) -> None:
        self._launcher = launcher
        self._most = most
        self._wear = wear
        self._idle: list[Warm] = []
        launcher.tended.append(self.stop_idle)

    def borrow(self, order: Order, task: Task, ended: Callable[[Exit], None], now: int) -> Warm:
        """Have a process do a task: one that waits, or a new one. `ended` is called if it ends before it is free."""
        while (warm := self._take(order)) is not None:
            warm.user = ended
            if warm.hand(task):
                return warm
            warm.user = None
            warm.child.close()
        warm = fresh = Warm(order, now, ended)
        fresh.child = self._launcher.launch(order, lambda how: self._ended(fresh, how), sharing=True)
        fresh.hand(task)  # one that could not begin says so by its end
        return fresh

    def give_back(self, warm: Warm, memory: int, now: int) -> None:
        """Keep a process that is free, unless it is worn; it has said how many bytes it uses."""
        warm.user = None
        warm.attempts += 1
        warm.idle_since = now
        warm.first_memory = warm.first_memory or memory
        wear = self._wear
        grown = memory > min(wear.memory, warm.first_memory + wear.growth)
        if grown or warm.attempts >= wear.attempts or now - warm.born >= wear.age:
            warm.child.close()
            return
        self._idle.append(warm)
        if len(self._idle) > self._most:
            self._idle.pop(0).child.close()

    def stop_idle(self, now: int) -> None:
        """End those that nobody has needed for long."""
        for warm in list(self._idle):
            if now - warm.idle_since >= self._wear.idle or now - warm.born >= self._wear.age:
                self._idle.remove(warm)
                warm.child.close()

    def _take(self, order: Order) -> Warm | None:
        """The one used last, so that those that are too many grow old; more may be imported in it than is needed."""
        for place in reversed(range(len(self._idle))):
            has = self._idle[place].order
            if (has.interpreter, has.env) == (order.interpreter, order.env) and {*has.preimports} >= {
                *order.preimports
            }:
                return self._idle.pop(place)
        return None

    def _ended(self, warm: Warm, how: Exit) -> None:
        user, warm.user = warm.user, None
        if user is not None:
            user(how)
        elif warm in self._idle:
            self._idle.remove(warm)
            warm.child.close()
