"""How do people meddle with runs by hand? Pause, resume, mark, skip: one run, or every run that fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click
import msgspec

from penstock.app import App
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, opened, pairs, places, who
from penstock.cli.said import as_json, data
from penstock.cli.several import chosen, many
from penstock.cli.suggest import run_ids
from penstock.cli.which import run_id
from penstock.model.status import StepStatus
from penstock.services import operate
from penstock.services.document import document
from penstock.services.sweep import sweep

STATUSES: Final = [str(status) for status in operate.MARKS]


class StepGiven(Given, frozen=True, kw_only=True):
    """What a verb about one step of one run was given."""

    run: str
    step: str = ""
    status: str = ""
    reason: str = ""
    inputs: tuple[str, ...] = ()


@click.command(
    "pause", **examples("penstock runs pause last", "penstock runs pause --flow warehouse.phase2 --status running")
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@many
@json_too
@places
def pause(**given: Any) -> int:
    """Pause runs: what runs may end, nothing more begins until they are resumed."""
    return _each(given, lambda app, found: operate.pause(app.core, found, who()))


@click.command(
    "resume",
    **examples(
        "penstock runs resume last                          the one pause that it waits at, or the run itself",
        "penstock runs resume last approve -i ok=true       a pause by its step, with inputs",
    ),
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.argument("step", required=False, default="")
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="A value that the pause asks for.")
@json_too
@places
def resume(**given: Any) -> int:
    """Let go on what is paused: a run that somebody paused, or a pause in its flow."""
    asked = msgspec.convert(given, StepGiven)
    with opened(asked) as app:
        found = run_id(app, asked.run)
        operate.resume(app.core, found, who(), step=asked.step, inputs=pairs(asked.inputs, "-i"))
        return _told(app, [found], asked.json)


@click.command(
    "mark",
    **examples(
        "penstock runs mark last load success    the run goes on behind the step",
        "penstock runs mark last - failed        the ended run itself",
    ),
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.argument("step")
@click.argument("status", type=click.Choice(STATUSES))
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the run.")
@json_too
@places
def mark(**given: Any) -> int:
    """Say how a step ended (`-` for an ended run itself); the run goes on from there."""
    asked = msgspec.convert(given, StepGiven)
    with opened(asked) as app:
        found = run_id(app, asked.run)
        step = "" if asked.step == "-" else asked.step
        operate.mark(app.core, found, who(), StepStatus(asked.status), step=step, reason=asked.reason)
        return _told(app, [found], asked.json)


@click.command("skip", **examples("penstock runs skip last load", "penstock runs skip last 'each[3]/load'"))
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@click.argument("step")
@json_too
@places
def skip(**given: Any) -> int:
    """Skip a step: now when it is under way or has failed, or when its turn comes."""
    asked = msgspec.convert(given, StepGiven)
    with opened(asked) as app:
        found = run_id(app, asked.run)
        operate.skip(app.core, found, who(), asked.step)
        return _told(app, [found], asked.json)


def _each(given: dict[str, Any], act: Callable[[App, str], None]) -> int:
    with chosen(given) as (app, named):
        for found in named:
            act(app, found)
        return _told(app, named, bool(given["json"]))


def _told(app: App, named: list[str], wants_json: bool) -> int:
    sweep(app.core)
    if wants_json:
        as_json([document(app.core, each) for each in named])
    else:
        for each in named:
            data(f"{each}  {document(app.core, each).status}")
    return Exit.SUCCESS
