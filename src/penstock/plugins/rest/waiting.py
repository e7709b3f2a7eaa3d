"""How does a task wait so that it hears when it is to end, and is the run being killed then?

A worker that stops ends its tasks as a kill does, and the work is taken up elsewhere; only a kill is meant for what the
task has begun on a server.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast

from penstock.errors.task import Refused
from penstock.sdk.context import Ask, Context

STEP: Final = 0.25
# Seconds of the shortest pause between two looks, and how long one is beside all the waiting before it.
SOONEST, SHARE = 0.01, 0.05
KILLED: Final = frozenset({"KILLING", "KILLED"})


class Ended(BaseException):
    """The task is to end now."""


class Waiting:
    """Waits in small steps; hears SIGTERM where it is in the main thread."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._told = False

    def pause(self, seconds: float) -> None:
        """Wait; raises Ended once the task is to end."""
        until = time.monotonic() + seconds
        while not self._told and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, STEP))
        if self._told:
            raise Ended

    def pace(self, began: float, most: float) -> None:
        """Wait until the next look at what began then: soon at first, so that what is quick is not held up."""
        self.pause(min(most, max(SOONEST, SHARE * (time.monotonic() - began))))

    @contextmanager
    def ends_with(self, work: Callable[[], None] | None) -> Iterator[None]:
        """While this is open, the work is done before the task ends, if the run is killed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(_number: int, _frame: object) -> None:
            self._told = True

        before = signal.signal(signal.SIGTERM, heard)
        try:
            yield
        except Ended:
            self._told = False
            if work is not None and self._killed():
                work()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            signal.signal(signal.SIGTERM, before)

    def _killed(self) -> bool:
        try:
            told = cast("dict[str, object]", self.context.ask(Ask.RUN_TELL))
        except Refused:
            return False  # there is no run
        return str(told.get("state")).upper() in KILLED
