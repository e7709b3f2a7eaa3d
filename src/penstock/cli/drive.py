"""How is a run done in this very process? By a worker in a thread; the main thread shows it and hears Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol, TypeVar

from penstock.app import App
from penstock.cli import garbage
from penstock.cli.said import note
from penstock.errors.run import UnknownRun
from penstock.errors.store import StoreError
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services import runs as verbs
from penstock.services.exporting.following import LINEAGE
from penstock.services.worker.loop import Options, Worker
from penstock.services.worker.shop import Progress, Surroundings
from penstock.settings.keys import capacity
from penstock.settings.read import expanded
from penstock.store import positions, queue, runs
from penstock.telemetry import Notice

LOOK_EVERY: Final = 0.25
AWAY: Final = 1.0
PATIENCE: Final = 60.0
SETTLING: Final = 500_000

T = TypeVar("T")


class Show(Protocol):
    """What lets people follow a run while it goes."""

    def begin(self, run_id: str, *, new: bool = False) -> None:
        """The run exists; of a new one all is told, of another what happens from now on."""

    def refresh(self) -> float:
        """Show what is new, and tell for how many seconds nothing need be shown."""

    def progress(self, told: Progress) -> None:
        """An attempt says how far it is; called from the worker's thread."""

    def say(self, text: str) -> None:
        """Say something besides; for any thread."""

    def end(self) -> None:
        """The run has ended and its logs are kept: show what is left."""

    def close(self) -> None:
        """Nothing is shown any more, whatever happened; safe to call twice."""


class Silent:
    """Shows nothing."""

    def begin(self, run_id: str, *, new: bool = False) -> None:
        """The run exists."""

    def refresh(self) -> float:
        """There is nothing to show."""
        return 3600.0

    def progress(self, told: Progress) -> None:
        """Nobody wants to know."""

    def say(self, text: str) -> None:
        """Say it after all."""
        note(text)

    def end(self) -> None:
        """There was nothing to show."""

    def close(self) -> None:
        """Nothing was opened."""


class Drive:
    """One run done by a worker of this process; opens with its worker, closes when the run has ended."""

    def __init__(self, app: App, show: Show) -> None:
        self.id = f"cli-{os.getpid()}-{os.urandom(4).hex()}"
        self._app = app
        self._show = show
        self._worker = Worker(app.core, worker_options(app, self.id, told=show.progress))
        self._ended = threading.Event()
        self._run_id = ""
        self._ask_at = 0.0
        self._interrupts = 0
        self._failure: BaseException | None = None
        app.core.notices.subscribe(self._hear)

    def start(self) -> None:
        """Become known as a worker, so that the run can belong to this process."""
        said = self._app.project.settings.lineage
        if said is not None and (said.url or said.file):
            # from here on it is told what happens, if nobody has begun to do so before
            self._app.core.store.write(lambda tx: positions.begin(tx, LINEAGE))
        self._worker.start()

    def follow(self, run_id: str, by: str) -> Run:
        """Do the run, and those that take its place, until it has ended, showing it; Ctrl-C kills it, twice by force.
        Gives the last run as it ended.
        """
        self._run_id = run_id
        self._patiently(lambda: self._show.begin(run_id))
        thread = threading.Thread(target=self._work, name="penstock-worker")
        before = {number: signal.signal(number, self._interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
        thread.start()
        garbage.as_usual()
        told = 0
        try:
            wait, show_at = 0.05, 0.0
            while not self._ended.wait(wait):
                try:
                    if (heard := self._interrupts) > told:
                        self._kill(by, force=heard > 1)
                        told = heard
                    if (now := time.monotonic()) >= show_at:
                        wait = min(pause := self._show.refresh(), LOOK_EVERY)
                        show_at = now + pause
                    self._go_over(SETTLING)
                    if self._run().status.ended:
                        # the worker may be asleep: somebody else may have ended the run
                        self._worker.wake()
                except StoreError:
                    # the worker waits for the store too, says so, and goes on once it is back
                    wait = AWAY
        finally:
            thread.join()
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._failure is not None:
            raise self._failure
        self._patiently(self._go_over)
        self._patiently(self._show.end)
        return self._patiently(self._run)

    def _go_over(self, settling: int = 0) -> None:
        """Follow the run that has taken this one's place, if one has and the logs of this one have had time to come."""
        while (successor := self._successor()) and self._app.core.clock.now() - (self._run().ended_at or 0) >= settling:
            self._show.end()
            self._run_id = successor
            self._show.begin(successor, new=True)

    def _successor(self) -> str:
        run = self._run()
        if run.status is not RunStatus.RETRIED or not run.successor:
            return ""
        return run.successor if self._app.core.store.read(lambda tx: runs.load(tx, run.successor)) else ""

    def close(self) -> None:
        """End the worker; safe to call twice."""
        self._show.close()
        self._worker.close()

    def _hear(self, told: Notice) -> None:
        """Say what keeps the work from going on; what the run does is shown anyway."""
        if told.name == "worker.store_away":
            self._show.say(f"{told.fields['error']} It is tried again and again.")

    def _work(self) -> None:
        try:
            self._worker.run_until(self._over)
            self._worker.close()
        except BaseException as failure:
            self._failure = failure
        finally:
            self._ended.set()

    def _patiently(self, act: Callable[[], T]) -> T:
        """Do what needs the store; while it is away, again, as the worker does."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return act()
            except StoreError:
                if time.monotonic() > until:
                    raise
                time.sleep(AWAY)

    def _run(self) -> Run:
        run = self._app.core.store.read(lambda tx: runs.load(tx, self._run_id))
        if run is None:
            raise UnknownRun(f"The run {self._run_id} has been removed from the store.")
        return run

    def _over(self) -> bool:
        """The run has ended, with all that belongs to this process; asked after every turn of the worker."""
        core = self._app.core
        now = time.monotonic()
        if core.cache.holds(self._run_id) and now < self._ask_at:
            return False
        self._ask_at = now + LOOK_EVERY
        try:
            if not self._run().status.ended or self._successor():
                return False
            return not core.store.read(lambda tx: runs.owned(tx, [self.id]) or queue.held(tx, self.id))
        except StoreError:
            return False

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self._interrupts += 1

    def _kill(self, by: str, *, force: bool) -> None:
        if force:
            self._show.say("Killing it by force.")
        else:
            self._show.say("Killing the run: its tasks get their grace to end. Ctrl-C again ends them at once.")
        verbs.kill(self._app.core, self._run_id, by, force=force)
        self._worker.wake()


def worker_options(
    app: App, worker_id: str, *, slots: int = 0, told: Callable[[Progress], None] = lambda _progress: None
) -> Options:
    """What a worker of this project is told."""
    settings = app.project.settings
    return Options(
        id=worker_id,
        slots=slots or capacity(settings.limits),
        surroundings=Surroundings(
            python=app.where.python,
            pythons=app.where.pythons,
            preimports=settings.preimports,
            environment={name: expanded(value, os.environ) for name, value in settings.environment.items()},
            volumes=settings.containers.volumes,
            privileged=settings.containers.privileged,
        ),
        told=told,
    )
