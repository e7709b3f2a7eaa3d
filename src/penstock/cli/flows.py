"""What is in the store that can be run? Flows and their revisions: listed, shown, pushed."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app import open_app
from penstock.app.manner import manner_of
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import (
    Given,
    allow_unknown,
    caller,
    examples,
    json_too,
    near,
    opened,
    places,
    project_of,
    who,
)
from penstock.cli.said import as_json, data, note, table, tell_problems
from penstock.cli.suggest import flow_names
from penstock.cli.target import address
from penstock.errors.project import NoSuchFile
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.services import flows as verbs
from penstock.services.document import instant
from penstock.services.project import flow_files, invalid, read_all
from penstock.store import flows as kept

VERBS: Final = {
    "list": ("penstock.cli.flows:list_flows", "List the flows of the store."),
    "show": ("penstock.cli.flows:show", "Show one flow: its text, inputs and revisions."),
    "push": ("penstock.cli.flows:push", "Put flows of files into the store."),
    "fmt": ("penstock.cli.rewrite:fmt", "Put the words of flow files in order."),
    "migrate": ("penstock.cli.rewrite:migrate_flows", "Rewrite flows of older versions of Kestra's language."),
    "schema": ("penstock.cli.schema:schema", "Give the JSON Schema of flows, for editors."),
}

flows = LazyGroup(
    name="flows",
    lazy=VERBS,
    help="List, show and push the flows of the store; put files in order, rewrite older ones.",
    no_args_is_help=True,
    **examples("penstock flows push", "penstock flows list", "penstock flows show shop.daily --source"),
)


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """One flow, as `flows push --json` tells it."""

    namespace: str
    flow: str
    revision: int
    changed: bool
    file: str


class FlowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One flow, as `flows show --json` tells it."""

    namespace: str
    flow: str
    revision: int
    dialect: str
    changed: str
    by: str
    source: str
    model: Flow
    revisions: list[int]


@click.command("list", **examples("penstock flows list", "penstock flows list --namespace shop --json"))
@click.option("--namespace", default="", help="In this namespace or below it.")
@json_too
@places
def list_flows(**given: Any) -> None:
    """List the flows of the store."""
    namespace = given.pop("namespace")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        found = app.core.store.read(lambda tx: kept.list_flows(tx, namespace))
        if asked.json:
            as_json(
                [
                    {"namespace": f.namespace, "flow": f.id, "revision": f.revision, "changed": instant(f.changed_at)}
                    for f in found
                ]
            )
        elif found:
            rows = [(f"{flow.namespace}.{flow.id}", str(flow.revision), _local(flow.changed_at)) for flow in found]
            data(table(("FLOW", "REVISION", "CHANGED"), rows))
        else:
            note("The store has no flows yet: `penstock flows push` puts those of the project there.")


@click.command(
    "show", **examples("penstock flows show shop.daily", "penstock flows show daily --revision 3 --source > old.yml")
)
@click.argument("flow", metavar="FLOW", shell_complete=flow_names)
@click.option("--revision", type=int, default=None, help="This revision instead of the newest.")
@click.option("--source", is_flag=True, help="The text alone.")
@json_too
@places
def show(**given: Any) -> None:
    """Show one flow: its text, inputs and revisions."""
    name, number, source = given.pop("flow"), given.pop("revision"), given.pop("source")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        namespace, flow_id = address(app, name)
        every = app.core.store.read(lambda tx: kept.revisions(tx, namespace, flow_id))
        found = next((one for one in every if number in (None, one.revision)), None)
        if found is None:
            raise UnknownFlow(
                f"The flow {namespace}.{flow_id} has no revision {number}.",
                hint=f"It has: {', '.join(str(one.revision) for one in every)}.",
            )
        if asked.json:
            as_json(_document(found, every))
        elif source:
            click.echo(found.source, nl=not found.source.endswith("\n"))
        else:
            data("\n".join(_page(found, every)))


@click.command(
    "push",
    **examples("penstock flows push                the flows of the project", "penstock flows push flows/daily.yml"),
)
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
@allow_unknown
@json_too
@places
def push(**given: Any) -> None:
    """Put flows of files into the store: all of them, or none when one has an error."""
    named = [Path(path) for path in given.pop("paths")]
    unknown = given.pop("allow_unknown")
    asked = msgspec.convert(given, Given)
    project = project_of(asked.project, named[0] if named and named[0].exists() else None)
    for path in named:
        if not path.exists():
            raise NoSuchFile(f"There is no file or folder {path}.")
    files = [near(path) for path in flow_files(named or project.flow_places)]
    if not files:
        raise NoSuchFile(f"There are no flows in {', '.join(map(str, named or project.flow_places))}.")
    found = read_all(files, manner_of(project, allow_unknown=unknown))
    if any(each.reading.flow is None for each in found):
        raise invalid([each for each in found if each.reading.problems])
    with open_app(project, os.environ, store=asked.store, actor=caller()) as app:
        before = {(flow.namespace, flow.id): flow.revision for flow in app.core.store.read(kept.list_flows)}
        pushed = []
        for each in found:
            tell_problems(each.reading.problems)
            flow = each.reading.flow
            assert flow is not None
            plan = verbs.push(app.core, flow, each.reading.source, each.reading.digest, who())
            changed = before.get((flow.namespace, flow.id)) != plan.flow.revision
            pushed.append(
                Pushed(
                    namespace=flow.namespace,
                    flow=flow.id,
                    revision=plan.flow.revision,
                    changed=changed,
                    file=str(each.path),
                )
            )
        if asked.json:
            as_json(pushed)
        else:
            for one in pushed:
                data(f"{one.namespace}.{one.flow}  revision {one.revision}{'' if one.changed else '  (unchanged)'}")


def _document(found: kept.Revision, every: list[kept.Revision]) -> FlowDocument:
    return FlowDocument(
        namespace=found.namespace,
        flow=found.id,
        revision=found.revision,
        dialect=found.dialect,
        changed=instant(found.created_at) or "",
        by=found.created_by,
        source=found.source,
        model=found.flow(),
        revisions=[one.revision for one in every],
    )


def _page(found: kept.Revision, every: list[kept.Revision]) -> list[str]:
    flow = found.flow()
    lines = [f"{flow.name}  revision {found.revision} of {_local(found.created_at)} by {found.created_by or 'nobody'}"]
    if flow.description:
        lines += ["", *flow.description.strip().splitlines()]
    if flow.inputs:
        lines += ["", "inputs"]
        for declared in flow.inputs:
            default = f" = {declared.default}" if declared.has_default else "" if declared.required else " (optional)"
            lines.append(f"  {declared.id}: {declared.type}{default}  {declared.description}".rstrip())
    if len(every) > 1:
        lines += ["", "revisions"]
        lines += [f"  {one.revision:>4}  {_local(one.created_at)}  {one.created_by}" for one in every[:20]]
    return [*lines, "", found.source.rstrip()]


def _local(micros: int) -> str:
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
