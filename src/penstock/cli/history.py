"""What has run? Lists of runs, and one run with everything that is known of it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from penstock.cli.numbers import Number
from penstock.cli.numbers import told as numbers
from penstock.cli.options import Given, examples, instant, json_too, opened, pairs, places
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, span, table
from penstock.cli.suggest import run_ids
from penstock.cli.tree import tree, written
from penstock.cli.which import run_id
from penstock.model.run import Run
from penstock.model.status import RunStatus
from penstock.services.document import RunDocument, document, summary
from penstock.store import metrics
from penstock.store.runs import Filter
from penstock.store.runs import list_runs as listed

# Steps whose outputs are shown to people.
MOST: Final = 20


class ListGiven(Given, frozen=True, kw_only=True):
    """What `runs list` was given."""

    flow: str = ""
    namespace: str = ""
    statuses: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    text: str = ""
    limit: int = 20
    before: str = ""


@click.command(
    "list",
    **examples(
        "penstock runs list",
        "penstock runs list --flow daily --status failed --since 2016-01-01",
        "penstock runs list --limit 1000 --json | jq -r '.[].id'",
    ),
)
@click.option("--flow", default="", help="Of this flow: its id, or namespace.id.")
@click.option("--namespace", default="", help="In this namespace or below it.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice([status.value for status in RunStatus]),
    help="In this status; several may be given.",
)  # fmt: skip
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="With this label.")
@click.option("--since", default="", metavar="INSTANT", help="Created at this instant or later.")
@click.option("--until", default="", metavar="INSTANT", help="Created before it.")
@click.option("--text", default="", help="With this text in id, flow, namespace or labels.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="At most so many.")
@click.option("--before", default="", metavar="ID", help="Older than this run: the next page.")
@json_too
@places
@served("penstock.cli.remote.runs:list_runs")
def list_runs(**given: Any) -> None:
    """List runs, newest first."""
    asked = msgspec.convert(given, ListGiven)
    namespace, _, flow = asked.flow.rpartition(".")
    wanted = Filter(
        namespace=asked.namespace or namespace,
        flow=flow,
        statuses=tuple(RunStatus(status) for status in asked.statuses),
        labels=pairs(asked.labels, "--label"),
        since=instant(asked.since, "--since") if asked.since else None,
        until=instant(asked.until, "--until") if asked.until else None,
        text=asked.text,
    )
    with opened(asked) as app:
        found = app.core.store.read(lambda tx: listed(tx, wanted, asked.limit, asked.before))
        if asked.json:
            as_json([summary(app.core, run) for run in found])
            return
        now = app.core.clock.now()
        tell_list([_row(run, now) for run in found], asked.limit)


def tell_list(rows: Sequence[tuple[str, ...]], limit: int) -> None:
    """Tell runs, and how to come by older ones."""
    if rows:
        data(table(("ID", "FLOW", "STATUS", "STARTED", "TOOK", "BY"), rows))
    else:
        note("No runs fit.")
    if len(rows) == limit:
        note(f"Older ones: --before {rows[-1][0]}")


def _row(run: Run, now: int) -> tuple[str, ...]:
    began = run.started_at or run.created_at
    name = f"{run.namespace}.{run.flow}"
    return run.id, name, run.status.value, *when(began, run.ended_at or now), run.started_by


def when(began: int, ended: int) -> tuple[str, str]:
    """When something began here, and how long it took."""
    at = datetime.datetime.fromtimestamp(began / 1e6, datetime.UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return at, span((ended - began) / 1e6)


@click.command(
    "show", **examples("penstock runs show last", "penstock runs show 01m7y2w5c5aqtb9975bds3hjzz --json | jq .steps")
)
@click.argument("run", metavar="ID|last", shell_complete=run_ids)
@json_too
@places
@served("penstock.cli.remote.runs:show")
def show(**given: Any) -> None:
    """Show one run: its steps, attempts, inputs, outputs and numbers."""
    asked = msgspec.convert({name: value for name, value in given.items() if name != "run"}, Given)
    with opened(asked) as app:
        found = run_id(app, given["run"])
        recorded = [] if asked.json else app.core.store.read(lambda tx: metrics.every(tx, found))
        tell_run(document(app.core, found), recorded, wants_json=asked.json)


def tell_run(told: RunDocument, recorded: Sequence[Number], *, wants_json: bool) -> None:
    """Tell one run, and what its steps recorded."""
    if wants_json:
        as_json(told)
    else:
        data("\n".join((*_page(told), *numbers(recorded))))


def _page(told: RunDocument) -> list[str]:
    now = None if told.end else datetime.datetime.now(datetime.UTC)
    lines = [written(line) for line in tree(told, now)]
    facts = {
        "revision": str(told.revision),
        "started": f"{told.start or told.created}{f' by {told.started_by}' if told.started_by else ''}",
        "ended": told.end or "",
        "killed by": told.killed_by,
        "gone on with": _again(told),
        "reason": told.reason,
        "error": told.error.message if told.error else "",
        "logical date": told.logical_date or "",
        "goes back to": told.origin or "",
        "retried as": told.successor or "",
        "started by run": told.parent or "",
    }
    lines += ["", *(f"{name:<15} {value}" for name, value in facts.items() if value)]
    for title, values in (("inputs", told.inputs), ("outputs", told.outputs), ("labels", told.labels)):
        shown = {name: value for name, value in values.items() if not name.startswith("system.")}
        if shown:
            lines += ["", title, *(f"  {name} = {_value(value)}" for name, value in shown.items())]
    made = [(step.key, values) for step in told.steps if (values := _worth(step.outputs))]
    for key, values in made[:MOST]:
        lines += ["", f"outputs of {key}", *(f"  {name} = {_value(value)}" for name, value in values.items())]
    if len(made) > MOST:
        lines += ["", f"… and of {len(made) - MOST:,} more steps: --json has them all"]
    return lines


def _again(told: RunDocument) -> str:
    """Who restarted the run, and when; the first line of its history is the start itself."""
    ends = {"success", "warning", "failed", "killed", "cancelled"}
    moves = zip(told.history, told.history[1:], strict=False)
    return ", ".join(f"{now.at} by {now.by}" for before, now in moves if before.status in ends and now.by)


def _worth(outputs: dict[str, object]) -> dict[str, object]:
    """The outputs that say something."""
    return {name: value for name, value in outputs.items() if value not in (None, {}, [])}


def _value(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:197]}…"
