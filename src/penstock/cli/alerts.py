"""Who is told when something goes wrong? Rules are added here; a run of a flow tells, or a server calls an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import click
import msgspec

from penstock.cli.ending import Exit
from penstock.cli.lazy import LazyGroup
from penstock.cli.options import Given, examples, json_too, opened, places, who
from penstock.cli.remote.aim import served
from penstock.cli.said import as_json, data, note, table
from penstock.model.policy import SECOND
from penstock.services import alerts as verbs
from penstock.services.document import instant
from penstock.store.alerts import Alert, Open, Watches

VERBS: Final = {
    "add": ("penstock.cli.alerts:add", "Be told of something, by a run of a flow or a call."),
    "list": ("penstock.cli.alerts:list_alerts", "List alerts, and what stands open."),
    "remove": ("penstock.cli.alerts:remove", "Be told no more."),
    "test": ("penstock.cli.alerts:try_one", "Have an alert tell of something that did not happen."),
}
EVERYWHERE: Final = "everywhere"

alerts = LazyGroup(
    name="alerts",
    lazy=VERBS,
    help="Be told when flows fail, runs are late, workers gone, triggers behind; and when that is over.",
    no_args_is_help=True,
    **examples("penstock alerts add nightly --on failed --in shop --tell ops.mail", "penstock alerts list"),
)


class AlertGiven(Given, frozen=True, kw_only=True):
    """What the verbs about alerts were given."""

    name: str
    on: Watches = Watches.FAILED
    namespace: str = ""
    after: int = 0
    tell: str = ""
    url: str = ""


@click.command(
    "add",
    **examples(
        "penstock alerts add nightly --on failed --in shop --tell ops.mail",
        "penstock alerts add slow --on late --after 3600 --tell ops.mail",
        "penstock alerts add clock --on behind --after 60 --tell ops.mail",
        "penstock alerts add crew --on lost --url https://hooks.example.com/ops",
    ),
)
@click.argument("name")
@click.option("--on", type=click.Choice([str(each) for each in Watches]), required=True, help="What is watched.")
@click.option("--in", "namespace", default="", metavar="NAMESPACE", help="Where, below it too; everywhere without it.")
@click.option("--after", type=click.IntRange(0, 31_536_000), default=0, help="Seconds that late and behind begin with.")
@click.option("--tell", default="", metavar="FLOW", help="The flow whose run tells: `namespace.flow`.")
@click.option(
    "--url", default="", help="The address that the leading server calls; `{{ secret('NAME') }}` is rendered."
)
@places
@served("penstock.cli.remote.watching:add_alert")
def add(**given: Any) -> int:
    """Be told of something, once when it begins and once when it is over, by a run of a flow, a call, or both.

    What it is stands in the run's `trigger`: `state` (firing, resolved, test), `watches`, `object`, `since`, and
    `namespace`, `flowId` and `executionId` where there are any; in the body of a call likewise, as JSON. A run needs a
    worker, a call only a server.
    """
    asked = msgspec.convert(given, AlertGiven)
    namespace, _, flow = asked.tell.rpartition(".")
    with opened(asked, make=True) as app:
        made = Alert(
            id=asked.name,
            namespace=asked.namespace,
            watches=asked.on,
            patience=asked.after * SECOND,
            tells_namespace=namespace,
            tells=flow,
            made_at=app.core.clock.now(),
            made_by=who(),
            url=asked.url,
        )
        verbs.add(app.core, made)
    return tell_added(made)


def tell_added(made: Alert) -> int:
    """Tell who tells of what from now on."""
    note(f"{_told(made)} tells of what is {made.watches}: {made.namespace or EVERYWHERE}.")
    return Exit.SUCCESS


@click.command("list", **examples("penstock alerts list", "penstock alerts list --json"))
@json_too
@places
@served("penstock.cli.remote.watching:list_alerts")
def list_alerts(**given: Any) -> None:
    """List alerts, and what was told and is not over."""
    asked = msgspec.convert(given, Given)
    with opened(asked) as app:
        rules, standing = verbs.every(app.core)
    tell_alerts(rules, standing, wants_json=asked.json)


def tell_alerts(rules: Sequence[Alert], standing: Sequence[Open], *, wants_json: bool) -> None:
    """Tell alerts, and what stands open."""
    if wants_json:
        as_json({"alerts": rules, "open": standing})
        return
    if not rules:
        note("There are no alerts.")
        return
    rows = [
        (each.id, str(each.watches), each.namespace or EVERYWHERE, f"{each.patience // SECOND} s", _told(each))
        for each in rules
    ]
    data(table(("ALERT", "ON", "IN", "AFTER", "TOLD BY"), rows))
    for each in standing:
        note(f"Open: {each.alert}, {each.object}, since {instant(each.since)}.")


@click.command("remove", **examples("penstock alerts remove nightly"))
@click.argument("name")
@places
@served("penstock.cli.remote.watching:remove_alert")
def remove(**given: Any) -> int:
    """Be told no more."""
    asked = msgspec.convert(given, AlertGiven)
    with opened(asked) as app:
        found = _named(verbs.every(app.core)[0], asked.name)
        if found is None or not verbs.remove(app.core, found.id, found.namespace):
            note(f"There is no alert {asked.name}.")
            return Exit.WRONG_CALL
    note(f"The alert {asked.name} is no more.")
    return Exit.SUCCESS


@click.command("test", **examples("penstock alerts test nightly"))
@click.argument("name")
@places
@served("penstock.cli.remote.watching:try_alert")
def try_one(**given: Any) -> int:
    """Have an alert tell of something that did not happen: a worker does the run, the leading server makes the call."""
    asked = msgspec.convert(given, AlertGiven)
    with opened(asked) as app:
        found = _named(verbs.every(app.core)[0], asked.name)
        if found is None:
            note(f"There is no alert {asked.name}.")
            return Exit.WRONG_CALL
        run = verbs.test(app.core, found)
    return tell_tried(found, run)


def tell_tried(found: Alert, run: str) -> int:
    """Tell how an alert is told of."""
    note(f"{_told(found)} tells by the run {run}." if run else f"{_told(found)} is called by the leading server.")
    return Exit.SUCCESS


def _named(rules: list[Alert], name: str) -> Alert | None:
    return next((each for each in rules if each.id == name), None)


def _told(alert: Alert) -> str:
    """Who tells; of an address no more than its host, since the rest may be a secret."""
    flow = f"{alert.tells_namespace}.{alert.tells}" if alert.tells else ""
    host = "" if not alert.url else "{{ … }}" if verbs.TEMPLATE in alert.url else (urlsplit(alert.url).hostname or "")
    return ", ".join(each for each in (flow, host) if each)
