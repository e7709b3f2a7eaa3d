"""What does `penstock serve` do? It answers the API and looks after time until stopped; workers do the work."""

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

from penstock.api.serve import Listen, Server
from penstock.api.who import who_of
from penstock.app import App, open_app
from penstock.app.branches import branches_of, copies_of
from penstock.app.exports import exports_of
from penstock.app.manner import manner_of
from penstock.cli import garbage
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, places, project_of, who
from penstock.cli.said import note
from penstock.cli.welcome import check_address, greeting, invitation
from penstock.model import ids
from penstock.services.exporting.thread import Exporter
from penstock.services.git.pulling import Pulling
from penstock.services.scheduler.loop import Scheduler
from penstock.services.secrets.master import ring_of
from penstock.services.worker.drain import on_signals
from penstock.telemetry.logs import writer

PORT: Final = 8080


class ServeGiven(Given, frozen=True, kw_only=True):
    """What `penstock serve` was given."""

    host: str = "127.0.0.1"
    port: int = PORT
    name: str = ""
    grace: int = 10


@click.command(
    "serve",
    **examples(
        "penstock serve --store postgresql://penstock@db/penstock",
        "penstock serve --port 80 --host 10.0.0.7       reachable from elsewhere: people must log in",
        "penstock serve --grace 30                      how long calls may take to end when it is stopped",
    ),
)
@click.option("--host", default="127.0.0.1", help="The address to listen at; any but loopback wants an owner first.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, help="The port; 0 takes any that is free.")
@click.option("--name", default="", help="What it is called where it leads; unique on this machine.")
@click.option("--grace", type=click.IntRange(0, 3_600), default=10, help="Seconds that calls have to end in.")
@click.option("--json", "json", is_flag=True, help="Tell what happens as lines of JSON, on stderr.")
@places
def serve(**given: Any) -> int:
    """Serve the API and look after time, until stopped.

    Any number may stand beside each other on one store: one of them leads and fires schedules, another takes over
    within seconds when it is gone. Work is done by `penstock worker`. SIGTERM and Ctrl-C let calls end.
    """
    asked = msgspec.convert(given, ServeGiven)
    with open_app(project_of(asked.project), os.environ, store=asked.store) as app:
        app.core.notices.subscribe(writer(sys.stderr, as_json=asked.json))
        app.measure()
        ring_of(app.core).check()
        check_address(app, asked.host)
        stopping = threading.Event()
        with standing(app, Listen(host=asked.host, port=asked.port), asked.name, asked.grace) as (server, _):
            if asked.json:
                now = app.core.clock.now()
                app.core.notices.say("server.answers", now, url=server.url, store=app.where.shown)
            else:
                note(f"Penstock answers at {server.url}, on {app.where.shown}. Ctrl-C stops it.")
                # a secret is for people to see, not for logs that are kept
                for line in [*greeting(app, server.url), *(invitation(app, server.url) if sys.stderr.isatty() else ())]:
                    note(line)
            with on_signals(stopping.set, stopping.set):
                # Waited for in pieces: a signal is heard between two of them.
                while not stopping.wait(3_600.0):
                    pass
        if not asked.json:
            note("Penstock has stopped.")
    return Exit.SUCCESS


@contextmanager
def standing(
    app: App, listen: Listen, name: str, grace: int, *, pulls: bool = True
) -> Iterator[tuple[Server, Scheduler]]:
    """A server and a scheduler for the length of the block; in the end both are gone. `pulls`: branches, too."""
    exports, branches = exports_of(app, os.environ), branches_of(app) if pulls else {}
    drawn = f"{socket.gethostname().partition('.')[0]}-{os.getpid()}-{os.urandom(2).hex()}"
    named = ids.check_flow_id(name or drawn, "a server")
    server = Server(app, who_of(app, who()), listen)
    try:
        scheduler = Scheduler(app.core, named)
        pulling = Pulling(app.core, scheduler.led, list(branches.values()), manner_of(app.project), copies_of(app))
        exporters = [Exporter(app.core, scheduler.led, each) for each in exports]
        try:
            server.start()
            scheduler.start()
            pulling.start()
            for each in exporters:
                each.start()
            garbage.as_usual()
            yield server, scheduler
        finally:
            for each in exporters:
                each.close()
            pulling.close()
            scheduler.close()
    finally:
        server.close(grace)
