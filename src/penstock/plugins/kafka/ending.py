"""How does a task of Kafka end when it is told to? It gives up its transaction and leaves its group, and then ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ended(BaseException):
    """The task is to end now."""


@contextmanager
def tidily() -> Iterator[None]:
    """While this is open, SIGTERM is raised as Ended in the main thread, so that what is open is closed; then it ends
    the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(_number: int, _frame: object) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    except Ended:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
