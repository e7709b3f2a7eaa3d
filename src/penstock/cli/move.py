"""How does a store move to another database, or come back from a copy of it?"""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec

from penstock.app.moving import move, move_back
from penstock.cli.options import Given, examples, json_too, places, project_of
from penstock.cli.said import as_json, data, note
from penstock.clock import SystemClock
from penstock.errors.project import WrongCall


class MoveGiven(Given, frozen=True, kw_only=True):
    """What `db move` was given."""

    to: str = ""
    undo: bool = False


@click.command(
    "move",
    **examples(
        "penstock db move --to postgresql://penstock@db/penstock",
        "penstock db move --to 'postgresql://penstock@db/all?schema=team'",
        "penstock db move --undo                       the old store is whole: go on with it",
    ),
)
@click.option("--to", default="", metavar="URL", help="The new store: an empty database, a schema of one, or a file.")
@click.option("--undo", is_flag=True, help="Open the old store again; what was done in the new one stays there.")
@json_too
@places
def move_store(**given: Any) -> None:
    """Carry the store to another database, and compare every row.

    Servers and workers must be stopped. What dies in the middle goes on with the same call. The old store is kept, and
    shut: nothing goes on there by mistake.
    """
    asked = msgspec.convert(given, MoveGiven)
    if bool(asked.to) == asked.undo:
        raise WrongCall("Say where to (`--to URL`), or `--undo`.")
    project, clock = project_of(asked.project), SystemClock()
    if asked.undo:
        mark = move_back(project, os.environ, asked.store, clock)
        note(f"The store is open again. What has been done in {mark.other} since is there alone.")
        return
    moved = move(project, os.environ, asked.store, asked.to, clock, _tell)
    if asked.json:
        as_json(moved)
        return
    data(f"{sum(moved.carried.rows.values()):,} rows in {len(moved.carried.rows)} tables moved, and compared.")
    note(f"The store is {moved.target} from now on: say so in penstock.yaml (`store:`) or PENSTOCK_STORE.")
    for sentence in moved.left:
        note(sentence)
    note("`penstock db move --undo` with the old address goes back to how things were.")


def _tell(table: str, rows: int) -> None:
    """Say how far it is."""
    if rows > 0 and (rows < 500 or rows % 10_000 == 0):
        note(f"{table}: {rows:,} rows")
    elif rows < 0:
        note(f"{table}: {-rows:,} rows compared")
