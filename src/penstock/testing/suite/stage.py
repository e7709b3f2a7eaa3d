"""Where is a case run? On a stage: store, files and worker of its own, and a clock that runs ahead while all wait."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Final, Self

import msgspec

from penstock.app import locate
from penstock.app.databases import open_store
from penstock.clock import SystemClock
from penstock.errors.project import WrongCall
from penstock.runners.process.environments import root_in
from penstock.services import runs as verbs
from penstock.services.core import Core, Knobs
from penstock.services.plans import Plans
from penstock.services.project_folder import ProjectFolder
from penstock.services.secrets.local import of_machine
from penstock.services.stored import Stored
from penstock.services.sweep import sweep
from penstock.services.worker.loop import Options, Worker
from penstock.services.worker.shop import Surroundings
from penstock.settings.read import Project, expanded
from penstock.store import inbox, queue, runs, timers
from penstock.store.blobs.local import open_folder
from penstock.store.port import Tx
from penstock.testing.harness import BY, FAR

SLOTS: Final = 8
LOOK_EVERY: Final = 0.004
MOST_WAITS: Final = 20_000


class AheadClock:
    """The machine's clock, but that its wall time can be set ahead; a steady time is never moved."""

    def __init__(self, start: int | None = None) -> None:
        self._clock = SystemClock()
        self._ahead = 0 if start is None else start - self._clock.now()

    def now(self) -> int:
        """Microseconds since 1970 UTC, as set ahead."""
        return self._clock.now() + self._ahead

    def steady(self) -> int:
        """Microseconds since boot."""
        return self._clock.steady()

    def skip(self, micros: int) -> None:
        """Let time have passed."""
        self._ahead += micros


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage has to have: the project whose files, Python and secrets it shows, and what a case adds."""

    project: Project
    environ: dict[str, str]
    secrets: dict[str, str] = {}
    start: int | None = None


class Stage:
    """A place for one case; opens with its worker started, closes with all of it gone.

    Files of the project are read where they are, so that none has to be brought whoever may want it; what tasks do to
    them stays here.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-test-", ignore_cleanup_errors=True)
        root = Path(self._folder.name) / "project"
        state = root / ".penstock"
        state.mkdir(parents=True)
        project = wanted.project
        where = locate(project, wanted.environ)
        # The Pythons that tasks want are made once for all tests: a link, to where there may be none yet.
        root_in(state).symlink_to(root_in(where.state))
        self.clock = AheadClock(wanted.start)
        self.files = Stored(open_folder(Path(self._folder.name) / "blobs"))
        own = {f"PENSTOCK_SECRET_{name.upper()}": value for name, value in wanted.secrets.items()}
        secrets = project.path(project.settings.secrets) if project.settings.secrets else None
        self.core = Core(
            open_store(":memory:", self.clock, migrate=True),
            self.files,
            self.clock,
            Plans(),
            of_machine(wanted.environ | own, secrets),
            Knobs(environ=wanted.environ, grace=project.settings.limits.grace),
            state_dir=state,
            project=ProjectFolder(root, behind=project.root),
        )
        surroundings = Surroundings(
            python=where.python,
            pythons=where.pythons,
            preimports=project.settings.preimports,
            environment={name: expanded(text, wanted.environ) for name, text in project.settings.environment.items()},
            volumes=project.settings.containers.volumes,
            privileged=project.settings.containers.privileged,
        )
        self._worker = Worker(
            self.core, Options(id=f"test-{os.urandom(4).hex()}", slots=SLOTS, surroundings=surroundings)
        )
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._waits = 0

    def follow(self, run_id: str, patience: float, stopping: threading.Event) -> None:
        """Do a run until it has ended, with time running ahead wherever all of it only waits.

        Raises WrongCall when it waits for what never comes, or takes longer than `patience` seconds.
        """
        thread = threading.Thread(target=self._work, args=(run_id,), name="penstock-test")
        thread.start()
        until = time.monotonic() + patience
        try:
            while not self._over.wait(LOOK_EVERY):
                if stopping.is_set():
                    raise WrongCall("The test was stopped.")
                if time.monotonic() > until:
                    verbs.kill(self.core, run_id, BY, force=True)
                    raise WrongCall(f"The run had not ended after {patience:g} seconds, and was killed.")
                if self.core.store.read(self._idle):
                    self._worker.wake()
        finally:
            self._over.set()
            self._worker.wake()
            thread.join()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Let go of everything; safe to call twice."""
        self._worker.close()
        self.core.store.close()
        self.files.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self, run_id: str) -> None:
        try:
            self._worker.run_until(lambda: self._looked(run_id))
        except BaseException as failure:
            self._failure = failure
        finally:
            self._over.set()

    def _looked(self, run_id: str) -> bool:
        """Whether there is no more to do. Asked between the worker's turns and in its thread, when nothing that it does
        is half done: only then can be seen that all of it waits.
        """
        if self._over.is_set():
            return True
        run = self.core.store.read(lambda tx: runs.load(tx, run_id))
        if run is None or (run.status.ended and not run.open):
            return True
        if self.core.store.read(self._idle):
            self._go_ahead()
        return False

    def _idle(self, tx: Tx) -> bool:
        return not (queue.held(tx, self._worker.id) or queue.depth(tx)[0] or inbox.runs_waiting(tx, 1))

    def _go_ahead(self) -> None:
        due = self.core.store.read(timers.next_at)
        ahead = None if due is None else due - self.clock.now()
        if ahead is None or ahead > FAR:
            raise WrongCall(
                "The run waits for what never comes: somebody who resumes it, or room that nobody makes.",
                hint="Give the task that waits a fixture.",
            )
        self._waits += 1
        if self._waits > MOST_WAITS:
            raise WrongCall(
                f"The run has waited {MOST_WAITS:,} times, and would go on so.",
                hint="Give the task that looks again and again a fixture.",
            )
        if ahead > 0:
            self.clock.skip(ahead)
        sweep(self.core)
        self._worker.wake()
