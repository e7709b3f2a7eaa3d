"""How is something told to others without holding anybody up? In a thread of its own, while this server leads."""

from __future__ import annotations

import threading
import traceback
from typing import Final, Protocol

from penstock.errors import PenstockError
from penstock.model.policy import SECOND
from penstock.services.core import Core
from penstock.telemetry import Level

PAUSE: Final = SECOND
LONGEST: Final = 60 * SECOND
GRACE: Final = 2 * SECOND


class Export(Protocol):
    """Something that is told to others, from where it was left on: `turn` tells some of it."""

    name: str

    def turn(self) -> bool:
        """Tell some of what is new; False: there is no more now. Raises PenstockError: later, from here on."""


class Exporter:
    """Tells what an export has to tell; opens with `start`, closes with `close`, both safe to call twice."""

    def __init__(self, core: Core, leads: threading.Event, export: Export) -> None:
        self._core = core
        self._leads = leads
        self._export = export
        self._stopping = threading.Event()
        self._wait = PAUSE
        self._thread = threading.Thread(target=self._run, name=f"penstock-{export.name}", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        if not self._thread.is_alive() and not self._stopping.is_set():
            self._thread.start()

    def close(self) -> None:
        """Tell no more; what is under way is waited for, a little, and told again by who comes next."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(GRACE / SECOND)

    def turn(self) -> None:
        """Tell all there is, and find out how long to wait for more: longer each time that nobody takes it."""
        try:
            while self._export.turn() and self._leads.is_set() and not self._stopping.is_set():
                pass
        except PenstockError as error:
            self._failed(str(error))
        except Exception as fault:  # a fault of ours in one must not end it for good
            self._failed(repr(fault), where=traceback.format_exc(limit=-3))
        else:
            self._wait = PAUSE

    @property
    def wait(self) -> int:
        """For how long (microseconds) to wait before the next turn."""
        return self._wait

    def _failed(self, why: str, **more: object) -> None:
        self._wait = min(LONGEST, 2 * self._wait)
        fields = {"export": self._export.name, "why": why, "again_in": self._wait // SECOND, **more}
        self._core.notices.say("export.failed", self._core.clock.now(), Level.WARNING, **fields)

    def _run(self) -> None:
        while not self._stopping.wait(self._wait / SECOND):
            if self._leads.is_set():
                self.turn()
