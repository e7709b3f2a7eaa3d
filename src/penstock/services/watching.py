"""How does a saved file become a revision? The project's folders are watched, and what changed is read and stored."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import watchfiles

from penstock.errors import PenstockError, Place, Problem, Severity
from penstock.errors.project import NoSuchFile, SameFlowTwice
from penstock.services import flows
from penstock.services.core import Core
from penstock.services.project import ENDINGS, Manner, flow_files, may_hold_flows, read_files
from penstock.store import flows as table
from penstock.telemetry import Level

SETTLES: Final = 50  # milliseconds in which the events of one save come together
IDLE: Final = 1_000
INCLUDES: Final = b"[[>"


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of looking at some files: flows stored anew, flows taken away, and what is wrong, by file."""

    stored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: dict[str, tuple[Problem, ...]] = {}


class Watching:
    """Keeps the store's flows as the project's files say; opens with `start`, closes with `close`.

    `told` hears of every look in which something was read. A flow whose file is gone starts no more runs.
    """

    def __init__(
        self, core: Core, places: Sequence[Path], manner: Manner, by: str, told: Callable[[Looked], None]
    ) -> None:
        self.started = threading.Event()
        self.problems: dict[str, tuple[Problem, ...]] = {}
        self._core = core
        self._places = tuple(places)
        self._manner = manner
        self._by = by
        self._told = told
        self._held: dict[Path, set[tuple[str, str]]] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._include: set[Path] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="penstock-watch", daemon=True)

    def start(self) -> None:
        """Read everything, then watch; both in a thread. `started` is set when everything was read once."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more; safe to call twice."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        self._patiently(flow_files(self._places))
        self.started.set()
        changes = watchfiles.watch(
            *{_there(place) for place in self._places},
            watch_filter=None,
            debounce=SETTLES,
            step=SETTLES,
            stop_event=self._stopping,
            rust_timeout=IDLE,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        watched = False
        with contextlib.closing(changes):
            for changed in changes:
                paths = {Path(path) for _, path in changed}
                if not watched:
                    # What was saved after it was read, and before anybody watched, was told by nobody.
                    paths |= {path for path, stamp in self._stamps.items() if stamp != _stamp(path)}
                    paths |= set(flow_files(self._places)) - self._stamps.keys()
                    watched = True
                if paths:
                    self._patiently(self._of_flows(paths))

    def _patiently(self, paths: Iterable[Path]) -> None:
        try:
            self._look(paths)
        except PenstockError as error:
            # The store is away: the files are looked at when they are saved again, or at the next start.
            self._core.notices.say("watch.failed", self._core.clock.now(), Level.ERROR, why=str(error))

    def _of_flows(self, changed: set[Path]) -> list[Path]:
        """The files to read: those that changed and may hold flows, and those that include other files."""
        inside = [path for path in changed if any(path.is_relative_to(place.absolute()) for place in self._places)]
        own = {path for path in inside if path.suffix in ENDINGS and not any(p.startswith(".") for p in path.parts)}
        others = self._include if changed - own else set()
        return sorted(own | others)

    def _look(self, paths: Iterable[Path]) -> None:
        stored: list[str] = []
        removed: list[str] = []
        found: dict[str, tuple[Problem, ...]] = {}
        for path in paths:
            before = self._held.pop(path, set())
            problems = self._read(path, stored)
            if problems:
                # Its flows stay as they were: a file that is being written is often wrong for a moment.
                self._held.setdefault(path, set()).update(before)
                found[str(path)] = self.problems[str(path)] = problems
            else:
                self.problems.pop(str(path), None)
            held = {name for others in self._held.values() for name in others}
            for namespace, flow_id in sorted(before - held):
                if flows.remove(self._core, namespace, flow_id):
                    removed.append(f"{namespace}.{flow_id}")
        self._told(Looked(stored=tuple(stored), removed=tuple(removed), problems=found))

    def _read(self, path: Path, stored: list[str]) -> tuple[Problem, ...]:
        """Store the flows of a file, and tell what is wrong with it."""
        self._include.discard(path)
        self._stamps[path] = _stamp(path)
        try:
            if not path.is_file() or not may_hold_flows(path):
                return ()
            if INCLUDES in path.read_bytes():
                self._include.add(path)
            readings = read_files(path, self._manner)
        except OSError as error:
            return (Problem(NoSuchFile.code, f"{path} cannot be read: {error.strerror}.", place=_top(path)),)
        except PenstockError as error:
            return (Problem(error.code, error.sentence, place=error.place or _top(path), hint=error.hint),)
        problems = [each for reading in readings for each in reading.problems if each.severity is Severity.ERROR]
        names = self._held.setdefault(path, set())
        for reading in readings:
            if (flow := reading.flow) is None:
                continue
            name = (flow.namespace, flow.id)
            other = next((other for other, held in self._held.items() if name in held), None)
            if other is not None:
                problems.append(Problem(SameFlowTwice.code, f"The flow {flow.name} stands in {other} too.", _top(path)))
                continue
            names.add(name)
            if self._is_new(*name, reading.digest):
                flows.push(self._core, flow, reading.source, reading.digest, self._by)
                stored.append(flow.name)
        return tuple(problems)

    def _is_new(self, namespace: str, flow_id: str, digest: str) -> bool:
        """Whether a text is another one than the store has: what is as it was needs no transaction."""
        head = self._core.store.read(lambda tx: table.current(tx, namespace, flow_id))
        return head is None or head.digest != digest


def _there(place: Path) -> Path:
    """The place itself, or the nearest folder above it that exists: it may be made later."""
    place = place.absolute()
    return next(each for each in (place, *place.parents) if each.exists())


def _stamp(path: Path) -> tuple[int, int]:
    """What tells whether a file was saved anew."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _top(path: Path) -> Place:
    return Place(1, 1, str(path))
