"""What does `penstock run` do? Reads a flow, starts it, does its work here, shows it, and ends with its status."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from penstock.app import App, open_app
from penstock.cli import following
from penstock.cli.drive import Drive
from penstock.cli.ending import Exit
from penstock.cli.following import Wanted
from penstock.cli.inputs import given_inputs
from penstock.cli.options import (
    Given,
    allow_unknown,
    caller,
    examples,
    instant,
    json_too,
    opened,
    pairs,
    places,
    project_of,
    who,
)
from penstock.cli.remote.aim import served
from penstock.cli.said import tell_problems
from penstock.cli.suggest import targets
from penstock.cli.target import Target, is_file, plan_for
from penstock.cli.trial import Trial, try_one
from penstock.cli.which import run_id
from penstock.errors.project import WrongCall
from penstock.model import ids
from penstock.model.plan import Plan
from penstock.services import runs as verbs
from penstock.services.starting import Start
from penstock.settings.keys import Lineage
from penstock.settings.read import Project


class RunGiven(Given, frozen=True, kw_only=True):
    """What `penstock run` was given."""

    target: str
    revision: int | None = None
    inputs: tuple[str, ...] = ()
    inputs_file: str = ""
    labels: tuple[str, ...] = ()
    priority: int = 0
    logical_date: str = ""
    interval_start: str = ""
    interval_end: str = ""
    key: str = ""
    quiet: bool = False
    wait: bool = True
    allow_unknown: bool = False
    only: str = ""
    origin: str = ""
    lineage: str = ""


@click.command(
    "run",
    **examples(
        "penstock run hello.yml                        a file, wherever it stands",
        "penstock run shop.daily -i day=2016-01-02     a flow of the project or the store",
        "penstock run hello.yml -i note=@note.txt      an input from a file",
        "penstock run hello.yml --json | jq .outputs   the run document, for programs",
        "penstock run daily --logical-date 2016-01-02 --label team=core",
        "penstock run daily.yml --only load --from last   one task as it is now written, with another run's outputs",
    ),
)
@click.argument("target", metavar="FILE|FLOW|ID", shell_complete=targets)
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input; `@path` as value: a file."
)
@click.option("--inputs", "inputs_file", default="", metavar="FILE", help="Inputs from a YAML or JSON file.")
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label of the run.")
@click.option("--priority", type=int, default=0, help="Higher goes first where runs wait for each other.")
@click.option("--logical-date", default="", metavar="INSTANT", help="The date that the run is about.")
@click.option("--interval-start", default="", metavar="INSTANT", help="Where the interval of data begins.")
@click.option("--interval-end", default="", metavar="INSTANT", help="Where it ends.")
@click.option("--key", default="", help="A key of your own: the same key again is the same run.")
@click.option("--revision", type=int, default=None, help="A revision of the store instead of the newest text.")
@click.option("--no-wait", "wait", flag_value=False, default=True, help="Only start it; a standing worker does it.")
@click.option("--only", default="", metavar="TASK", help="Try this task alone; nothing of it is kept. Not by a server.")
@click.option(
    "--from", "origin", default="", metavar="RUN", help="With --only: the run whose outputs and inputs it finds."
)
@click.option(
    "--lineage",
    default="",
    metavar="FILE",
    help="Append what data it reads and writes to a file, as OpenLineage's events. Not by a server.",
)
@allow_unknown
@click.option("-q", "--quiet", is_flag=True, help="Show nothing while it goes.")
@json_too
@places
@served("penstock.cli.remote.starting:run")
def run(**given: Any) -> int:
    """Run a flow here and now, live, with its history kept.

    Give a file, or the name of a flow of the project or the store. No server is needed: this process does the work.
    If it is killed, the next `penstock run` or `penstock worker` goes on with the run; so does `penstock run ID`.

    The outputs of the flow go to stdout, all else to stderr. Ctrl-C kills the run; twice ends its tasks at once.
    """
    asked = msgspec.convert(given, RunGiven)
    if asked.origin and not asked.only:
        raise WrongCall("`--from` needs the task that is to be tried.", hint="Example: --only load --from last")
    if ids.RUN_ID.fullmatch(asked.target) and not Path(asked.target).exists():
        return _go_on(asked)
    file = Path(asked.target) if is_file(asked.target) else None
    project = _wanting(project_of(asked.project, file), asked)
    with open_app(project, os.environ, store=asked.store, actor=caller()) as app:
        if asked.only:
            return _try(app, file, asked)
        plan, problems = plan_for(app, Target(asked.target, file, asked.revision, asked.allow_unknown), who())
        if not asked.quiet:
            tell_problems(problems)
        if not asked.wait:
            return _only_start(app, plan, asked)
        return _do(app, plan, asked)


def _wanting(project: Project, asked: RunGiven) -> Project:
    """The project; its tasks tell of data where that is wanted of this run."""
    if not asked.lineage or project.settings.lineage is not None:
        return project
    return replace(project, settings=replace(project.settings, lineage=Lineage()))


def _try(app: App, file: Path | None, asked: RunGiven) -> int:
    origin = run_id(app, asked.origin) if asked.origin else ""
    inputs: dict[str, object] = dict(pairs(asked.inputs, "-i"))
    trial = Trial(target=asked.target, file=file, task=asked.only, run=origin, inputs=inputs)
    return try_one(app, trial, Wanted(json=asked.json, quiet=asked.quiet))


def _go_on(asked: RunGiven) -> int:
    """Do what is left of a run whose process is gone; one that has ended is only told."""
    wanted = Wanted(json=asked.json, quiet=asked.quiet)
    with opened(asked) as app:
        found = run_id(app, asked.target)
        drive = Drive(app, following.show_for(app, wanted))
        try:
            drive.start()
            return following.follow(app, drive, found, wanted)
        finally:
            drive.close()


def _do(app: App, plan: Plan, asked: RunGiven) -> int:
    wanted = Wanted(json=asked.json, quiet=asked.quiet, lineage=asked.lineage)
    drive = Drive(app, following.show_for(app, wanted))
    try:
        drive.start()
        run_id = verbs.start(app.core, plan, start_of(app, plan, asked, drive.id))
        return following.follow(app, drive, run_id, wanted)
    finally:
        drive.close()


def _only_start(app: App, plan: Plan, asked: RunGiven) -> int:
    run_id = verbs.start(app.core, plan, start_of(app, plan, asked, ""))
    following.tell_started(app, run_id, Wanted(json=asked.json, quiet=asked.quiet))
    return Exit.SUCCESS


def start_of(app: App, plan: Plan, asked: RunGiven, owner: str) -> Start:
    """What the verb wants, from what was typed."""
    dates = {
        "logical_date": (asked.logical_date, "--logical-date"),
        "interval_start": (asked.interval_start, "--interval-start"),
        "interval_end": (asked.interval_end, "--interval-end"),
    }
    read: dict[str, Any] = {name: instant(text, option) for name, (text, option) in dates.items() if text}
    return Start(
        inputs=given_inputs(app, plan.flow, pairs(asked.inputs, "-i"), asked.inputs_file),
        labels=pairs(asked.labels, "--label"),
        priority=asked.priority,
        key=asked.key,
        owner=owner,
        by=who(),
        **read,
    )
