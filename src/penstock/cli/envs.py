"""Which Pythons were made for tasks that need packages? They are listed here, and removed when nobody needs them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app.places import locate
from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, places, project_of
from penstock.cli.said import as_json, data, note, table
from penstock.errors.project import WrongCall
from penstock.runners.process.environments import Environments, Kept, root_in
from penstock.sdk.values import Duration, Size

DAY: Final = 86_400
VERBS: Final = {
    "list": ("penstock.cli.envs:list_envs", "List environments: what they hold, their size, when they were used."),
    "prune": ("penstock.cli.envs:prune", "Remove environments that nobody has used for long."),
}

envs = LazyGroup(
    name="envs",
    lazy=VERBS,
    help="List and prune the Pythons that were made for tasks with `dependencies`.",
    no_args_is_help=True,
    **examples("penstock envs list", "penstock envs prune --unused P7D"),
)


class PruneGiven(Given, frozen=True, kw_only=True):
    """What `prune` was given."""

    unused: str
    size: str


@click.command("list", **examples("penstock envs list", "penstock envs list --json"))
@json_too
@places
def list_envs(**given: Any) -> None:
    """List environments: what they hold, their size, when they were used; the one used last first."""
    asked = msgspec.convert(given, Given)
    found = _of(asked).every()
    if asked.json:
        as_json(found)
    elif found:
        data(table(("PYTHON", "MB", "USED", "PACKAGES"), [_row(one) for one in found]))
    else:
        note("There are no environments.")


@click.command("prune", **examples("penstock envs prune", "penstock envs prune --unused P0D   all that are not in use"))
@click.option("--unused", default="P30D", metavar="DURATION", help="Those that nobody has used for so long (P30D).")
@click.option(
    "--size", default="10 GB", metavar="SIZE", help="Then the oldest, until all are at most so large (10 GB)."
)
@json_too
@places
def prune(**given: Any) -> int:
    """Remove environments that nobody has used for long, or that are too much; never one in use."""
    asked = msgspec.convert(given, PruneGiven)
    try:
        oldest, largest = Duration.read(asked.unused).seconds, Size.read(asked.size)
    except ValueError as error:
        raise WrongCall(f"{error}.") from error
    removed = _of(asked).prune(oldest=oldest, largest=largest, young=0 if oldest == 0 else min(oldest, DAY))
    if asked.json:
        as_json(removed)
    else:
        note(f"Removed {len(removed)}: {sum(one.size for one in removed) / 1e6:,.1f} MB.")
    return Exit.SUCCESS


def _of(asked: Given) -> Environments:
    where = locate(project_of(asked.project), os.environ, asked.store)
    return Environments(root_in(Path(where.state)))


def _row(one: Kept) -> tuple[str, ...]:
    days = (time.time() - one.used_at) / DAY
    used = "today" if days < 1 else f"{days:.0f} d ago"
    return (one.python, f"{one.size / 1e6:,.1f}", used, ", ".join(one.requirements) or "none")
