"""How are days filled in from a command line? Seen first, then begun, watched, paused, cancelled and tried again."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from penstock.app import open_app
from penstock.cli.ending import Exit
from penstock.cli.inputs import text_of
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, caller, examples, instant, json_too, opened, pairs, places, project_of, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.cli.target import Target, is_file, plan_for
from penstock.errors.project import WrongCall
from penstock.model.access import EVERYWHERE
from penstock.model.backfill import Backfill, Item, ItemStatus, Planned, Spec
from penstock.services import backfills as verbs
from penstock.services.document import instant as shown
from penstock.services.scheduler import lead

VERBS: Final = {
    "list": ("penstock.cli.backfills:list_backfills", "List backfills, newest first."),
    "show": ("penstock.cli.backfills:show", "Show how far a backfill is, and its runs."),
    "pause": ("penstock.cli.backfills:pause", "Start no further runs for now."),
    "resume": ("penstock.cli.backfills:resume", "Go on starting runs."),
    "cancel": ("penstock.cli.backfills:cancel", "Start no more of its runs."),
    "retry": ("penstock.cli.backfills:retry", "Start anew what failed, or was left."),
}
DAY: Final = 86_400_000_000

backfills = LazyGroup(
    name="backfills",
    lazy=VERBS,
    help="Look after backfills: runs for a span of dates, at most so many at once.",
    no_args_is_help=True,
    **examples("penstock backfill shop.daily --from 2016-01-01 --to 2016-01-31", "penstock backfills list"),
)


class BackfillGiven(Given, frozen=True, kw_only=True):
    """What `penstock backfill` was given."""

    target: str
    begin: str = ""
    end: str = ""
    trigger: str = ""
    every: str = ""
    timezone: str = ""
    inputs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    sets: str = ""
    at_once: int = verbs.AT_ONCE
    newest_first: bool = False
    only_missing: bool = False
    dry: bool = False


class OneGiven(Given, frozen=True, kw_only=True):
    """What the verbs about one backfill were given."""

    id: str
    at_once: int | None = None
    kill: bool = False
    many: int = 100
    status: tuple[str, ...] = ()


@click.command(
    "backfill",
    **examples(
        "penstock backfill shop.daily --from 2016-01-01 --to 2016-01-31 --dry-run    what would run",
        "penstock backfill shop.daily --from 2016-01-01 --to 2016-01-31 --input 'day={{ date }}' --at-once 8",
        "penstock backfill shop.daily --from 2016-01-01 --to 2016-12-31 --every @monthly",
        "penstock backfill shop.daily --from 2016-01-01 --to 2016-01-31 --only-missing",
        "penstock backfill shop.region --sets regions.csv     one run for each line",
    ),
)
@click.argument("target", metavar="FILE|FLOW")
@click.option("--from", "begin", default="", metavar="INSTANT", help="The first date.")
@click.option("--to", "end", default="", metavar="INSTANT", help="The last date; a day is meant as a whole.")
@click.option("--trigger", default="", metavar="NAME", help="The schedule of the flow whose dates are meant.")
@click.option("--every", default="", metavar="CRON|LENGTH", help="Other dates: a cron expression, or P1D, PT6H …")
@click.option("--timezone", default="", metavar="ZONE", help="With --every: the time zone, instead of UTC.")
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input; `{{ date }}` is its date."
)
@click.option("-l", "--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label of every run.")
@click.option("--sets", default="", metavar="FILE", help="Inputs of each run, instead of dates: CSV, JSON, JSON lines.")
@click.option("--at-once", type=click.IntRange(1, 10_000), default=verbs.AT_ONCE, help="Runs that may go at once.")
@click.option("--newest-first", is_flag=True, help="Begin with the last date.")
@click.option("--only-missing", is_flag=True, help="Leave out dates for which the flow has run well.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would run, and start nothing.")
@json_too
@places
@served("penstock.cli.remote.times:backfill")
def backfill(**given: Any) -> int:
    """Run a flow for each date of a span, at most so many at once.

    The dates are those of the flow's schedule, else every day. A server (`penstock serve`, `penstock dev`) starts the
    runs; `penstock backfills show ID` tells how far it is.
    """
    asked = msgspec.convert(given, BackfillGiven)
    file = Path(asked.target) if is_file(asked.target) else None
    with open_app(project_of(asked.project, file), os.environ, store=asked.store, actor=caller()) as app:
        plan, _ = plan_for(app, Target(asked.target, file), who())
        spec = spec_of(asked)
        if asked.dry:
            planned = verbs.preview(app.core, plan, spec)
            tell_planned(planned, f"{len(planned)} runs of {plan.flow.name}", asked)
            return Exit.SUCCESS
        made = verbs.add(app.core, plan, spec, who(), at_once=asked.at_once)
        if asked.json:
            as_json(document(made, {ItemStatus.WAITING: made.total}))
        else:
            data(made.id)
            note(f"{made.total} runs of {made.flow_name} are to start, {made.at_once} at once.")
        if not lead.stands(app.core):
            note("No server stands that starts them: `penstock serve`, or `penstock dev` in the project's folder.")
    return Exit.SUCCESS


@click.command("list", **examples("penstock backfills list", "penstock backfills list --json"))
@json_too
@places
@served("penstock.cli.remote.times:list_backfills")
def list_backfills(**given: Any) -> None:
    """List backfills, newest first."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        found = verbs.every(app.core, EVERYWHERE)
    tell_list(found, wants_json=asked.json)


def tell_planned(planned: Sequence[Planned], many: str, asked: BackfillGiven) -> None:
    """Tell what a backfill would run."""
    if asked.json:
        as_json(planned)
    else:
        rows = [(one.name, "  ".join(f"{name}={value}" for name, value in one.inputs.items())) for one in planned]
        data(table(("DATE", "INPUTS"), rows))
        note(f"{many}, {asked.at_once} at once.")


def tell_list(found: Sequence[tuple[Backfill, Mapping[ItemStatus, int]]], *, wants_json: bool) -> None:
    """Tell backfills, each with how many of its runs stand where."""
    if wants_json:
        as_json([document(one, counts) for one, counts in found])
    elif found:
        rows = [(one.id, one.flow_name, one.status, verbs.counted(counts), one.created_by) for one, counts in found]
        data(table(("ID", "FLOW", "STATUS", "PROGRESS", "BY"), rows))
    else:
        note("There are no backfills.")


@click.command("show", **examples("penstock backfills show 06c2…", "penstock backfills show 06c2… --status failed"))
@click.argument("id")
@click.option("--status", multiple=True, type=click.Choice([str(one) for one in ItemStatus]), help="Only such runs.")
@click.option("-n", "--many", type=click.IntRange(1, 100_000), default=100, help="How many of its runs.")
@json_too
@places
@served("penstock.cli.remote.times:show")
def show(**given: Any) -> None:
    """Show how far a backfill is, and its runs."""
    asked = msgspec.convert(given, OneGiven)
    with opened(asked) as app:
        found, counts = verbs.get(app.core, asked.id)
        wanted = tuple(ItemStatus(status) for status in asked.status)
        items = verbs.items(app.core, found.id, asked.many, statuses=wanted)
    tell_one(found, counts, items, wants_json=asked.json)


def tell_one(found: Backfill, counts: Mapping[ItemStatus, int], items: Sequence[Item], *, wants_json: bool) -> None:
    """Tell how far a backfill is, and its runs."""
    if wants_json:
        as_json(document(found, counts) | {"runs": [msgspec.structs.asdict(item) for item in items]})
        return
    note(f"{found.flow_name}: {found.status}, {verbs.counted(counts)}.")
    rows = [(item.planned.name, str(item.status), item.run, str(item.tries + 1) if item.run else "") for item in items]
    data(table(("DATE", "STATUS", "RUN", "TRY"), rows))


@click.command("pause", **examples("penstock backfills pause 06c2…"))
@click.argument("id")
@places
@served("penstock.cli.remote.times:pause")
def pause(**given: Any) -> int:
    """Start no further runs until it is resumed; those that go may end."""
    return _told(msgspec.convert(given, OneGiven), lambda app, one, _: verbs.pause(app.core, one))


@click.command("resume", **examples("penstock backfills resume 06c2…", "penstock backfills resume 06c2… --at-once 20"))
@click.argument("id")
@click.option("--at-once", type=click.IntRange(1, 10_000), default=None, help="Runs that may go at once from now on.")
@places
@served("penstock.cli.remote.times:resume")
def resume(**given: Any) -> int:
    """Go on starting runs; also changes how many may go at once."""
    return _told(
        msgspec.convert(given, OneGiven), lambda app, one, asked: verbs.resume(app.core, one, at_once=asked.at_once)
    )


@click.command("cancel", **examples("penstock backfills cancel 06c2…", "penstock backfills cancel 06c2… --kill"))
@click.argument("id")
@click.option("--kill", is_flag=True, help="End its runs that go, too.")
@places
@served("penstock.cli.remote.times:cancel")
def cancel(**given: Any) -> int:
    """Start no more of its runs; `retry` starts those that were left."""
    return _told(
        msgspec.convert(given, OneGiven), lambda app, one, asked: verbs.cancel(app.core, one, who(), kill=asked.kill)
    )


@click.command("retry", **examples("penstock backfills retry 06c2…"))
@click.argument("id")
@places
@served("penstock.cli.remote.times:retry")
def retry(**given: Any) -> int:
    """Start anew what failed, or was left when it was cancelled."""
    asked = msgspec.convert(given, OneGiven)
    with opened(asked) as app:
        found, _ = verbs.get(app.core, asked.id)
        count = verbs.retry(app.core, found)
    note(f"{count} runs of {found.flow_name} are to start again." if count else "Nothing failed, and nothing was left.")
    return Exit.SUCCESS


def document(found: Backfill, counts: Mapping[ItemStatus, int]) -> dict[str, object]:
    """A backfill as programs read it."""
    return {
        "id": found.id,
        "namespace": found.namespace,
        "flow": found.flow,
        "revision": found.revision,
        "status": str(found.status),
        "atOnce": found.at_once,
        "total": found.total,
        "progress": {str(status): counts.get(status, 0) for status in ItemStatus},
        "created": shown(found.created_at),
        "createdBy": found.created_by,
        "end": shown(found.ended_at),
        "asked": found.spec,
    }


def _told(asked: OneGiven, verb: Any) -> int:
    with opened(asked) as app:
        found, _ = verbs.get(app.core, asked.id)
        fresh = verb(app, found, asked)
    note(f"The backfill of {fresh.flow_name} is {fresh.status}.")
    return Exit.SUCCESS


def spec_of(asked: BackfillGiven) -> Spec:
    """What is to be filled in, as it was typed. Raises WrongCall."""
    sets = _sets(asked.sets) if asked.sets else ()
    if not sets and not (asked.begin and asked.end):
        raise WrongCall("A backfill wants --from and --to, or --sets.", hint="--from 2016-01-01 --to 2016-01-31")
    end = instant(asked.end, "--to") if asked.end else None
    if end is not None and "T" not in asked.end and " " not in asked.end:
        end += DAY - 1  # the last day is meant as a whole
    return Spec(
        begin=instant(asked.begin, "--from") if asked.begin else None,
        end=end,
        trigger=asked.trigger,
        every=asked.every,
        timezone=asked.timezone,
        sets=sets,
        inputs=dict(pairs(asked.inputs, "--input")),
        labels=pairs(asked.labels, "--label"),
        newest_first=asked.newest_first,
        only_missing=asked.only_missing,
    )


def _sets(path: str) -> tuple[dict[str, object], ...]:
    """The inputs of each run: the lines of a CSV file with a head, of JSON lines, or a JSON list."""
    text = text_of(path)
    if path.endswith(".csv"):
        return tuple({name: value for name, value in row.items() if name} for row in csv.DictReader(text.splitlines()))
    try:
        if text.lstrip().startswith("["):
            return msgspec.json.decode(text, type=tuple[dict[str, object], ...])
        lines = [line for line in text.splitlines() if line.strip()]
        return tuple(msgspec.json.decode(line, type=dict[str, object]) for line in lines)
    except msgspec.MsgspecError as error:
        raise WrongCall(
            f"{path} holds no list of inputs: {error}.", hint="CSV with a head, JSON lines, or a list."
        ) from None
