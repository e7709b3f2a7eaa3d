"""Which processes were left by a worker that is dead? Those with its marker in their environment; they are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

MARKER: Final = "PENSTOCK_TREE"
PATIENCE: Final = 5.0


def kill(is_stray: Callable[[str], bool]) -> int:
    """Kill every process of this user whose marker `is_stray` accepts, until none is left; say how many."""
    killed: set[int] = set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = [pid for pid, marker in marked() if is_stray(marker)]
        if not found:
            break
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        killed.update(found)
        time.sleep(0.002)
    return len(killed)


def marked() -> Iterator[tuple[int, str]]:
    """Processes that carry a marker, with it; none where the system does not show environments."""
    wanted = f"{MARKER}=".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if wanted in environment:
                for entry in environment.split(b"\0"):
                    if entry.startswith(wanted):
                        yield int(folder.name), entry[len(wanted) :].decode(errors="replace")
