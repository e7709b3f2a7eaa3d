"""How is a namespace, or all of it, kept still for a while? No run begins there; what has begun ends, or is killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.services import maintenance as verbs
from penstock.services.document import instant
from penstock.store.maintenance import Held

VERBS: Final = {
    "on": ("penstock.cli.maintenance:begin", "Let no run begin, in a namespace or anywhere."),
    "off": ("penstock.cli.maintenance:end", "Let runs begin again."),
    "show": ("penstock.cli.maintenance:show", "Show what is in maintenance."),
}
EVERYWHERE: Final = "everywhere"

maintenance = LazyGroup(
    name="maintenance",
    lazy=VERBS,
    help="Keep a namespace, or all of it, still for a while: no run begins; what would waits.",
    no_args_is_help=True,
    **examples("penstock maintenance on shop.daily", "penstock maintenance on --kill", "penstock maintenance off"),
)


class MaintenanceGiven(Given, frozen=True, kw_only=True):
    """What the verbs about maintenance were given."""

    namespace: str = ""
    reason: str = ""
    kill: bool = False
    force: bool = False


@click.command(
    "on",
    **examples(
        "penstock maintenance on                                 everywhere",
        "penstock maintenance on shop --reason 'new warehouse'   in shop and below it",
        "penstock maintenance on --kill                          and kill what has begun",
    ),
)
@click.argument("namespace", default="")
@click.option("--reason", default="", help="Why; whoever asks why a run waits is told.")
@click.option("--kill", is_flag=True, help="Kill the runs that have begun, instead of letting them end.")
@click.option("--force", is_flag=True, help="With `--kill`: at once, without their grace.")
@places
@served("penstock.cli.remote.kept:begin_maintenance")
def begin(**given: Any) -> int:
    """Let no run begin in a namespace and those below it, or anywhere.

    Runs may still be started, by people and schedules alike: they wait, and begin when maintenance is over.
    """
    asked = msgspec.convert(given, MaintenanceGiven)
    with opened(asked, make=True) as app:
        killed = verbs.begin(app.core, asked.namespace, who(), reason=asked.reason, kill=asked.kill, force=asked.force)
    return tell_begun(asked, len(killed))


def tell_begun(asked: MaintenanceGiven, killed: int) -> int:
    """Tell what is in maintenance now, and how many runs that has killed."""
    note(f"In maintenance: {asked.namespace or EVERYWHERE}.")
    if asked.kill:
        note(f"Killed: {killed} runs.")
    return Exit.SUCCESS


@click.command("off", **examples("penstock maintenance off", "penstock maintenance off shop"))
@click.argument("namespace", default="")
@places
@served("penstock.cli.remote.kept:end_maintenance")
def end(**given: Any) -> int:
    """Let runs begin again; those come first that have waited."""
    asked = msgspec.convert(given, MaintenanceGiven)
    with opened(asked) as app:
        was = verbs.end(app.core, asked.namespace)
        held, _ = verbs.every(app.core)
    return tell_over(asked, [each.namespace for each in held], was=was)


def tell_over(asked: MaintenanceGiven, held: Sequence[str], *, was: bool) -> int:
    """Tell that maintenance is over, and where it is not."""
    note(f"No more in maintenance: {asked.namespace or EVERYWHERE}." if was else "That was not in maintenance.")
    for each in held:
        note(f"Still in maintenance: {each or EVERYWHERE}.")
    return Exit.SUCCESS if was else Exit.WRONG_CALL


@click.command("show", **examples("penstock maintenance show", "penstock maintenance show --json"))
@json_too
@places
@served("penstock.cli.remote.kept:show_maintenance")
def show(**given: Any) -> None:
    """Show what is in maintenance, since when, by whom and why, and how many runs wait for its end."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        held, waiting = verbs.every(app.core)
    tell_held(held, waiting, wants_json=asked.json)


def tell_held(held: Sequence[Held], waiting: int, *, wants_json: bool) -> None:
    """Tell what is in maintenance, and how many runs wait."""
    if wants_json:
        as_json({"held": held, "waiting": waiting})
        return
    if held:
        rows = [(each.namespace or EVERYWHERE, instant(each.since) or "", each.by, each.reason) for each in held]
        data(table(("NAMESPACE", "SINCE", "BY", "REASON"), rows))
    else:
        note("Nothing is in maintenance.")
    if waiting:
        note(f"Runs that wait for its end: {waiting}.")
