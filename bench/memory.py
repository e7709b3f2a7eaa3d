"""What do processes hold? Memory with shared pages counted once, and open files, of one and all below it (Linux)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEGA = 1024 * 1024


def megabytes(pid: int) -> float:
    """The memory that a process and all below it have."""
    return sum(_pages(one) for one in family(pid)) / MEGA


def open_files(pid: int) -> int:
    """The file descriptors that a process and all below it have."""
    return sum(_descriptors(one) for one in family(pid))


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))
    except OSError:
        return


def _pages(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0
