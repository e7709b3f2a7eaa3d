"""What does a test see of other processes? It waits until something is so, and finds all that a project started."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Seen(msgspec.Struct, frozen=True):
    """A living process: its id, command line and environment as it began."""

    pid: int
    command: str
    environment: bytes

    @property
    def is_zygote(self) -> bool:
        """Whether it forks the attempts of a worker."""
        return "zygote.py" in self.command


def eventually(so: Callable[[], T], what: str, seconds: float = 20.0) -> T:
    """Wait until something is so and give it; an assertion that names it when it is not in time."""
    end = time.monotonic() + seconds
    while not (found := so()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
    return found


def processes_of(folder: Path) -> list[Seen]:
    """Everything alive that was started with this folder as its home, by whomever, under whichever parent."""
    found = []
    home = b"\0HOME=" + bytes(folder) + b"\0"
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = b"\0" + (place / "environ").read_bytes()
            if home in environment:
                command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(Seen(int(place.name), command, environment))
    return found
