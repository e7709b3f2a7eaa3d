"""What starts runs by itself, and when? Triggers of a flow, and the dates that a schedule will fire at."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec.structs import replace

from penstock.app import App, open_app
from penstock.app.manner import manner_of
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, caller, examples, instant, json_too, near, opened, places, project_of, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.cli.target import address, is_file
from penstock.errors import nearest
from penstock.errors.project import WrongCall
from penstock.model.access import EVERYWHERE
from penstock.model.flow import Flow
from penstock.model.trigger import Dates, Interval, Listening, OnRuns, OnTime, Polling, Rule, Schedule, Trigger, Webhook
from penstock.services import triggers as verbs
from penstock.services.document import instant as shown
from penstock.services.flows import newest_plan
from penstock.services.preview import Firing, firings
from penstock.services.project import flow_of, read_file
from penstock.services.render import calls_in
from penstock.services.secrets.given import visible
from penstock.store.triggers import State, of_flow

VERBS: Final = {
    "list": ("penstock.cli.triggers:list_triggers", "List the triggers of a flow."),
    "next": ("penstock.cli.triggers:next_dates", "Show the dates that a schedule will fire at."),
    "status": ("penstock.cli.triggers:status", "Show how the store's triggers stand: when next, what is wrong."),
    "on": ("penstock.cli.triggers:switch_on", "Switch a trigger on; it counts from now."),
    "off": ("penstock.cli.triggers:switch_off", "Switch a trigger off until it is switched on."),
}

triggers = LazyGroup(
    name="triggers",
    lazy=VERBS,
    help="Show what starts runs by itself, and when; switch it on and off.",
    no_args_is_help=True,
    **examples("penstock triggers list flows/daily.yml", "penstock triggers next shop.daily -n 5"),
)


class TriggersGiven(Given, frozen=True, kw_only=True):
    """What the verbs about a flow's triggers were given."""

    target: str
    trigger: str = ""
    many: int = 20
    after: str = ""
    every: bool = False


def _flow(asked: TriggersGiven, app: App) -> Flow:
    """The flow that is meant: of a file, else of the store."""
    if not is_file(asked.target):
        namespace, flow_id = address(app, asked.target)
        return newest_plan(app.core, namespace, flow_id, None).flow
    path = Path(asked.target)
    return flow_of(read_file(near(path), manner_of(app.project)), path)


def _opened(asked: TriggersGiven) -> App:
    file = Path(asked.target) if is_file(asked.target) else None
    return open_app(project_of(asked.project, file), os.environ, store=asked.store, make=True, actor=caller())


@click.command("list", **examples("penstock triggers list flows/daily.yml", "penstock triggers list shop.daily --json"))
@click.argument("target", metavar="FILE|FLOW")
@json_too
@places
@served("penstock.cli.remote.times:list_triggers")
def list_triggers(**given: Any) -> None:
    """List the triggers of a flow."""
    asked = msgspec.convert(given, TriggersGiven)
    with _opened(asked) as app:
        flow = _flow(asked, app)
        found = flow.triggers
        own = app.core.store.read(lambda tx: of_flow(tx, flow.namespace, flow.id))
        known = {} if is_file(asked.target) else {state.id: (state.off_by, state.known.problem) for state in own}
    tell_triggers(found, known, wants_json=asked.json)


def tell_triggers(found: Sequence[Trigger], known: Mapping[str, tuple[str, str]], *, wants_json: bool) -> None:
    """Tell triggers; of those that are known by whom they were switched off, and why they could not fire last."""
    if wants_json:
        as_json(found)
    elif found:
        rows = [(each.id, each.type.rpartition(".")[2], _about(each), _stands(each, known)) for each in found]
        data(table(("TRIGGER", "TYPE", "WHEN", ""), rows))
    else:
        note("The flow has no triggers.")


def _stands(trigger: Trigger, known: Mapping[str, tuple[str, str]]) -> str:
    """Whether a trigger is off, and why it last could not fire."""
    off_by, problem = known.get(trigger.id, ("", ""))
    if trigger.disabled:
        return "off"
    return f"off: {off_by}" if off_by else problem


def _about(trigger: Trigger) -> str:
    match trigger:
        case Schedule(cron=cron, timezone=zone):
            return f"{cron} {zone}".strip()
        case Interval(every=every, timezone=zone):
            return f"every {every / 1e6:g} s {zone}".strip()
        case Rule(rule=rule, timezone=zone):
            return f"{rule} {zone}".strip()
        case Dates(dates=dates):
            return f"{len(dates)} dates"
        case Polling(interval=interval):
            return f"looks every {interval / 1e6:g} s"
        case OnRuns(waits_for=waits_for):
            return f"waits for {', '.join(each.name for each in waits_for)}" if waits_for else "runs of other flows"
        case Webhook():
            return "a request"
        case Listening():
            return "each message"


@click.command(
    "next",
    **examples(
        "penstock triggers next flows/daily.yml              the next 20 dates",
        "penstock triggers next shop.daily nightly -n 5      of one of several triggers",
        "penstock triggers next daily.yml --after 2026-03-28 --all   what is passed over, too, and why",
    ),
)
@click.argument("target", metavar="FILE|FLOW")
@click.argument("trigger", required=False, default="")
@click.option("-n", "--many", type=click.IntRange(1, 10_000), default=20, help="How many.")
@click.option("--after", default="", metavar="INSTANT", help="The dates after this instant instead of now.")
@click.option("--all", "every", is_flag=True, help="Show dates that its conditions pass over, with the reason.")
@json_too
@places
@served("penstock.cli.remote.times:next_dates")
def next_dates(**given: Any) -> None:
    """Show the dates that a schedule will fire at, and what its runs will be given."""
    asked = msgspec.convert(given, TriggersGiven)
    with _opened(asked) as app:
        flow = _flow(asked, app)
        schedule = schedule_of(flow, asked.trigger)
        after = instant(asked.after, "--after") if asked.after else app.core.clock.now()
        used: set[str] = set()
        calls = calls_in(app.core, flow.namespace, used)
        dates = firings(flow, schedule, after, calls, app.core.calendars.of(schedule))
        wanted = list(itertools.islice((each for each in dates if asked.every or not each.skipped), asked.many))
        found = [replace(each, inputs=visible(each.inputs, used), labels=visible(each.labels, used)) for each in wanted]
    tell_dates(found, wants_json=asked.json)


def tell_dates(found: Sequence[Firing], *, wants_json: bool) -> None:
    """Tell the dates of a schedule."""
    if wants_json:
        as_json(found)
        return
    rows = [(each.date.isoformat(), f"{each.date:%a}", _told(each)) for each in found]
    data(table(("DATE", "DAY", "GIVEN"), rows)) if rows else note("No date of the next ten years.")


def _told(firing: Firing) -> str:
    """Why a date is passed over; else from where it was moved, when it fires if later, and what its run is given."""
    moved = f"moved from {firing.planned:%a %Y-%m-%d}" if firing.planned else ""
    if firing.skipped:
        return f"skipped: {firing.skipped}" + (f" ({moved})" if moved else "")
    later = f"fires at {firing.at:%H:%M:%S}" if firing.at != firing.date else ""
    given = [f"{name}={value}" for name, value in firing.inputs.items()]
    return "  ".join(part for part in (moved, later, *given) if part)


def schedule_of(flow: Flow, name: str) -> OnTime:
    """The schedule of a flow that a name means, the only one without a name. Raises WrongCall."""
    schedules = {each.id: each for each in flow.triggers if isinstance(each, OnTime)}
    if name and name not in schedules:
        hint = nearest(name, schedules) or f"It has: {', '.join(schedules) or 'none'}."
        raise WrongCall(f'{flow.name} has no schedule "{name}".', hint=hint)
    if not schedules:
        raise WrongCall(f"{flow.name} has no schedule.", hint="`penstock triggers list` shows what starts it.")
    if not name and len(schedules) > 1:
        raise WrongCall(f"{flow.name} has several schedules: {', '.join(schedules)}.", hint="Name one.")
    return schedules[name or next(iter(schedules))]


class StatusGiven(Given, frozen=True, kw_only=True):
    """What `penstock triggers status` was given."""

    namespace: str = ""


class SwitchGiven(Given, frozen=True, kw_only=True):
    """What switches a trigger on or off was given."""

    target: str
    trigger: str


@click.command("status", **examples("penstock triggers status", "penstock triggers status --namespace shop --json"))
@click.option("-n", "--namespace", default="", help="Only those of this namespace and below.")
@json_too
@places
@served("penstock.cli.remote.times:status")
def status(**given: Any) -> None:
    """Show how the store's triggers stand: when they look next, their last run, what is wrong."""
    asked = msgspec.convert(given, StatusGiven)
    with opened(asked) as app:
        found: list[State] = []
        while page := verbs.states(
            app.core, EVERYWHERE, 500, found[-1].key if found else "", namespace=asked.namespace
        ):
            found += page
    tell_states(found, wants_json=asked.json)


def tell_states(found: Sequence[State], *, wants_json: bool) -> None:
    """Tell how triggers stand."""
    if wants_json:
        as_json(found)
    elif found:
        rows = [(one.key, one.kind, _next(one), one.known.run, _wrong(one)) for one in found]
        data(table(("TRIGGER", "KIND", "NEXT", "LAST RUN", ""), rows))
    else:
        note("The store has no triggers.")


def _next(state: State) -> str:
    if state.off_by or state.next_at is None:
        return ""
    return shown(state.next_at) or "" if state.next_at else "now"


def _wrong(state: State) -> str:
    if state.off_by:
        return f"off, by {state.off_by}"
    if state.known.problem:
        return state.known.problem
    return f"waits for run {state.holds}" if state.holds and (state.next_at or 0) < time.time() * 1e6 else ""


@click.command("on", **examples("penstock triggers on shop.daily nightly"))
@click.argument("target", metavar="FLOW")
@click.argument("trigger")
@places
@served("penstock.cli.remote.times:switch_on")
def switch_on(**given: Any) -> None:
    """Switch a trigger on; dates that went by while it was off are not made good."""
    _switch(msgspec.convert(given, SwitchGiven), on=True)


@click.command("off", **examples("penstock triggers off shop.daily nightly"))
@click.argument("target", metavar="FLOW")
@click.argument("trigger")
@places
@served("penstock.cli.remote.times:switch_off")
def switch_off(**given: Any) -> None:
    """Switch a trigger off until it is switched on; a new revision of its flow keeps it so."""
    _switch(msgspec.convert(given, SwitchGiven), on=False)


def _switch(asked: SwitchGiven, *, on: bool) -> None:
    with opened(asked) as app:
        namespace, flow_id = address(app, asked.target)
        state = verbs.switch(app.core, namespace, flow_id, asked.trigger, who(), on=on)
    note(f"{state.key} is {'on' if not state.off_by else 'off'}.")
