"""What becomes of a statement whose task is told to end? Servers that do not look whether we are there are told."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from penstock.plugins.sql.arguments import Arguments

# Shorter than the grace between SIGTERM and SIGKILL.
SECONDS: Final = 3
SERVER: Final = "SELECT @@hostname, @@port"


@contextlib.contextmanager
def before_the_end(work: Callable[[], None]) -> Iterator[None]:
    """While this is open, SIGTERM does the work first; only the main thread hears signals, others go without."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, _frame: object) -> None:
        signal.signal(number, before)
        with contextlib.suppress(Exception):  # whatever goes wrong there, this process ends
            work()
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def of_mysql(library: Any, connection: Any, given: Arguments) -> Callable[[], None]:
    """Kill the connection through another one; both must reach the same server, where an address means several."""
    number, server = connection.thread_id(), _server(connection)

    def work() -> None:
        brief = {**given, "connect_timeout": SECONDS, "read_timeout": SECONDS, "write_timeout": SECONDS}
        with contextlib.closing(library.connect(**brief)) as other:
            if _server(other) == server:
                other.cursor().execute(f"KILL {int(number)}")

    return work


def _server(connection: Any) -> object:
    cursor = connection.cursor()
    cursor.execute(SERVER)
    return cursor.fetchone()
