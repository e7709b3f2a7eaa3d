"""What do people want to be told of, and what was told?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from penstock.api.route import Call
from penstock.api.shapes.alerts import AlertPut, AlertRow, AlertTested, OpenRow
from penstock.api.shapes.lists import Everything
from penstock.errors.api import NoSuchAddress
from penstock.errors.run import UnknownFlow
from penstock.services import alerts as verbs
from penstock.services.access import covers
from penstock.services.document import instant
from penstock.store.alerts import Alert, Open


def list_alerts(call: Call[None, None]) -> Everything[AlertRow]:
    """Rules by name, with what stands open."""
    rules, standing = verbs.every(call.core)
    return Everything([_row(each, standing) for each in rules if covers(call.scope, each.namespace)])


def put_alert(call: Call[None, AlertPut]) -> AlertRow:
    """Keep a rule, new or changed."""
    asked = call.body
    made = Alert(
        id=call.path["name"],
        namespace=asked.namespace,
        watches=asked.watches,
        patience=round(asked.after * 1e6),
        tells_namespace=asked.tells_namespace,
        tells=asked.tells,
        made_at=call.core.clock.now(),
        made_by=call.by,
        url=asked.url,
    )
    try:
        verbs.add(call.core, made)
    except UnknownFlow as error:
        # the hint names flows that who asks may not see
        raise UnknownFlow(error.sentence) from None
    return _row(made, verbs.every(call.core)[1])


def delete_alert(call: Call[None, None]) -> None:
    """Forget a rule."""
    found = _named(call)
    if not verbs.remove(call.core, found.id, found.namespace):
        raise _unknown(call)


def try_alert(call: Call[None, None]) -> AlertTested:
    """Have a rule tell of something that did not happen."""
    return AlertTested(verbs.test(call.core, _named(call)))


def _named(call: Call[Any, Any]) -> Alert:
    """The rule in the address. One that who asks may not change is not there. Raises NoSuchAddress."""
    rules, _ = verbs.every(call.core)
    found = next((each for each in rules if each.id == call.path["name"] and covers(call.scope, each.namespace)), None)
    if found is None:
        raise _unknown(call)
    return found


def _unknown(call: Call[Any, Any]) -> NoSuchAddress:
    return NoSuchAddress(f'There is no alert "{call.path["name"][:100]}".')


def _row(alert: Alert, standing: list[Open]) -> AlertRow:
    return AlertRow(
        name=alert.id,
        namespace=alert.namespace,
        watches=alert.watches,
        after=alert.patience / 1e6,
        tells_namespace=alert.tells_namespace,
        tells=alert.tells,
        host=_host(alert.url),
        made=instant(alert.made_at) or "",
        made_by=alert.made_by,
        open=[
            OpenRow(object=each.object, since=instant(each.since) or "") for each in standing if each.alert == alert.id
        ],
    )


def _host(url: str) -> str:
    return "{{ … }}" if verbs.TEMPLATE in url else urlsplit(url).hostname or ""
