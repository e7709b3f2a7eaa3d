"""Whose turn is it to write? File locks between processes, in front of SQLite's own, so that nobody starves."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from penstock.errors.store import StoreBusy

PATIENCE = 30.0
SHORTEST = 0.00005
LONGEST = 0.002


class Ticket:
    """The right to write, held by one process at a time; who waits stands in the door, so who comes again waits too.

    Two locks: `door` and `desk`. Who wants to write takes the door, waits there for the desk, takes it and leaves the
    door. Who has just left the desk finds the door held by whoever waits, and cannot overtake.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._door = os.open(f"{path}-door", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._desk = os.open(f"{path}-desk", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self) -> None:
        """Wait for our turn; StoreBusy when it does not come in PATIENCE seconds."""
        self._lock(self._door)
        try:
            self._lock(self._desk)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._desk, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock files."""
        for descriptor in (self._door, self._desk):
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        # A blocking lock cannot be given up in a thread, and a stopped process may hold it for ever.
        pause, until = SHORTEST, 0.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                moment = time.monotonic()
                until = until or moment + PATIENCE
                if moment > until:
                    raise StoreBusy(f"Another process has held {self._path} for {PATIENCE:.0f} s.") from None
                time.sleep(pause)
                pause = min(pause * 2, LONGEST)
            else:
                return
