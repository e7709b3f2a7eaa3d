"""How do people say what they want to be told of? A rule names what is watched where, and who tells."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from penstock.errors.run import InvalidInput
from penstock.model import ids
from penstock.model.access import Action
from penstock.services import flows, outward, starting
from penstock.services.access import audited
from penstock.services.access.audited import need
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.services.starting import Beginning, Start
from penstock.services.unanswered import repeat_unknown
from penstock.store import alerts
from penstock.store.alerts import Alert, Call, Open, Watches

# An address may be a secret itself: `{{ secret('HOOK') }}` is rendered where it is called.
TEMPLATE: Final = "{{"


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: whether something began (`firing`) or is over (`resolved`), what it is, since when."""

    state: str
    object: str
    since: int
    namespace: str = ""
    flow: str = ""
    run: str = ""


@audited(Action.ALERTS_EDIT, "alerts.add", "{alert.id}", namespace="{alert.namespace}")
def add(core: Core, alert: Alert) -> None:
    """Keep a rule, new or changed; who may start the flow that tells, may. Raises BadId, UnknownFlow, MayNot,
    InvalidInput, AddressRefused.
    """
    ids.check_flow_id(alert.id, "an alert")
    if alert.namespace:
        ids.check_namespace(alert.namespace)
    if alert.watches is Watches.LOST and alert.namespace:
        raise InvalidInput("Workers belong to no namespace: who watches them does so everywhere.")
    if not (alert.tells or alert.url):
        raise InvalidInput("Nobody is told: name a flow, an address, or both.")
    for each in every(core)[0]:
        if each.id == alert.id:
            need(core.actor, Action.ALERTS_EDIT, each.namespace)  # a name taken elsewhere is not one's to take over
    if alert.tells:
        need(core.actor, Action.RUNS_START, alert.tells_namespace)
        flows.newest_plan(core, alert.tells_namespace, alert.tells)
    if TEMPLATE in alert.url:
        need(core.actor, Action.FLOWS_EDIT, alert.namespace)  # who writes flows has its secrets anyway
    elif alert.url:
        outward.check(alert.url)
    repeat_unknown(core, lambda: core.store.write(lambda tx: alerts.put(tx, alert)))


@audited(Action.ALERTS_EDIT, "alerts.remove", "{alert_id}", namespace="{namespace}")
def remove(core: Core, alert_id: str, namespace: str) -> bool:
    """Forget a rule of a namespace; False when there is none."""
    if not any((each.id, each.namespace) == (alert_id, namespace) for each in every(core)[0]):
        return False
    return core.store.write(lambda tx: alerts.drop(tx, alert_id))


@audited(Action.ALERTS_EDIT, "alerts.test", "{alert.id}", namespace="{alert.namespace}")
def test(core: Core, alert: Alert) -> str:
    """Have a rule tell of something that did not happen; gives the run that tells, nothing where only an address is
    called, which the leading server does soon. Raises UnknownFlow.
    """
    word = Word(state="test", object="test", since=core.clock.now())
    begun = [telling(core, alert, word)] if alert.tells else []
    if alert.url:
        core.store.write(lambda tx: alerts.call(tx, [calling(core, alert, word)]))
    return starting.insert(core, begun)[0] if begun else ""


def every(core: Core) -> tuple[list[Alert], list[Open]]:
    """The rules, and what of them was told and is not over."""
    return core.store.read(lambda tx: (alerts.every(tx), alerts.standing(tx)))


def telling(core: Core, alert: Alert, word: Word) -> Beginning:
    """The run that tells, as it is to be written: its `trigger` says what of. One for each word. Raises UnknownFlow."""
    told = {"id": alert.id, "type": "alert", "watches": str(alert.watches), "state": word.state, "object": word.object}
    told |= {"namespace": word.namespace, "flowId": word.flow, "executionId": word.run}
    asked = Start(
        by=f"alert {alert.id}",
        key=f"alert/{alert.id}/{word.object}/{word.since}/{word.state}",
        trigger={**told, "since": instant(word.since)},
    )
    return starting.begin(core, flows.newest_plan(core, alert.tells_namespace, alert.tells), asked)


def calling(core: Core, alert: Alert, word: Word) -> Call:
    """The call that tells, as it is to be made: what of stands in its body. One for each word."""
    now = core.clock.now()
    key = hashlib.blake2b(f"{alert.id}\n{word.object}\n{word.since}\n{word.state}".encode(), digest_size=16).hexdigest()
    told = {"id": key, "alert": alert.id, "watches": str(alert.watches), "state": word.state, "object": word.object}
    told |= {"namespace": word.namespace, "flow": word.flow, "run": word.run}
    told |= {"since": instant(word.since) or "", "at": instant(now) or "", "text": _sentence(alert, word)}
    return Call(id=key, alert=alert.id, body=msgspec.json.encode(told).decode(), made_at=now, next_at=now)


def _sentence(alert: Alert, word: Word) -> str:
    about = f"{word.namespace}.{word.flow}" if word.flow else word.object
    said = {
        Watches.FAILED: f"the flow {about} has failed",
        Watches.BREACHED: f"the flow {about} has missed a service level",
        Watches.LATE: f"run {word.object} of {about} takes too long",
        Watches.BEHIND: f"the trigger {word.object} is behind",
        Watches.MISSED: f"the trigger {word.object} has missed a date for good",
        Watches.LOST: f"the worker {word.object} is gone",
    }[alert.watches]
    match word.state:
        case "test":
            return f"{alert.id}: this is a test."
        case "resolved":
            return f"{alert.id}: it is over that {said}."
        case _:
            return f"{alert.id}: {said}."
