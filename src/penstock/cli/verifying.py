"""Are runs what their events make them? Each is folded again from nothing; differences are told, one a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import msgspec

from penstock.app import App
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.said import as_json, data, note
from penstock.cli.suggest import run_ids
from penstock.cli.which import run_id
from penstock.errors.project import WrongCall
from penstock.services.verify import Verified, verify, verify_all


class VerifyGiven(Given, frozen=True, kw_only=True):
    """What `runs verify` was given."""

    run: tuple[str, ...] = ()
    every: bool = False


@click.command(
    "verify",
    **examples(
        "penstock runs verify last",
        "penstock runs verify --all                      every run of the store",
        "penstock runs verify --all --json | jq '.[] | select(.differences != [])'",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@click.option("--all", "every", is_flag=True, help="Every run of the store.")
@json_too
@places
def check_runs(**given: Any) -> int:
    """Fold runs again from their events and tell what in the store is not what these make it.

    Exit code 0 when all is as it should be, 4 when something is not.
    """
    asked = msgspec.convert(given, VerifyGiven)
    if bool(asked.run) == asked.every:
        raise WrongCall("Which runs?", hint="Name them, or say --all.")
    with opened(asked) as app:
        found = verify_all(app.core) if asked.every else _named(app, asked.run)
        return _tell(found, asked.json)


def _named(app: App, texts: tuple[str, ...]) -> list[Verified]:
    return [verify(app.core, each) for each in [run_id(app, text) for text in texts]]


def _tell(found: Iterable[Verified], as_data: bool) -> int:
    runs = events = wrong = 0
    told: list[Verified] = []
    for one in found:
        runs, events, wrong = runs + 1, events + one.events, wrong + (not one.sound)
        if as_data:
            told.append(one)
        elif not one.sound:
            data("\n".join([one.run, *(f"  {sentence}" for sentence in one.differences)]))
    if as_data:
        as_json(told)
    what = f"{runs:,} run{'s' if runs != 1 else ''} of {events:,} events"
    note(f"{what}: {f'{wrong:,} not what the events make them' if wrong else 'all are what their events make them'}.")
    return Exit.SYSTEM_FAILED if wrong else Exit.SUCCESS
