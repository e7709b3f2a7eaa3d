"""How does a sleeper look often enough whom nobody can wake? Something becomes readable a few times a second."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

# Four looks a second cost a worker about a hundredth of one core, and its server less.
PACE: Final = 0.25


class Pulse:
    """A pipe into which a thread writes as long as its owner sleeps; opens with the first `start`."""

    def __init__(self) -> None:
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(self._writable, False)
        self._sleeps = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="penstock-pulse", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._readable

    def start(self) -> None:
        """The owner is about to sleep."""
        self._sleeps.set()

    def drain(self) -> bool:
        """Take what was written, and say whether anything was; the owner is awake."""
        self._sleeps.clear()
        with contextlib.suppress(BlockingIOError):
            return bool(os.read(self._readable, 4096))
        return False

    def close(self) -> None:
        """Stop; safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._sleeps.set()
        self._thread.join()
        os.close(self._readable)
        os.close(self._writable)

    def _beat(self) -> None:
        while not self._closing.wait(PACE):
            self._sleeps.wait()
            with contextlib.suppress(BlockingIOError):
                os.write(self._writable, b"\0")
