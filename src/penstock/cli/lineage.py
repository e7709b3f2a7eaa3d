"""Where do data come from, and what becomes of them? Told in lines, as JSON, for Graphviz, or as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.options import Given, examples, json_too, opened, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note
from penstock.cli.suggest import run_ids
from penstock.cli.which import run_id
from penstock.errors.project import WrongCall
from penstock.errors.run import UnknownRun
from penstock.model.asset import Access
from penstock.model.lineage import DataGraph
from penstock.services.lineage import told
from penstock.services.lineage.graph import flowing
from penstock.services.lineage.picture import dot, svg
from penstock.store import runs
from penstock.store.runs import Filter

NONE = "Nothing is known of data here: tasks tell of them where penstock.yaml has `lineage`, or with --lineage FILE."


class LineageGiven(Given, frozen=True, kw_only=True):
    """What `lineage` was given."""

    run: str = ""
    flow: str = ""
    namespace: str = ""
    dot: bool = False
    svg: bool = False


@click.command(
    "lineage",
    **examples(
        "penstock lineage                            of all flows, each as its newest run told it",
        "penstock lineage --flow shop.daily --svg > daily.svg",
        "penstock lineage last --json",
    ),
)
@click.argument("run", required=False, default="", metavar="[ID|last]", shell_complete=run_ids)
@click.option("--flow", default="", help="Of this flow: its id, or namespace.id.")
@click.option("--namespace", default="", help="Of the flows in this namespace or below it.")
@click.option("--dot", is_flag=True, help="In the language of Graphviz.")
@click.option("--svg", is_flag=True, help="As a picture.")
@json_too
@places
@served("penstock.cli.remote.runs:lineage")
def lineage(**given: Any) -> int:
    """Tell which tasks read and write which data: of one run, or of flows as the newest of their runs told it.

    A picture shows only what becomes of data: tasks that look at some, or make room for them, are left out.
    """
    asked = msgspec.convert(given, LineageGiven)
    wanted = wanted_of(asked)
    with opened(asked) as app:
        if asked.run:
            found = run_id(app, asked.run)
            run = app.core.store.read(lambda tx: runs.load(tx, found))
            if run is None:
                raise UnknownRun(f"There is no run {found}.")
            return tell_lineage(told.of_run(app.core, run), asked)
        return tell_lineage(told.of_flows(app.core, wanted), asked)


def wanted_of(asked: LineageGiven) -> Filter:
    """Which flows are meant. Raises WrongCall."""
    if asked.run and (asked.flow or asked.namespace):
        raise WrongCall("A run is of one flow: name it, or flows.")
    if asked.json + asked.dot + asked.svg > 1:
        raise WrongCall("`--json`, `--dot` and `--svg` are three ways to tell it; name one.")
    namespace, _, flow = asked.flow.rpartition(".")
    return Filter(namespace=asked.namespace or namespace, flow=flow)


def tell_lineage(graph: DataGraph, asked: LineageGiven) -> int:
    """Tell it in the way that is wanted."""
    if asked.json:
        as_json(graph)
    elif not graph.links:
        note(NONE)
    elif asked.dot:
        data(dot(flowing(graph)).rstrip("\n"))
    elif asked.svg:
        data(svg(flowing(graph), "Where data come from, and what becomes of them").rstrip("\n"))
    else:
        data("\n".join(_lines(graph)))
    return Exit.SUCCESS


def _lines(graph: DataGraph) -> Iterator[str]:
    rows = {(each.namespace, each.name): each.rows for each in graph.data}
    for job in graph.jobs:
        yield job.name
        for link in (each for each in graph.links if each.job == job.name):
            count = rows[link.namespace, link.name]
            does = "reads" if link.access is Access.READS else "makes" if link.defines else "writes"
            yield f"  {does:<7} {link.namespace} {link.name}" + (f"  ({count:,} rows)" if count is not None else "")
