"""Which run of a server does a person mean? As with a store: its id, a part of it, `last`, or all that fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from penstock.cli.options import pairs
from penstock.cli.remote.asking import asked
from penstock.cli.said import note
from penstock.cli.several import MOST, SeveralGiven, confirm, meant
from penstock.cli.which import LAST, SHORTEST
from penstock.client import Client, Which
from penstock.errors.project import WrongCall
from penstock.errors.run import UnknownRun
from penstock.model import ids
from penstock.model.status import RunStatus


def run_named(client: Client, text: str) -> str:
    """The id that is meant; which run is the last is told. Raises UnknownRun, and WrongCall when several fit."""
    if text == LAST:
        newest = next(client.runs.list(limit=1), None)
        if newest is None:
            raise UnknownRun("Nothing has run here yet.")
        note(f"The last run is {newest.id}: {newest.namespace}.{newest.flow}, {newest.status}.")
        return newest.id
    if ids.RUN_ID.fullmatch(text):
        return text
    if len(text) < SHORTEST:
        raise WrongCall(f'"{text}" is too short to tell a run by.', hint=f"Give at least {SHORTEST} signs of its id.")
    fitting = [run.id for run in islice(client.runs.list(Which(text=text), limit=50), 50) if text in run.id]
    if not fitting:
        raise UnknownRun(f'There is no run whose id has "{text}" in it.')
    if len(fitting) > 1:
        raise WrongCall(f'{len(fitting)} runs have "{text}" in their id.', hint="Give more of it.")
    return fitting[0]


@contextmanager
def chosen(url: str, given: dict[str, Any], *usual: RunStatus) -> Iterator[tuple[Client, list[str]]]:
    """Ask a server, and give the ids of the runs that are meant; of those described without a status only such as the
    verb is `usual` for. Raises WrongCall when none are meant.
    """
    wanted = meant(given)
    with asked(url, given) as client:
        if wanted.run:
            named = [run_named(client, text) for text in wanted.run]
        else:
            named = [run.id for run in islice(client.runs.list(_described(wanted, usual)), MOST)]
        confirm(named, wanted)
        yield client, named


def _described(wanted: SeveralGiven, usual: tuple[RunStatus, ...]) -> Which:
    namespace, _, flow = wanted.flow.rpartition(".")
    pairs(wanted.label, "--label")
    return Which(
        namespace=namespace or wanted.namespace,
        flow=flow,
        status=tuple(RunStatus(word) for word in wanted.status) or usual,
        label=wanted.label,
    )
