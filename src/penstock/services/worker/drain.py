"""How is a worker told to stop? SIGTERM and a first SIGINT drain it; a second SIGINT stops it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_signals(drain: Callable[[], None], stop_now: Callable[[], None]) -> Iterator[None]:
    """Call these upon signals; only the main thread hears any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts = 0

    def interrupted(_number: int, _frame: object) -> None:
        nonlocal interrupts
        interrupts += 1
        (drain if interrupts == 1 else stop_now)()

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda _number, _frame: drain()),
        signal.SIGINT: signal.signal(signal.SIGINT, interrupted),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
