"""What is in the store that can be run? Flows and their revisions: listed and shown."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.cli.suggest import flow_names
from penstock.cli.target import address
from penstock.errors.run import UnknownFlow
from penstock.model.flow import Flow
from penstock.services.document import instant
from penstock.store import flows as kept

VERBS: Final = {
    "list": ("penstock.cli.flows:list_flows", "List the flows of the store."),
    "show": ("penstock.cli.flows:show", "Show one flow: its text, inputs and revisions."),
    "push": ("penstock.cli.push:push", "Put flows of files into the store, or to a server."),
    "plan": ("penstock.cli.push:plan", "Show what a push would change: flows, triggers, next dates."),
    "pull": ("penstock.cli.push:pull", "Write the newest texts of flows to files."),
    "delete": ("penstock.cli.push:delete", "Let a flow start no more runs."),
    "fmt": ("penstock.cli.rewrite:fmt", "Put the words of flow files in order."),
    "migrate": ("penstock.cli.rewrite:migrate_flows", "Rewrite flows of older versions of Kestra's language."),
    "schema": ("penstock.cli.schema:schema", "Give the JSON Schema of flows, for editors."),
}

flows = LazyGroup(
    name="flows",
    lazy=VERBS,
    help="List, show and push the flows of the store, pull and delete them; put files in order, rewrite older ones.",
    no_args_is_help=True,
    **examples("penstock flows push", "penstock flows list", "penstock flows show shop.daily --source"),
)


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


class Input(msgspec.Struct, frozen=True):
    """An input of a flow as people read it."""

    id: str
    type: str
    description: str
    required: bool
    has_default: bool
    default: object


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What people are shown of a flow, wherever it is: its newest revisions with when and by whom they were made."""

    name: str
    revision: int
    changed: int
    by: str
    description: str
    inputs: list[Input]
    revisions: list[tuple[int, int, str]]
    source: str


@click.command("list", **examples("penstock flows list", "penstock flows list --namespace shop --json"))
@click.option("--namespace", default="", help="In this namespace or below it.")
@json_too
@places
@served("penstock.cli.remote.flows:list_flows")
def list_flows(**given: Any) -> None:
    """List the flows of the store."""
    namespace = given.pop("namespace")
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        tell_list(app.core.store.read(lambda tx: kept.list_flows(tx, namespace)), wants_json=asked.json)


def tell_list(found: Sequence[kept.Listed], *, wants_json: bool) -> None:
    """Tell which flows there are."""
    if wants_json:
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
@served("penstock.cli.remote.flows:show")
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
            tell_source(found.source)
        else:
            data("\n".join(page(_shown(found, every))))


def tell_source(source: str) -> None:
    """Tell a flow's text as it is."""
    click.echo(source, nl=not source.endswith("\n"))


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


def _shown(found: kept.Revision, every: list[kept.Revision]) -> Shown:
    flow = found.flow()
    return Shown(
        name=flow.name,
        revision=found.revision,
        changed=found.created_at,
        by=found.created_by,
        description=flow.description,
        inputs=[Input(i.id, i.type, i.description, i.required, i.has_default, i.default) for i in flow.inputs],
        revisions=[(one.revision, one.created_at, one.created_by) for one in every],
        source=found.source,
    )


def page(shown: Shown) -> list[str]:
    """A flow as people read it, line by line."""
    lines = [f"{shown.name}  revision {shown.revision} of {_local(shown.changed)} by {shown.by or 'nobody'}"]
    if shown.description:
        lines += ["", *shown.description.strip().splitlines()]
    if shown.inputs:
        lines += ["", "inputs"]
        for one in shown.inputs:
            default = f" = {one.default}" if one.has_default else "" if one.required else " (optional)"
            lines.append(f"  {one.id}: {one.type}{default}  {one.description}".rstrip())
    if len(shown.revisions) > 1:
        lines += ["", "revisions"]
        lines += [f"  {number:>4}  {_local(at)}  {by}" for number, at, by in shown.revisions[:20]]
    return [*lines, "", shown.source.rstrip()]


def _local(micros: int) -> str:
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
