"""Which run does a person mean? Its id, a part of the id that only one run has, or `last`."""

from __future__ import annotations

from typing import Final

from penstock.app import App
from penstock.cli.said import note
from penstock.errors.project import WrongCall
from penstock.errors.run import UnknownRun
from penstock.model import ids
from penstock.store import runs

LAST: Final = "last"
SHORTEST: Final = 4


def run_id(app: App, text: str) -> str:
    """The id that is meant; which run is the last is told. Raises UnknownRun, and WrongCall when several fit."""
    if text == LAST:
        newest = app.core.store.read(lambda tx: runs.list_runs(tx, runs.Filter(), 1))
        if not newest:
            raise UnknownRun("Nothing has run here yet.")
        run = newest[0]
        note(f"The last run is {run.id}: {run.namespace}.{run.flow}, {run.status}.")
        return run.id
    if ids.RUN_ID.fullmatch(text):
        if app.core.store.read(lambda tx: runs.load(tx, text)) is None:
            raise UnknownRun(f"There is no run {text}.")
        return text
    if len(text) < SHORTEST:
        raise WrongCall(f'"{text}" is too short to tell a run by.', hint=f"Give at least {SHORTEST} signs of its id.")
    fitting = [run.id for run in app.core.store.read(lambda tx: runs.list_runs(tx, runs.Filter(text=text), 50))]
    fitting = [found for found in fitting if text in found]
    if not fitting:
        raise UnknownRun(f'There is no run whose id has "{text}" in it.')
    if len(fitting) > 1:
        raise WrongCall(f'{len(fitting)} runs have "{text}" in their id.', hint="Give more of it.")
    return fitting[0]
