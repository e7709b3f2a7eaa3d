"""How many may use a thing at once, across flows? Pools are sized here and named by tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.services import pools as verbs

VERBS: Final = {
    "list": ("penstock.cli.pools:list_pools", "List pools: their size, what is in use, who waits."),
    "set": ("penstock.cli.pools:set_slots", "Give a pool a size."),
    "delete": ("penstock.cli.pools:delete", "Forget a pool."),
}

pools = LazyGroup(
    name="pools",
    lazy=VERBS,
    help="Say how many slots a pool has; tasks of any flow that name it share them.",
    no_args_is_help=True,
    **examples("penstock pools set warehouse 4", "penstock pools list"),
)


class PoolGiven(Given, frozen=True, kw_only=True):
    """What the verbs about one pool were given."""

    name: str
    slots: int = 0


@click.command("list", **examples("penstock pools list", "penstock pools list --json"))
@json_too
@places
@served("penstock.cli.remote.kept:list_pools")
def list_pools(**given: Any) -> None:
    """List pools: their size, what is in use, who waits."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        found, unknown = verbs.every(app.core)
    rows = [(one.name, str(one.slots), str(one.used), str(one.waiting)) for one in found]
    tell_pools(rows, unknown, found if asked.json else None)


def tell_pools(rows: Sequence[tuple[str, ...]], unknown: Iterable[str], told: object) -> None:
    """Tell pools, and those that are waited for without having a size; or what is `told` of them, as JSON."""
    if told is not None:
        as_json(told)
    elif rows:
        data(table(("POOL", "SLOTS", "IN USE", "WAITING"), rows))
    else:
        note("There are no pools.")
    for name in unknown:
        note(f"Tasks wait for the pool {name}, which has no size: `penstock pools set {name} SLOTS`.")


@click.command("set", **examples("penstock pools set warehouse 4", "penstock pools set warehouse 0   lets nobody in"))
@click.argument("name")
@click.argument("slots", type=click.IntRange(0, 1_000_000))
@places
@served("penstock.cli.remote.kept:set_slots")
def set_slots(**given: Any) -> int:
    """Give a pool a size, new or changed; who is in stays in."""
    asked = msgspec.convert(given, PoolGiven)
    with opened(asked, make=True) as app:
        verbs.set_slots(app.core, asked.name, asked.slots)
    note(f"The pool {asked.name} has {asked.slots} slots.")
    return Exit.SUCCESS


@click.command("delete", **examples("penstock pools delete warehouse"))
@click.argument("name")
@places
@served("penstock.cli.remote.kept:delete_pool")
def delete(**given: Any) -> int:
    """Forget a pool: who wants it waits until it is set again."""
    asked = msgspec.convert(given, PoolGiven)
    with opened(asked) as app:
        if not verbs.delete(app.core, asked.name):
            note(f"There is no pool {asked.name}.")
            return Exit.WRONG_CALL
    note(f"The pool {asked.name} is no more.")
    return Exit.SUCCESS
