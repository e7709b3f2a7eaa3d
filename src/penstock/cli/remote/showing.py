"""How is a run followed that others do? Its log and its steps on stderr as a server tells them; Ctrl-C kills it."""

from __future__ import annotations

import time
from typing import Final

from penstock.cli.following import Wanted, tell_ended
from penstock.cli.plain import Telling, ending_lines
from penstock.cli.remote.runs import document, line_of
from penstock.cli.said import as_json, data, note
from penstock.client import Client
from penstock.client.shapes.parts import LogRow
from penstock.model.status import RunStatus
from penstock.services.watch import LogLine

INTERVAL: Final = 0.2
SHARE: Final = 0.1  # of the time, for asking about a large run


def follow(client: Client, run: str, wanted: Wanted) -> int:
    """Follow a run, and those that take its place, until it has ended; outputs or document to stdout, and the exit code
    that its status is.
    """
    interrupts = 0
    telling = None if wanted.quiet or wanted.json else Telling()
    while True:
        try:
            if telling is None:
                run = client.runs.wait(run).id
            else:
                _tell(client, run, telling, from_now=interrupts > 0)
            found = client.runs.get(run)
        except KeyboardInterrupt:
            interrupts += 1
            note("Killing it by force." if interrupts > 1 else "Killing the run: Ctrl-C again gives it no grace.")
            client.runs.kill(run, force=interrupts > 1)
            continue
        if found.status is RunStatus.RETRIED and found.successor:
            run = found.successor
            if telling is not None:
                telling.begin()
            continue
        return tell_ended(document(client, run), wanted)


def tell_started(client: Client, run: str, wanted: Wanted) -> None:
    """Say which run was started."""
    if wanted.json:
        as_json(document(client, run))
    else:
        data(run)


def _tell(client: Client, run: str, telling: Telling, *, from_now: bool) -> None:
    """Write what happens to a run as it does, until it has ended."""
    waiting: list[LogLine] = []
    pause, look_at = INTERVAL, 0.0
    for each in client.runs.follow(run, from_now=from_now):
        if isinstance(each, LogRow):
            waiting.append(line_of(each))
        began = time.monotonic()
        if began >= look_at:
            telling.take(document(client, run), waiting)
            telling.write(None)
            waiting = []
            pause = max(INTERVAL, (time.monotonic() - began) / SHARE)
            look_at = time.monotonic() + pause
    told = document(client, run)
    telling.take(told, waiting)
    telling.write(None)
    for line in ending_lines(told):
        note(line)
