"""What does `penstock dev` do? Everything in one process: API, scheduler, worker, and the folder watched."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

import click
import msgspec

from penstock.api.serve import Listen
from penstock.app import App, open_app
from penstock.app.manner import manner_of
from penstock.cli.drive import worker_options
from penstock.cli.ending import Exit
from penstock.cli.options import Given, caller, examples, places, project_of, who
from penstock.cli.said import note, tell_problems
from penstock.cli.serve import PORT, standing
from penstock.cli.welcome import check_address, greeting
from penstock.errors.store import StoreError
from penstock.services.scheduler import lead
from penstock.services.scheduler.loop import Scheduler
from penstock.services.secrets.master import ring_of
from penstock.services.watching import Looked, Watching
from penstock.services.worker.loop import Worker
from penstock.store import runs
from penstock.telemetry import Level, Notice
from penstock.telemetry.logs import writer

GRACE: Final = 2


class DevGiven(Given, frozen=True, kw_only=True):
    """What `penstock dev` was given."""

    folder: str = ""
    port: int = PORT
    host: str = "127.0.0.1"


@click.command(
    "dev",
    **examples(
        "penstock dev                 the project of this folder, at http://127.0.0.1:8080",
        "penstock dev shop            of another folder",
        "penstock dev --port 0        at any port that is free",
    ),
)
@click.argument("folder", required=False, default="")
@click.option("--host", default="127.0.0.1", help="The address to listen at; any but loopback wants an owner first.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, help="The port; the next one where it is taken.")
@places
def dev(**given: Any) -> int:
    """Work on a project: API, scheduler and worker in one process, and a saved file is a new revision at once.

    What is wrong with a file is told here and served; its flow stays as it was. Ctrl-C stops everything; runs that are
    under way go on at the next start.
    """
    asked = msgspec.convert(given, DevGiven)
    project = project_of(asked.folder or asked.project)
    with open_app(project, os.environ, store=asked.store) as app:
        app.measure()
        ring_of(app.core).check()
        check_address(app, asked.host)
        if lead.stands(app.core):
            note("Another server stands on this store: this one stands beside it, and leads when that one is gone.")
        listen = Listen(host=asked.host, port=asked.port, next_free=True)
        # what comes from a branch would take the place of what is written here
        with standing(app, listen, "", GRACE, pulls=False) as (server, scheduler):
            if asked.port and server.port != asked.port:
                note(f"Port {asked.port} is taken, so this is port {server.port}.")
            note(f"Penstock answers at {server.url}, on {app.where.shown}. Ctrl-C stops it.")
            for line in greeting(app, server.url):
                note(line)
            app.core.notices.subscribe(writer(sys.stderr, least=Level.INFO))
            name = f"dev-{os.getpid()}-{os.urandom(2).hex()}"
            worker = Worker(app.core, msgspec.structs.replace(worker_options(app, name), drain_grace=GRACE * 1_000_000))
            watching = Watching(
                app.core.asked_by(caller()),
                project.flow_places,
                manner_of(project),
                who(),
                lambda looked: _tell(looked, scheduler),
            )
            app.core.notices.subscribe(_hurried(worker))
            app.problems = watching.problems
            watching.start()
            try:
                worker.run()
            finally:
                watching.close()
        note(f"Penstock has stopped.{_under_way(app)}")
    return Exit.SUCCESS


def _hurried(worker: Worker) -> Callable[[Notice], None]:
    """What lets a worker that was asked to stop wait no longer for a store that is away: what was not told goes on."""
    draining = False

    def hear(told: Notice) -> None:
        nonlocal draining
        draining = draining or told.name == "worker.draining"
        if draining and told.name == "worker.store_away":
            worker.stop_now()

    return hear


def _under_way(app: App) -> str:
    """What goes on at the next start, as far as the store can still tell."""
    try:
        counts = app.core.store.glance(runs.counts)
    except StoreError:
        return ""
    going = sum(count for status, count in counts.items() if not status.ended)
    return f" {going} {'run goes' if going == 1 else 'runs go'} on at the next start." if going else ""


def _tell(looked: Looked, scheduler: Scheduler) -> None:
    """Say what was stored and what is wrong."""
    if looked.stored or looked.removed:
        scheduler.nudge()
        note("  ".join((*(f"+ {name}" for name in looked.stored), *(f"- {name}" for name in looked.removed))))
    for found in looked.problems.values():
        tell_problems(found)
