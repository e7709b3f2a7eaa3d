"""How do people end runs, or let them go on? Kill, restart, replay; what starts something does its work here, live."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

import click
import msgspec

from penstock.app import App
from penstock.cli import following
from penstock.cli.drive import Drive
from penstock.cli.ending import Exit
from penstock.cli.following import Wanted
from penstock.cli.inputs import given_inputs
from penstock.cli.options import Given, examples, json_too, pairs, places, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note
from penstock.cli.several import ACTIVE, chosen, each_of, many
from penstock.cli.suggest import run_ids
from penstock.errors.project import WrongCall
from penstock.errors.run import NothingToRestart
from penstock.model.status import RunStatus
from penstock.services import runs as verbs
from penstock.services.document import document
from penstock.services.operate import restart_parts
from penstock.services.starting import Start
from penstock.services.sweep import sweep
from penstock.store import runs

PATIENCE: Final = 15.0


class AgainGiven(Given, frozen=True, kw_only=True):
    """What replay was given besides which runs."""

    run: tuple[str, ...] = ()
    step: str = ""
    alone: bool = False
    inputs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    quiet: bool = False
    wait: bool = True


class RestartGiven(Given, frozen=True, kw_only=True):
    """What restart was given besides which runs."""

    run: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    quiet: bool = False
    wait: bool = True


class KillGiven(Given, frozen=True, kw_only=True):
    """What kill was given besides which runs."""

    force: bool = False
    wait: bool = True


@click.command(
    "kill",
    **examples(
        "penstock runs kill last",
        "penstock runs kill --force 01m7y2w5c5aqtb9975bds3hjzz",
        "penstock runs kill --flow warehouse.phase2 --status queued",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@many
@click.option("--force", is_flag=True, help="Give the tasks no time to end.")
@click.option("--no-wait", "wait", flag_value=False, default=True, help="Do not wait until they have ended.")
@json_too
@places
@served("penstock.cli.remote.verbs:kill")
def kill(**given: Any) -> int:
    """End runs, and the runs that they started: their tasks get their grace, or none."""
    with chosen(given, *ACTIVE, RunStatus.KILLING) as (app, named):
        asked = msgspec.convert(given, KillGiven)
        over_before = [each for each in named if _ended(app, each)]
        for each in named:
            verbs.kill(app.core, each, who(), force=asked.force)
        # what a dead worker held would wait for another one
        sweep(app.core)
        over = _wait_for(app, named) if asked.wait else False
        if asked.json:
            as_json([document(app.core, each) for each in named])
        else:
            for each in named:
                data(f"{each}  {document(app.core, each).status}")
        if over_before:
            note(f"Had ended before: {', '.join(over_before)}. What they started is ended, too.")
        if asked.wait and not over:
            note("Not all have ended yet: their workers give the tasks their grace. `--force` gives none.")
    return Exit.SUCCESS


@click.command(
    "restart",
    **examples(
        "penstock runs restart last",
        "penstock runs restart last --no-wait                      a standing worker does it",
        "penstock runs restart last --only 'dbt#model.orders'      a step that an attempt reported",
        "penstock runs restart --flow shop.load --status failed    all that fit, for standing workers",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@many
@click.option("--only", "parts", multiple=True, metavar="STEP", help="Only this step, which an attempt had reported.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing while it goes.")
@click.option("--no-wait", "wait", flag_value=False, default=True, help="Leave the work to a standing worker.")
@json_too
@places
@served("penstock.cli.remote.verbs:restart")
def restart(**given: Any) -> int:
    """Go on with an ended run from what did not succeed; what succeeded stays, earlier attempts too."""
    with chosen(given, RunStatus.FAILED, RunStatus.KILLED, RunStatus.CANCELLED) as (app, named):
        asked = msgspec.convert(given, RestartGiven)
        wanted = Wanted(json=asked.json, quiet=asked.quiet)
        if asked.wait and len(named) == 1 and asked.run:
            return _go_on(app, named[0], wanted, asked.parts)
        done = each_of(named, lambda found: _restart_for_others(app, found, wanted, asked.parts))
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


@click.command(
    "replay",
    **examples(
        "penstock runs replay last                       all of it once more, as a new run",
        "penstock runs replay last --from load           from one step on; what came before is kept",
        "penstock runs replay last --from 'each[3]' --alone   one value of a loop, and nothing else",
        "penstock runs replay last -i day=2016-01-03     with another input",
        "penstock runs replay --flow shop.load --status failed   all that fit, for standing workers",
    ),
)
@click.argument("run", nargs=-1, metavar="ID|last...", shell_complete=run_ids)
@partial(many, label="--having")
@click.option(
    "--from", "step", default="", metavar="STEP", help="The step to begin with: its key, as `runs show` gives it."
)
@click.option("--alone", is_flag=True, help="Only that step: what came after it is kept, too.")
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input that replaces the old one."
)
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A further label.")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing while it goes.")
@click.option("--no-wait", "wait", flag_value=False, default=True, help="Leave the work to a standing worker.")
@json_too
@places
@served("penstock.cli.remote.verbs:replay")
def replay(**given: Any) -> int:
    """Start a new run like an old one, anew or from one of its steps on."""
    with chosen(given) as (app, named):
        asked = msgspec.convert(given, AgainGiven)
        wanted = Wanted(json=asked.json, quiet=asked.quiet)
        if asked.wait and len(named) == 1 and asked.run:
            return _replay_here(app, named[0], asked, wanted)

        def begin(old: str) -> None:
            following.tell_started(app, _replay(app, old, asked, ""), wanted)

        done = each_of(named, begin)
        return Exit.SUCCESS if done == named else Exit.WRONG_CALL


def _replay_here(app: App, old: str, asked: AgainGiven, wanted: Wanted) -> int:
    drive = Drive(app, following.show_for(app, wanted))
    try:
        drive.start()
        return following.follow(app, drive, _replay(app, old, asked, drive.id), wanted)
    finally:
        drive.close()


def _replay(app: App, old: str, asked: AgainGiven, owner: str) -> str:
    if asked.alone and not asked.step:
        raise WrongCall("`--alone` needs the step that is to be done again.", hint="Example: --from 'each[3]' --alone")
    started = _start(app, old, asked, owner)
    return verbs.replay(app.core, old, who(), from_step=asked.step, asked=started, alone=asked.alone)


def _start(app: App, old: str, asked: AgainGiven, owner: str) -> Start:
    run = app.core.store.read(lambda tx: runs.load(tx, old))
    assert run is not None
    plan = app.core.plan(run.namespace, run.flow, run.revision)
    inputs = given_inputs(app, plan.flow, pairs(asked.inputs, "-i"), "")
    return Start(inputs=inputs, labels=pairs(asked.labels, "--label"), owner=owner, by=who())


def _go_on(app: App, found: str, wanted: Wanted, parts: tuple[str, ...]) -> int:
    drive = Drive(app, following.show_for(app, wanted))
    try:
        drive.start()
        try:
            _restart(app, found, parts)
        except NothingToRestart as refused:
            raise _told_better(app, found, refused) from None
        return following.follow(app, drive, found, wanted)
    finally:
        drive.close()


def _restart_for_others(app: App, found: str, wanted: Wanted, parts: tuple[str, ...]) -> None:
    try:
        _restart(app, found, parts)
    except NothingToRestart as refused:
        raise _told_better(app, found, refused) from None
    following.tell_started(app, found, wanted)


def _restart(app: App, found: str, parts: tuple[str, ...]) -> None:
    if parts:
        restart_parts(app.core, found, who(), list(parts))
    else:
        verbs.restart(app.core, found, who())


def _told_better(app: App, found: str, refused: NothingToRestart) -> NothingToRestart:
    """A run that has not ended is no case for a restart: say what is."""
    run = app.core.store.read(lambda tx: runs.load(tx, found))
    if run is None or run.status.ended:
        return refused
    return NothingToRestart(refused.sentence, hint=f"`penstock run {found}` goes on with it here; `runs kill` ends it.")


def _wait_for(app: App, named: list[str]) -> bool:
    until = time.monotonic() + PATIENCE + app.core.knobs.grace / 1e6
    while time.monotonic() < until:
        left = [each for each in named if not _ended(app, each)]
        if not left:
            return True
        time.sleep(0.05)
        sweep(app.core)
    return False


def _ended(app: App, found: str) -> bool:
    run = app.core.store.read(lambda tx: runs.load(tx, found))
    return run is None or run.status.ended
