"""Whose turn is it to write? File locks between processes, in front of SQLite's own, so that nobody starves."""

from __future__ import annotations

import fcntl
import os
import random
import time
from pathlib import Path

from penstock.errors.store import StoreBusy

PATIENCE = 30.0
GLANCES = 200
NAP = 0.00025
NAPS = 400
LONG_NAP = 0.002


class Ticket:
    """The right to write, held by one process at a time.

    Three locks: who writes holds the desk; one waits for it in the door; others stand in the hall, which many may hold
    together. Who comes while somebody stands in the hall stands there too, so nobody who has just left the desk
    overtakes those who wait; whoever holds the door is next.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        names = [f"{path}-{name}" for name in ("desk", "door", "hall")]
        self._locks = [os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644) for name in names]
        self._desk, self._door, self._hall = self._locks

    def take(self) -> None:
        """Wait for our turn; StoreBusy when it does not come in PATIENCE seconds."""
        # To leave a door that we do not hold does nothing.
        try:
            if self._somebody_waits() or not _taken(self._door):
                self._stand_in_hall()
            self._wait_for(self._desk, GLANCES)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._desk, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock files; safe to call twice."""
        for descriptor in self._locks:
            os.close(descriptor)
        self._locks = []

    def _somebody_waits(self) -> bool:
        if _taken(self._hall):
            fcntl.flock(self._hall, fcntl.LOCK_UN)
            return False
        return True

    def _stand_in_hall(self) -> None:
        # A lock that is only looked at, by those who come, may refuse us for a moment; then we wait unseen.
        _taken(self._hall, fcntl.LOCK_SH)
        try:
            self._wait_for(self._door, 0)
        finally:
            fcntl.flock(self._hall, fcntl.LOCK_UN)

    def _wait_for(self, descriptor: int, glances: int) -> None:
        """Look often at first (a write takes a tenth of a millisecond, the shortest sleep as long), then nap.

        A lock that blocks could not be given up, and a process that was stopped may hold it for ever.
        """
        until, naps = 0.0, 0
        while not _taken(descriptor):
            if glances:
                glances -= 1
                time.sleep(0)
                continue
            moment = time.monotonic()
            until = until or moment + PATIENCE
            if moment > until:
                raise StoreBusy(f"Another process has held {self._path} for {PATIENCE:.0f} s.")
            naps += 1
            # Uneven, so that of many who nap each has its chance.
            time.sleep(NAP * random.random() if naps < NAPS else LONG_NAP)


def _taken(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
