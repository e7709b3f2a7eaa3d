"""What does `penstock run` do with a server? Pushes a file's flow there, starts it there, and follows it here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from penstock.cli.ending import Exit
from penstock.cli.following import Wanted as Told
from penstock.cli.inputs import read_inputs
from penstock.cli.options import instant, near, pairs, project_of
from penstock.cli.push import texts_of
from penstock.cli.remote.asking import asked, refuse
from penstock.cli.remote.flows import as_said, flow_named, planned
from penstock.cli.remote.showing import follow, tell_started
from penstock.cli.remote.which import run_named
from penstock.cli.run import RunGiven
from penstock.cli.said import tell_problems
from penstock.cli.target import is_file
from penstock.client import Client, Wanted
from penstock.errors.project import WrongCall
from penstock.model import ids
from penstock.services.document import instant as shown


def run(url: str, given: dict[str, Any]) -> int:
    """Run a flow on a server, and follow it; of a file what it says is pushed first."""
    refuse(given, "only", "allow_unknown", "lineage")
    wanted = msgspec.convert(given, RunGiven)
    told = Told(json=wanted.json, quiet=wanted.quiet)
    with asked(url, given) as client:
        if ids.RUN_ID.fullmatch(wanted.target) and not Path(wanted.target).exists():
            return follow(client, run_named(client, wanted.target), told)
        if is_file(wanted.target):
            name = pushed(client, Path(wanted.target), given)
        else:
            name = flow_named(client, wanted.target, given)
        inputs = inputs_for(client, name, pairs(wanted.inputs, "-i"), wanted.inputs_file, wanted.revision)
        made = client.runs.start(*name, inputs, wanted=_wanted(wanted), key=wanted.key)
        if wanted.wait:
            return follow(client, made.id, told)
        tell_started(client, made.id, told)
    return Exit.SUCCESS


def inputs_for(
    client: Client, name: tuple[str, str], typed: dict[str, str], file: str, revision: int | None = None
) -> dict[str, object]:
    """Inputs as they were typed, for a flow of a server; local files are uploaded to it."""
    kinds = {each.id: each.type for each in client.flows.get(*name, revision).inputs} if typed or file else {}
    return read_inputs(kinds, typed, file, lambda path: client.upload(path).uri)


def pushed(client: Client, file: Path, given: dict[str, Any]) -> tuple[str, str]:
    """The flow of a file, pushed. Raises WrongCall for a file with several."""
    path = near(file)
    done = client.flows.push(texts_of([path]), project=as_said(project_of(given.get("project", ""), path)))
    if not given.get("quiet"):
        tell_problems(planned(done).problems)
    flows = [each for each in done.flows if each.file]
    if len(flows) != 1:
        raise WrongCall(f"{path} holds {len(flows)} flows.", hint="They are pushed: name one of them.")
    return flows[0].namespace, flows[0].flow


def _wanted(wanted: RunGiven) -> Wanted:
    return Wanted(
        labels=pairs(wanted.labels, "--label"),
        revision=wanted.revision,
        priority=wanted.priority,
        logical_date=_date(wanted.logical_date, "--logical-date"),
        interval_start=_date(wanted.interval_start, "--interval-start"),
        interval_end=_date(wanted.interval_end, "--interval-end"),
    )


def _date(text: str, option: str) -> str | None:
    return shown(instant(text, option)) if text else None
