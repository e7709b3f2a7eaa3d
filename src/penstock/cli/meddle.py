"""How do people meddle with runs by hand? Pause, resume, mark, skip: one run, or every run that fits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import click
import msgspec

from penstock.app import App
from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, pairs, places, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note
from penstock.cli.several import ACTIVE, chosen, described, each_of, many
from penstock.cli.suggest import run_ids
from penstock.model.status import RunStatus, StepStatus
from penstock.services import operate
from penstock.services.document import document
from penstock.services.sweep import sweep
from penstock.store import workers

STATUSES: Final = [str(status) for status in operate.MARKS]


class ResumeGiven(Given, frozen=True, kw_only=True):
    """What resume was given besides which runs."""

    step: str = ""
    inputs: tuple[str, ...] = ()


@click.command(
    "pause", **examples("penstock runs pause last", "penstock runs pause --flow warehouse.phase2 --status running")
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@many
@json_too
@places
@served("penstock.cli.remote.verbs:pause")
def pause(**given: Any) -> int:
    """Pause runs: what runs may end, nothing more begins until they are resumed."""
    return _each(given, lambda app, found: operate.pause(app.core, found, who()), *ACTIVE)


@click.command(
    "resume",
    **examples(
        "penstock runs resume last                          the one pause that it waits at, or the run itself",
        "penstock runs resume last approve -i ok=true       a pause by its step, with inputs",
        "penstock runs resume --flow shop.daily             every run of the flow that is paused",
        "penstock runs resume --label team=core approve     that step of all that fit",
    ),
)
@click.argument("run", required=False, default="", metavar="[ID|last]", shell_complete=run_ids)
@click.argument("step", required=False, default="")
@many
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="A value that the pause asks for.")
@json_too
@places
@served("penstock.cli.remote.verbs:resume")
def resume(**given: Any) -> int:
    """Let go on what is paused: runs that somebody paused, or a pause in their flow."""
    if described(given) and not given["step"]:
        given |= {"run": "", "step": given["run"]}
    usual = (RunStatus.PAUSED, RunStatus.RUNNING) if given["step"] else (RunStatus.PAUSED,)
    asked = msgspec.convert(given, ResumeGiven)
    values = pairs(asked.inputs, "-i")
    return _each(
        given | {"run": (given["run"],) if given["run"] else ()},
        lambda app, found: operate.resume(app.core, found, who(), step=asked.step, inputs=values),
        *usual,
    )


@click.command(
    "mark",
    **examples(
        "penstock runs mark last load success    the run goes on behind the step",
        "penstock runs mark last - failed        the ended run itself",
        "penstock runs mark --flow shop.daily --status failed load success",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@click.argument("step")
@click.argument("status", metavar="|".join(STATUSES), type=click.Choice(STATUSES))
@partial(many, status="statuses")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with the run.")
@json_too
@places
@served("penstock.cli.remote.verbs:mark")
def mark(**given: Any) -> int:
    """Say how a step ended (`-` for an ended run itself); the run goes on from there."""
    step, status, reason = "" if given["step"] == "-" else given["step"], StepStatus(given["status"]), given["reason"]
    given["status"] = given.pop("statuses")
    return _each(given, lambda app, found: operate.mark(app.core, found, who(), status, step=step, reason=reason))


@click.command(
    "skip",
    **examples(
        "penstock runs skip last load",
        "penstock runs skip last 'each[3]/load'",
        "penstock runs skip --flow shop.daily --status running load",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@click.argument("step")
@many
@json_too
@places
@served("penstock.cli.remote.verbs:skip")
def skip(**given: Any) -> int:
    """Skip a step: now when it is under way or has failed, or when its turn comes."""
    return _each(given, lambda app, found: operate.skip(app.core, found, who(), given["step"]), *ACTIVE)


def _each(given: dict[str, Any], act: Callable[[App, str], object], *usual: RunStatus) -> int:
    with chosen(given, *usual) as (app, named):
        done = each_of(named, lambda found: act(app, found))
        _tell(app, done, bool(given["json"]))
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


def _tell(app: App, named: list[str], wants_json: bool) -> None:
    sweep(app.core)
    told = [document(app.core, each) for each in named]
    if wants_json:
        as_json(told)
    else:
        for each in told:
            data(f"{each.id}  {each.status}")
    goes = [each.id for each in told if each.status in ("queued", "running", "retrying")]
    if goes and not _is_worked_on(app):
        note(f"No worker is at work here: `penstock worker` goes on with it, or `penstock run {goes[0]}`.")


def _is_worked_on(app: App) -> bool:
    silent = app.core.store.lease_now() - app.core.knobs.lease
    known = app.core.store.read(workers.list_workers)
    return any(each.status is workers.WorkerStatus.RUNNING and each.beat_at >= silent for each in known)
