"""How does one process do many attempts of our own task types? One after the other, none seeing what was before.

It is forked as a child for one attempt is, and then takes a descriptor with a payload from its channel, again and
again. After each attempt it looks whether it is as it was at its birth: no child, no second thread, no descriptor
more. If so it says that it is free; if not, or if its channel closes, it ends as the child of one attempt does.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from penstock.runners.process.plugin import Line
from penstock.runners.process.zygote import single
from penstock.sdk import child

TASK: Final = b"t"
FREE: Final = "free"
UMASK: Final = 0o022
DESCRIPTORS: Final = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
STATM: Final = Path("/proc/self/statm")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Task(msgspec.Struct, frozen=True):
    """One attempt's payload: what `child.main` takes, what its environment has besides, the working directory."""

    plugin: dict[str, object]
    env: dict[str, str]
    cwd: str


def main(_payload: Mapping[str, object], channel: socket.socket) -> None:
    """Do attempts until the channel closes, or until one leaves something behind."""
    birth = _Birth()
    while body := _take(channel):
        task = msgspec.json.decode(body, type=Task)
        line = _Told(channel)
        _reseed()
        birth.settle(task.env, task.cwd)
        child.main(task.plugin, line)
        del body, task
        birth.settle({}, "/")
        free = not line.owed and birth.is_as_it_was()
        line.end({"t": FREE, "memory": _memory()} if free else None)
        if not free:
            return


class _Told(Line):
    """A channel that keeps the outcome back, so that it goes out together with what follows from it."""

    def __init__(self, channel: socket.socket) -> None:
        super().__init__(channel)
        self._last: list[dict[str, object]] = []

    def send(self, frame: dict[str, object]) -> None:
        """Tell the worker something; an outcome at the end."""
        if frame.get("t") == "outcome":
            self._last.append(frame)
        else:
            super().send(frame)

    def end(self, more: dict[str, object] | None) -> None:
        """Say what was kept back, and what there is more to say."""
        self.send_all([*self._last, *([more] if more else [])])


class _Birth:
    """What a process was when it began."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._streams = sys.stdout, sys.stderr
        self._files = _files()
        self._open = _open()

    def settle(self, environment: dict[str, str], folder: str) -> None:
        """Take up what an environment has besides and a folder; nothing is left of those before."""
        wanted = self._environment | environment
        for name in os.environ.keys() - wanted.keys():
            del os.environ[name]
        for name, value in wanted.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        time.tzset()
        os.umask(UMASK)
        os.chdir(folder)
        sys.stdout, sys.stderr = self._streams

    def is_as_it_was(self) -> bool:
        """Whether nothing was left that a next attempt could meet, nor anything to be printed."""
        try:
            for stream in self._streams:
                stream.flush()
        except (OSError, ValueError):  # the task has closed it
            return False
        if not _childless() or not _alone() or _files() != self._files:
            return False
        if _open() == self._open:
            return True
        gc.collect()  # an error that was caught may hold a file until its cycle is found
        return _open() == self._open


def _take(channel: socket.socket) -> bytes:
    """The next payload; empty when the worker wants no more, or said what is none."""
    said, descriptors, _, _ = socket.recv_fds(channel, len(TASK), 1)
    if said != TASK or not descriptors:
        return b""
    with os.fdopen(descriptors[0], "rb") as source:
        return source.read()


def _reseed() -> None:
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _childless() -> bool:
    """Whether no process is below this one; those that have ended are collected."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _alone() -> bool:
    return single() if sys.platform == "linux" else threading.active_count() == 1


def _files() -> tuple[tuple[int, int], ...]:
    """Which files standard output and standard error are; none when one is closed."""
    try:
        return tuple((found.st_dev, found.st_ino) for found in (os.fstat(1), os.fstat(2)))
    except OSError:
        return ()


def _open() -> int:
    with os.scandir(DESCRIPTORS) as found:
        return sum(1 for _ in found)


def _memory() -> int:
    """Bytes in use now; 0 where the system does not tell."""
    return int(STATM.read_bytes().split()[1]) * PAGE if sys.platform == "linux" else 0
