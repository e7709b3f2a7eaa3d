"""How does a store come back from a backup or an export?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from penstock.app import locate
from penstock.app.restoring import restore
from penstock.cli.options import Given, examples, json_too, places, project_of
from penstock.cli.said import as_json, data, note
from penstock.clock import SystemClock


@click.command(
    "restore",
    **examples(
        "penstock db restore ~/backups/monday.db               in the place of what is there, which is kept",
        "penstock db restore history.jsonl                     an export, into a store that is empty",
        "penstock db restore monday.db --store postgresql://penstock@db/penstock",
    ),
)
@click.argument("file", metavar="FILE")
@json_too
@places
def restore_store(**given: Any) -> None:
    """Make the store what a backup or an export holds, and compare every row.

    Servers and workers must be stopped. A store in a file that is not empty is kept beside the new one; restoring that
    takes it back. Into PostgreSQL only an empty database is filled. An export holds flows and what has been: runs that
    had not ended are left out, and there are no people, secrets, values or schedules in it.
    """
    file = Path(given.pop("file"))
    asked = msgspec.convert(given, Given)
    project, clock = project_of(asked.project), SystemClock()
    done = restore(project, os.environ, asked.store, file, clock, lambda _table, _rows: None)
    if asked.json:
        as_json(done)
        return
    data(f"{sum(done.rows.values()):,} rows in {len(done.rows)} tables restored, and compared.")
    if done.left_out:
        note(f"Left out, because they had not ended: {len(done.left_out)} runs ({', '.join(done.left_out[:5])} …).")
    if done.before:
        note(f"What was there before is kept: `penstock db restore {done.before}` takes it back.")
    where = locate(project, os.environ, asked.store)
    note(f"Files and large outputs are not among it; they are looked for in {where.blobs}.")
