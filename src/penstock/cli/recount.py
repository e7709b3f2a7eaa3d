"""What if the figures about days are not what the runs come to? They are counted anew, from the runs that are kept."""

from __future__ import annotations

import datetime
from typing import Any

import click
import msgspec

from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.said import as_json, data
from penstock.services import stats


@click.command("recount", **examples("penstock db recount", "penstock db recount --json"))
@json_too
@places
def recount(**given: Any) -> None:
    """Count anew how runs ended, day by day; days of which runs were removed stay as they were counted then.

    It is never needed but after an older Penstock has worked beside this one: that does not count.
    """
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        done = stats.recount(app.core)
    since = (datetime.date(1970, 1, 1) + datetime.timedelta(days=done.first)).isoformat() if done.first else None
    if asked.json:
        as_json({"since": since, "runs": done.runs})
        return
    data(f"{done.runs:,} runs counted{f', created on {since} or later' if since else ''}.")
