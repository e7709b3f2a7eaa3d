"""How are triggers and backfills looked after where a server has them?"""

from __future__ import annotations

import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from penstock.app.manner import manner_of
from penstock.cli import backfills as words
from penstock.cli.backfills import BackfillGiven, OneGiven, spec_of
from penstock.cli.ending import Exit
from penstock.cli.options import instant, near, project_of
from penstock.cli.remote.asking import asked
from penstock.cli.remote.flows import flow_named, micros
from penstock.cli.remote.starting import pushed
from penstock.cli.said import as_json, data, note
from penstock.cli.target import is_file
from penstock.cli.triggers import (
    StatusGiven,
    SwitchGiven,
    TriggersGiven,
    schedule_of,
    tell_dates,
    tell_states,
    tell_triggers,
)
from penstock.client import Client, Span
from penstock.client.shapes.times import BackfillRow, DateRow, TriggerRow
from penstock.model.backfill import Backfill, Item, ItemStatus, Planned, Spec
from penstock.model.flow import Flow
from penstock.services.document import instant as shown
from penstock.services.preview import Firing
from penstock.services.project import flow_of, read_file, read_text
from penstock.store.triggers import Known, State, key_of

LONGEST: Final = 1_000


def list_triggers(url: str, given: dict[str, Any]) -> None:
    """List the triggers of a flow."""
    wanted = msgspec.convert(given, TriggersGiven)
    with asked(url, given) as client:
        flow = _flow(client, wanted, given)
        every = client.triggers.list(namespace=flow.namespace)
        own = {one.id: (one.off_by, one.problem) for one in every if (one.namespace, one.flow) == _name(flow)}
    tell_triggers(flow.triggers, {} if is_file(wanted.target) else own, wants_json=wanted.json)


def next_dates(url: str, given: dict[str, Any]) -> None:
    """Show the dates that a schedule will fire at."""
    wanted = msgspec.convert(given, TriggersGiven)
    after = shown(instant(wanted.after, "--after")) or "" if wanted.after else ""
    with asked(url, given) as client:
        flow = _flow(client, wanted, given)
        name = schedule_of(flow, wanted.trigger).id
        limit = min(wanted.many, LONGEST)
        found = client.triggers.dates(*_name(flow), name, after=after, skipped=wanted.every, limit=limit)
    tell_dates([_firing(one) for one in found], wants_json=wanted.json)


def status(url: str, given: dict[str, Any]) -> None:
    """Show how triggers stand."""
    wanted = msgspec.convert(given, StatusGiven)
    with asked(url, given) as client:
        found = [_state(one) for one in client.triggers.list(namespace=wanted.namespace)]
    tell_states(found, wants_json=wanted.json)


def switch_on(url: str, given: dict[str, Any]) -> None:
    """Switch a trigger on."""
    _switch(url, given, on=True)


def switch_off(url: str, given: dict[str, Any]) -> None:
    """Switch a trigger off."""
    _switch(url, given, on=False)


def backfill(url: str, given: dict[str, Any]) -> int:
    """Run a flow for each date of a span."""
    wanted = msgspec.convert(given, BackfillGiven)
    span = _span(spec_of(wanted))
    with asked(url, given) as client:
        if is_file(wanted.target):
            name = pushed(client, Path(wanted.target), given)
        else:
            name = flow_named(client, wanted.target, given)
        done = client.backfills.start(*name, span, at_once=wanted.at_once, dry_run=wanted.dry)
    if done.backfill is None:
        rows = [Planned(name=one.name, inputs=one.inputs, date=_at(one.date)) for one in done.planned]
        words.tell_planned(rows, f"{done.total} runs of {'.'.join(name)}", wanted)
    elif wanted.json:
        as_json(words.document(*_told(done.backfill)))
    else:
        data(done.backfill.id)
        note(f"{done.total} runs of {'.'.join(name)} are to start, {done.backfill.at_once} at once.")
    return Exit.SUCCESS


def list_backfills(url: str, given: dict[str, Any]) -> None:
    """List backfills, newest first."""
    with asked(url, given) as client:
        found = [_told(one) for one in client.backfills.list()]
    words.tell_list(found, wants_json=given["json"])


def show(url: str, given: dict[str, Any]) -> None:
    """Show how far a backfill is, and its runs."""
    wanted = msgspec.convert(given, OneGiven)
    with asked(url, given) as client:
        found, counts = _told(client.backfills.get(wanted.id))
        listed = client.backfills.runs(wanted.id, status=wanted.status)
        items = [
            Item(
                backfill=found.id,
                number=one.number,
                status=one.status,
                tries=one.tries,
                run=one.run,
                planned=Planned(name=one.name, inputs=one.inputs, date=_at(one.date)),
            )
            for one in islice(listed, wanted.many)
        ]
    words.tell_one(found, counts, items, wants_json=wanted.json)


def pause(url: str, given: dict[str, Any]) -> int:
    """Start no further runs."""
    with asked(url, given) as client:
        return _now(client.backfills.pause(given["id"]))


def resume(url: str, given: dict[str, Any]) -> int:
    """Go on starting runs."""
    with asked(url, given) as client:
        return _now(client.backfills.resume(given["id"], given["at_once"]))


def cancel(url: str, given: dict[str, Any]) -> int:
    """Start no more of its runs."""
    with asked(url, given) as client:
        return _now(client.backfills.cancel(given["id"], kill=given["kill"]))


def retry(url: str, given: dict[str, Any]) -> int:
    """Start anew what failed, or was left."""
    with asked(url, given) as client:
        one = client.backfills.get(given["id"])
        count = client.backfills.retry(one.id)
    what = f"{one.namespace}.{one.flow}"
    note(f"{count} runs of {what} are to start again." if count else "Nothing failed, and nothing was left.")
    return Exit.SUCCESS


def _now(one: BackfillRow) -> int:
    note(f"The backfill of {one.namespace}.{one.flow} is {one.status}.")
    return Exit.SUCCESS


def _switch(url: str, given: dict[str, Any], *, on: bool) -> None:
    wanted = msgspec.convert(given, SwitchGiven)
    with asked(url, given) as client:
        name = flow_named(client, wanted.target, given)
        told = client.triggers.switch(*name, wanted.trigger, on=on)
    note(f"{key_of(*name, told.id)} is {'on' if not told.off_by else 'off'}.")


def _flow(client: Client, wanted: TriggersGiven, given: dict[str, Any]) -> Flow:
    """The flow that is meant: of a file, else of the server, whose text is read here."""
    project = project_of(given.get("project", ""))
    manner = manner_of(project, allow_unknown=True)
    if is_file(wanted.target):
        path = near(Path(wanted.target))
        return flow_of(read_file(path, manner), path)
    namespace, flow_id = flow_named(client, wanted.target, given)
    text = client.flows.source(namespace, flow_id)
    return flow_of(read_text(text, msgspec.structs.replace(manner, namespace=namespace)), Path(f"{flow_id}.yml"))


def _name(flow: Flow) -> tuple[str, str]:
    return flow.namespace, flow.id


def _span(spec: Spec) -> Span:
    return Span(
        begin=shown(spec.begin),
        end=shown(spec.end),
        trigger=spec.trigger,
        every=spec.every,
        timezone=spec.timezone,
        sets=spec.sets,
        inputs=spec.inputs,
        labels=spec.labels,
        newest_first=spec.newest_first,
        only_missing=spec.only_missing,
    )


def _told(one: BackfillRow) -> tuple[Backfill, dict[ItemStatus, int]]:
    """A backfill of a server as commands tell them; what it was asked for is not told by servers."""
    made = Backfill(
        id=one.id,
        namespace=one.namespace,
        flow=one.flow,
        revision=one.revision,
        status=one.status,
        at_once=one.at_once,
        total=one.total,
        created_at=micros(one.created),
        created_by=one.created_by,
        ended_at=_at(one.end),
        spec=Spec(),
    )
    return made, one.progress


def _state(one: TriggerRow) -> State:
    return State(
        key=key_of(one.namespace, one.flow, one.id),
        namespace=one.namespace,
        flow=one.flow,
        id=one.id,
        revision=one.revision,
        kind=one.kind,
        digest="",
        next_at=_at(one.next),
        last_at=_at(one.last),
        holds=one.holds,
        off_by=one.off_by,
        version=one.version,
        known=Known(run=one.run, problem=one.problem, problem_at=_at(one.problem_at)),
    )


def _firing(one: DateRow) -> Firing:
    read = datetime.datetime.fromisoformat
    return Firing(
        date=read(one.date),
        at=read(one.at),
        start=read(one.start),
        end=read(one.end),
        planned=read(one.planned) if one.planned else None,
        skipped=one.skipped,
        variables={"date": one.date},
        inputs=one.inputs,
        labels=one.labels,
    )


def _at(text: str | None) -> int | None:
    return micros(text) if text else None
