"""How do people say what they want to be told of? A rule names what is watched where, and the flow whose run tells."""

from __future__ import annotations

import msgspec

from penstock.model import ids
from penstock.model.access import Action
from penstock.services import flows, starting
from penstock.services.access import audited
from penstock.services.access.audited import need
from penstock.services.core import Core
from penstock.services.document import instant
from penstock.services.starting import Beginning, Start
from penstock.services.unanswered import repeat_unknown
from penstock.store import alerts
from penstock.store.alerts import Alert, Open


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: whether something began (`firing`) or is over (`resolved`), what it is, since when."""

    state: str
    object: str
    since: int
    namespace: str = ""
    flow: str = ""
    run: str = ""


@audited(Action.ALERTS_EDIT, "alerts.add", "{alert.id}", namespace="{alert.namespace}", keeps=("alert",))
def add(core: Core, alert: Alert) -> None:
    """Keep a rule, new or changed; who may start the flow that tells, may. Raises BadId, UnknownFlow, MayNot."""
    ids.check_flow_id(alert.id)
    if alert.namespace:
        ids.check_namespace(alert.namespace)
    need(core.actor, Action.RUNS_START, alert.tells_namespace)
    for each in every(core)[0]:
        if each.id == alert.id:
            need(core.actor, Action.ALERTS_EDIT, each.namespace)  # a name taken elsewhere is not one's to take over
    flows.newest_plan(core, alert.tells_namespace, alert.tells)
    repeat_unknown(core, lambda: core.store.write(lambda tx: alerts.put(tx, alert)))


@audited(Action.ALERTS_EDIT, "alerts.remove", "{alert_id}", namespace="{namespace}")
def remove(core: Core, alert_id: str, namespace: str) -> bool:
    """Forget a rule of a namespace; False when there is none."""
    if not any((each.id, each.namespace) == (alert_id, namespace) for each in every(core)[0]):
        return False
    return core.store.write(lambda tx: alerts.drop(tx, alert_id))


@audited(Action.ALERTS_EDIT, "alerts.test", "{alert.id}", namespace="{alert.namespace}")
def test(core: Core, alert: Alert) -> str:
    """Have a rule tell of something that did not happen, and give the run that tells. Raises UnknownFlow."""
    now = core.clock.now()
    return starting.insert(core, [telling(core, alert, Word(state="test", object="test", since=now))])[0]


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
