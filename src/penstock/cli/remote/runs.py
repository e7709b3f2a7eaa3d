"""How are runs listed, shown, read and explained where a server has them?"""

from __future__ import annotations

import datetime
from itertools import islice
from typing import Any

import msgspec

from penstock.cli.history import ListGiven, tell_list, tell_run, when
from penstock.cli.lineage import LineageGiven, tell_lineage, wanted_of
from penstock.cli.logs import LogsGiven, write
from penstock.cli.options import instant, pairs
from penstock.cli.remote.asking import asked
from penstock.cli.remote.flows import micros
from penstock.cli.remote.which import run_named
from penstock.cli.said import as_json
from penstock.cli.telling import tell_story
from penstock.cli.waiting import tell_reasons
from penstock.client import Client, Which
from penstock.client.shapes.parts import LogRow
from penstock.client.shapes.runs import RunRow
from penstock.model.status import RunStatus
from penstock.services.document import RunDocument
from penstock.services.explain import Story
from penstock.services.watch import LogLine
from penstock.services.why import Reason
from penstock.store.chunks import Level, Stream

PAGE = 1_000


def list_runs(url: str, given: dict[str, Any]) -> None:
    """List runs, newest first."""
    wanted = msgspec.convert(given, ListGiven)
    namespace, _, flow = wanted.flow.rpartition(".")
    pairs(wanted.labels, "--label")
    until = _instant(wanted.until, "--until")
    with asked(url, given) as client:
        if wanted.before:
            # ids go with time: those of the same millisecond are left out below
            made = micros(client.runs.get(wanted.before).created) + 1_000
            until = min(until or made, made)
        which = Which(
            namespace=wanted.namespace or namespace,
            flow=flow,
            status=tuple(RunStatus(status) for status in wanted.statuses),
            label=wanted.labels,
            since=_said(_instant(wanted.since, "--since")),
            until=_said(until),
            text=wanted.text,
        )
        listed = client.runs.list(which, limit=min(wanted.limit + 1, PAGE))
        older = (run for run in listed if not wanted.before or run.id < wanted.before)
        found = list(islice(older, wanted.limit))
        if wanted.json:
            as_json([_summary(client, run.id) for run in found])
        else:
            tell_list([_row(run) for run in found], wanted.limit)


def show(url: str, given: dict[str, Any]) -> None:
    """Show one run: its steps, attempts, inputs, outputs and numbers."""
    with asked(url, given) as client:
        run = run_named(client, given["run"])
        told, recorded = document(client, run), () if given["json"] else client.runs.metrics(run)
    tell_run(told, recorded, wants_json=given["json"])


def logs(url: str, given: dict[str, Any]) -> None:
    """Print what a run's tasks said."""
    wanted = msgspec.convert(given, LogsGiven)
    level = wanted.level or ""
    with asked(url, given) as client:
        run = run_named(client, wanted.run)
        if wanted.follow:
            heard = client.runs.follow(run, level=level, step=wanted.step or "")
            write((line_of(each) for each in heard if isinstance(each, LogRow)), wanted)
        else:
            found = client.runs.logs(run, step=wanted.step, attempt=wanted.attempt, level=level)
            write((line_of(each) for each in found), wanted)


def why(url: str, given: dict[str, Any]) -> None:
    """Tell what a run, or one of its steps, waits for."""
    with asked(url, given) as client:
        run = run_named(client, given["run"])
        found = msgspec.convert(client.runs.why(run, given["step"]), tuple[Reason, ...], from_attributes=True)
        tell_reasons(found, client.runs.get(run).status, wants_json=given["json"])


def explain(url: str, given: dict[str, Any]) -> int:
    """Tell why a run went as it went."""
    with asked(url, given) as client:
        told = client.runs.explain(run_named(client, given["run"]), given["step"])
    return tell_story(msgspec.convert(told, Story, from_attributes=True), wants_json=given["json"])


def lineage(url: str, given: dict[str, Any]) -> int:
    """Tell which tasks read and write which data."""
    wanted = msgspec.convert(given, LineageGiven)
    flows = wanted_of(wanted)
    with asked(url, given) as client:
        run = run_named(client, wanted.run) if wanted.run else ""
        found = client.runs.lineage(run, namespace=flows.namespace, flow=flows.flow)
    return tell_lineage(found, wanted)


def document(client: Client, run: str) -> RunDocument:
    """One run of a server, as commands tell runs."""
    return msgspec.convert(client.runs.document(run), RunDocument, from_attributes=True)


def line_of(row: LogRow) -> LogLine:
    """A line of a server's, as commands tell lines."""
    level = Level[row.level.upper()] if row.level else Level.NONE
    return LogLine(micros(row.at), row.step, row.attempt, Stream[row.stream.upper()], level, row.text)


def _summary(client: Client, run: str) -> RunDocument:
    """A run without its steps, as lists give it to programs: a call for each."""
    told = client.runs.get(run)
    known = {name: getattr(told, name) for name in RunDocument.__struct_fields__ if name not in ("steps", "children")}
    return msgspec.convert(msgspec.to_builtins(known) | {"steps": [], "children": []}, RunDocument)


def _row(run: RunRow) -> tuple[str, ...]:
    began = micros(run.start or run.created)
    # in full, where instants are told to the millisecond
    took = None if run.duration is None else round(run.duration * 1e6)
    ended = round(datetime.datetime.now(datetime.UTC).timestamp() * 1e6) if took is None else began + took
    return run.id, f"{run.namespace}.{run.flow}", run.status.value, *when(began, ended), run.started_by


def _instant(text: str, option: str) -> int | None:
    return instant(text, option) if text else None


def _said(at: int | None) -> str | None:
    return None if at is None else datetime.datetime.fromtimestamp(at / 1e6, datetime.UTC).isoformat()
