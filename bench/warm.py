"""What does a task of our own types cost in a chain, where its process is used again?"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time

from bench.chains import HEAD
from bench.figure import Figure, figure, paired
from bench.floor import Floor
from bench.house import bed

TASK = "  - id: t{n}\n    type: sleep\n    duration: PT0S\n"
LENGTH = 200
TIMES = 9


def warm_task() -> list[Figure]:
    """200 tasks that wait for no time, one after the other in a process that is kept: ms per task."""
    text = HEAD.format(id="warm") + "".join(TASK.format(n=n) for n in range(LENGTH))
    with contextlib.closing(WarmFloor()) as floor, bed("sqlite") as made:
        plan = made.flow(text)
        seen, low = paired(lambda: made.run(plan) / LENGTH * 1e3, lambda: floor.chain(LENGTH) / LENGTH * 1e3, TIMES)
    return [figure("warm_task", "ms per task", seen, floor=low, bar=2)]


class WarmFloor(Floor):
    """The same database, and one process that answers each task; closes with both."""

    def __init__(self) -> None:
        super().__init__()
        self._asking, theirs = socket.socketpair()
        self._kept = os.fork()
        if self._kept == 0:
            self._asking.close()
            _answer_for_ever(theirs)
        theirs.close()

    def close(self) -> None:
        """End the processes and remove the database."""
        self._asking.close()
        os.waitpid(self._kept, 0)
        super().close()

    def chain(self, length: int) -> float:
        """Do a chain of tasks in the one process; gives the seconds it took."""
        began = time.perf_counter()
        run = self._begin([f"t{number}" for number in range(length)], at_once=False)
        for number in range(length):
            self._claim(run)
            self._asking.sendall(json.dumps({"task": f"t{number}"}).encode())
            select.select([self._asking], [], [])
            output = self._asking.recv(65536)
            after = f"t{number + 1}" if number + 1 < length else ""
            self._report(run, f"t{number}", output.decode(), b"hello\n", after=after)
        return time.perf_counter() - began


def _answer_for_ever(sock: socket.socket) -> None:
    while message := sock.recv(65536):
        sock.sendall(json.dumps({"did": json.loads(message)["task"]}).encode())
    os._exit(0)
