"""What does `penstock worker` do? The work of a store until told to stop; now and then it removes what is old."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
import msgspec
from msgspec.structs import replace

from penstock.app import App, open_app
from penstock.cli import garbage
from penstock.cli.drive import worker_options
from penstock.cli.ending import Exit
from penstock.cli.exposing import exposed
from penstock.cli.options import Given, examples, keep_of, places, project_of
from penstock.cli.said import note
from penstock.errors import PenstockError
from penstock.model import ids
from penstock.services.retention import prune
from penstock.services.secrets.master import ring_of
from penstock.services.worker.loop import Worker
from penstock.store import queue, runs
from penstock.store.port import Tx
from penstock.telemetry.logs import writer
from penstock.telemetry.notice import Level

HOURLY: Final = 3600.0


class WorkerGiven(Given, frozen=True, kw_only=True):
    """What `penstock worker` was given."""

    name: str = ""
    slots: int = 0
    until_idle: bool = False
    queues: tuple[str, ...] = ()
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"


@click.command(
    "worker",
    **examples(
        "penstock worker                      until Ctrl-C, which lets what runs end",
        "penstock worker --slots 32 --store postgresql://penstock@db/penstock",
        "penstock worker --queue gpu --queue default",
        "penstock worker --until-idle         do what there is, then leave",
    ),
)
@click.option("--name", default="", help="What it is called in histories; unique on this machine.")
@click.option("--slots", type=click.IntRange(1, 10_000), default=None, help="Attempts at once.")
@click.option("--queue", "queues", multiple=True, metavar="NAME", help="A queue to serve, instead of `default` alone.")
@click.option("--until-idle", is_flag=True, help="Leave when no run is going any more.")
@click.option("--metrics-port", type=click.IntRange(0, 65_535), default=None, help="Tell figures at `/metrics` here.")
@click.option("--metrics-host", default="127.0.0.1", help="The address for that; whoever reaches it may read them.")
@click.option("--json", "json", is_flag=True, help="Tell what happens as lines of JSON, on stderr.")
@places
def worker(**given: Any) -> int:
    """Do the work of a store until stopped.

    SIGTERM and the first Ctrl-C drain: no new work, what runs gets its grace, the rest is handed back. The second
    Ctrl-C stops at once. Runs go on from where they are, here or elsewhere.
    """
    asked = msgspec.convert({name: value for name, value in given.items() if value is not None}, WorkerGiven)
    with open_app(project_of(asked.project), os.environ, store=asked.store) as app:
        ring_of(app.core).check()
        name = asked.name or f"{socket.gethostname().partition('.')[0]}-{os.getpid()}-{os.urandom(2).hex()}"
        options = worker_options(app, ids.check_flow_id(name, "a worker"), slots=asked.slots)
        options = replace(options, queues=asked.queues or options.queues)
        app.core.notices.subscribe(writer(sys.stderr, as_json=asked.json))
        if not asked.json:
            note(f"Worker {name} on {app.where.shown}: {options.slots} attempts at once. Ctrl-C drains it.")
        stopping = threading.Event()
        sweeper = threading.Thread(target=_prune_hourly, args=(app, stopping), name="penstock-prune", daemon=True)
        sweeper.start()
        try:
            garbage.as_usual()
            with _told(app, asked):
                _work(app, Worker(app.core, options), until_idle=asked.until_idle)
        finally:
            stopping.set()
            sweeper.join()
        if not asked.json:
            note(f"Worker {name} has stopped.")
    return Exit.SUCCESS


@contextmanager
def _told(app: App, asked: WorkerGiven) -> Iterator[None]:
    """Tell figures where that was asked for; else nothing is counted."""
    if asked.metrics_port is None:
        yield
        return
    app.measure()
    with exposed(app.metrics, asked.metrics_host, asked.metrics_port) as address:
        if asked.json:
            app.core.notices.say("worker.figures", app.core.clock.now(), url=address)
        else:
            note(f"Its figures are at {address}.")
        yield


def _work(app: App, doing: Worker, *, until_idle: bool) -> None:
    if not until_idle:
        doing.run()
        return
    try:
        doing.run_until(lambda: app.core.store.read(lambda tx: _idle(tx, doing.id)))
    finally:
        doing.close()


def _idle(tx: Tx, worker_id: str) -> bool:
    going = [count for status, count in runs.counts(tx).items() if not status.ended]
    return not sum(going) and not queue.held(tx, worker_id)


def _prune_hourly(app: App, stopping: threading.Event) -> None:
    say, wait = app.core.notices.say, 60.0
    while not stopping.wait(wait):
        wait = HOURLY
        try:
            removed = prune(app.core, app.files, keep_of(app))
        except PenstockError as error:
            say("prune.failed", app.core.clock.now(), Level.WARNING, why=str(error))
            continue
        if removed.runs:
            say("prune.done", app.core.clock.now(), runs=removed.runs, files=removed.files)
