"""May a worker's loop be woken whenever, though it ends just then?"""

from __future__ import annotations

import threading

from penstock.clock import SystemClock
from penstock.services.worker.reactor import Reactor

ROUNDS = 300


def test_a_loop_that_ends_is_woken_without_harm() -> None:
    said: list[OSError] = []
    for _ in range(ROUNDS):
        reactor, over = Reactor(SystemClock()), threading.Event()

        def wake(reactor: Reactor = reactor, over: threading.Event = over) -> None:
            try:
                while not over.is_set():
                    reactor.wake()
            except OSError as error:
                said.append(error)

        thread = threading.Thread(target=wake)
        thread.start()
        reactor.close()
        over.set()
        thread.join()
    assert said == []
