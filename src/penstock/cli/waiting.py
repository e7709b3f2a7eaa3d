"""Why does a run wait? Each thing that it waits for in a sentence, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note
from penstock.cli.suggest import run_ids
from penstock.cli.which import run_id
from penstock.services.reading import load
from penstock.services.why import Reason
from penstock.services.why import why as reasons


class WhyGiven(Given, frozen=True, kw_only=True):
    """What was asked about."""

    run: str
    step: str = ""


@click.command(
    "why", **examples("penstock runs why last", "penstock runs why last load", "penstock runs why last --json")
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.argument("step", default="")
@json_too
@places
@served("penstock.cli.remote.runs:why")
def why(**given: Any) -> None:
    """Tell what a run, or one of its steps, waits for: which limit, which place in which queue, who is before it."""
    asked = msgspec.convert(given, WhyGiven)
    with opened(asked) as app:
        run = load(app.core, run_id(app, asked.run)).run
        tell_reasons(reasons(app.core, run, asked.step), run.status, wants_json=asked.json)


def tell_reasons(found: Sequence[Reason], status: str, *, wants_json: bool) -> None:
    """Tell what a run in some status waits for."""
    if wants_json:
        as_json(found)
    elif found:
        data("\n".join(one.sentence for one in found))
    else:
        note(f"Nothing of it waits: the run is {status}.")
