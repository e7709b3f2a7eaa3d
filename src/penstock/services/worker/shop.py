"""What does a worker lend to each of its attempts? Reactor, launcher, logs, threads for slow work, surroundings."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from penstock.runners.process.environments import Environments
from penstock.runners.process.kept import Kept
from penstock.runners.process.launcher import Launcher
from penstock.services.core import Core
from penstock.services.secrets.masks import KnownMasks
from penstock.services.worker.logs import LogWriter
from penstock.services.worker.reactor import Reactor
from penstock.services.worker.workdir import Folders

T = TypeVar("T")
OOM_KILLS: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Where people's code runs: the project's Python, others by name, packages imported beforehand; whether
    containers may have volumes and privileges.
    """

    python: str = ""
    pythons: dict[str, str] = {}
    preimports: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    volumes: bool = False
    privileged: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How far an attempt says it is, and what goes on in it."""

    run: str
    step: str
    done: float
    total: float | None
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shop:
    """A worker's tools."""

    core: Core
    worker: str
    reactor: Reactor
    launcher: Launcher
    kept: Kept
    logs: LogWriter
    folders: Folders
    surroundings: Surroundings
    memory: MemoryWatch
    pool: ThreadPoolExecutor
    environments: Environments
    told: Callable[[Progress], None] = lambda _progress: None
    paused: list[Callable[[], None]] = field(default_factory=list)
    known: KnownMasks = field(default_factory=KnownMasks)

    def away(self, work: Callable[[], T], then: Callable[[Future[T]], None], *, installs: bool = False) -> None:
        """Do slow work in another thread, then go on in the reactor's; what `installs` may take minutes."""
        pool = self.environments.threads if installs else self.pool
        pool.submit(work).add_done_callback(lambda future: self.reactor.soon(lambda: then(future)))


class MemoryWatch:
    """Whether the kernel has killed for lack of memory since this was asked last."""

    def __init__(self) -> None:
        self._sources = [path for path in (_own_group(), Path("/proc/vmstat")) if path is not None and path.is_file()]
        self._seen = self._count()

    def killed(self) -> bool:
        """Whether there was a kill since the last question."""
        count = self._count()
        before, self._seen = self._seen, count
        return count > before

    def _count(self) -> int:
        for source in self._sources:
            with contextlib.suppress(OSError):
                if found := OOM_KILLS.search(source.read_text()):
                    return int(found[1])
        return 0


def _own_group() -> Path | None:
    """The memory events of this process's control group."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, _, name = line.split(":", 2)
            if number == "0" and name != "/":
                return Path("/sys/fs/cgroup") / name.lstrip("/") / "memory.events"
    return None
