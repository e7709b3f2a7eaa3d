"""What does the lakehouse need of a machine that is not there? Told all at once, before anything is begun."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from projects.lakehouse.services.flink import NEWEST, OLDEST
from projects.lakehouse.services.jars import NO_MAVEN, absent
from projects.servers import ServerFailed, find_binaries, find_versitygw
from projects.servers.java import find_java

NO_GO: Final = (
    "go is not here, which builds versitygw, the S3 server: https://go.dev/dl (1.25, or one from 1.21 on with net)"
)
# What the servers hold once jobs have run, and what an empty cache takes in: jars twice, once in Maven's own.
MEMORY_MB, DISK_MB = 2_000, 4_000


def missing() -> list[str]:
    """A sentence for each thing without which the servers cannot start, with what to install."""
    found = []
    if absent() and shutil.which("mvn") is None:
        found.append(NO_MAVEN)
    if find_versitygw() is None and shutil.which("go") is None:
        found.append(NO_GO)
    for find in (partial(find_java, OLDEST, NEWEST), partial(find_java, 21), find_binaries):
        try:
            find()
        except ServerFailed as absence:
            found.append(str(absence))
    return found


def scarce(folder: Path) -> Iterator[str]:
    """A sentence for each thing of which there is little; the servers may be able to do with it."""
    if absent() and (free := shutil.disk_usage(folder).free // 1_000_000) < DISK_MB:
        yield f"{free} MB of disk are free at {folder}; what is fetched takes {DISK_MB} MB."
    if 0 < (free := _memory()) < MEMORY_MB:
        yield f"{free} MB of memory are free; the servers take about {MEMORY_MB} MB."


def _memory() -> int:
    """How many MB may be taken; 0 where the machine does not say."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))) // 1000
    return 0
