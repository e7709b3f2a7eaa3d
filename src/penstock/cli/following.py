"""How do run, restart and replay follow a run and tell its end? Live on a terminal, in lines elsewhere, or as JSON."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import msgspec

from penstock.app import App
from penstock.app.lineage import lineage_into, lineage_of
from penstock.cli.drive import Drive, Show, Silent
from penstock.cli.ending import Exit
from penstock.cli.live import LiveShow
from penstock.cli.options import keep_of, who
from penstock.cli.plain import PlainShow
from penstock.cli.said import as_json, data, note
from penstock.errors import PenstockError
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services.document import RunDocument, document
from penstock.services.retention import prune_daily
from penstock.services.scheduler.lead import stands


class Wanted(msgspec.Struct, frozen=True):
    """How a run is to be told: its document as JSON at the end, nothing while it goes; `lineage` is a file that
    hears of its data.
    """

    json: bool = False
    quiet: bool = False
    lineage: str = ""


def show_for(app: App, wanted: Wanted) -> Show:
    """What lets people follow a run here."""
    if wanted.quiet or (wanted.json and not sys.stderr.isatty()):
        return Silent()
    return LiveShow(app.core) if sys.stderr.isatty() else PlainShow(app.core)


def follow(app: App, drive: Drive, run_id: str, wanted: Wanted) -> int:
    """Do a run here until it has ended; outputs or document to stdout, and the exit code that its status is."""
    run = drive.follow(run_id, who())
    code = tell_ended(document(app.core, run.id), wanted)
    _tell_lineage(app, run, wanted.lineage)
    _tidy(app)
    return code


def tell_ended(told: RunDocument, wanted: Wanted) -> int:
    """Give what a run that has ended handed on, or all of it as JSON, and the exit code that its status is."""
    if wanted.json:
        as_json(told)
    else:
        for name, value in told.outputs.items():
            data(f"{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
    return Exit.SUCCESS if told.status in (RunStatus.SUCCESS, RunStatus.WARNING) else Exit.RUN_FAILED


def _tell_lineage(app: App, run: Run, file: str) -> None:
    """Tell of the data that were read and written, where no server does, and of this run into a file; what is not taken
    now is told next time.
    """
    if app.project.settings.lineage is None:
        return
    try:
        if file:
            lineage_into(app, Path(file)).tell(run)
        lineage = lineage_of(app, os.environ)
        if lineage is not None and not stands(app.core):
            while lineage.turn():
                pass
    except PenstockError as error:
        note(f"Lineage is told another time: {error.sentence}")


def _tidy(app: App) -> None:
    """Once a day remove what is past its time; that it cannot be done is no fault of the run."""
    with contextlib.suppress(PenstockError, OSError):
        prune_daily(app.core, app.files, keep_of(app))


def tell_started(app: App, run_id: str, wanted: Wanted) -> None:
    """Say which run was started for others to do."""
    if wanted.json:
        as_json(document(app.core, run_id))
        return
    data(run_id)
    if not wanted.quiet:
        note("Started; a standing worker does it (`penstock worker`).")
