"""How do alerts call an address? The leading server does, whatever became of workers, until it is taken or a day over.

Who takes a call that was made before, since its answer was lost, knows it by its `Idempotency-Key`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec.structs import replace

from penstock import expr
from penstock.errors import PenstockError
from penstock.errors.work import AddressRefused
from penstock.model.policy import SECOND
from penstock.services import outward
from penstock.services.alerts import TEMPLATE
from penstock.services.core import Core
from penstock.services.outward import Guard
from penstock.services.render import calls_in
from penstock.store import alerts
from penstock.store.alerts import Alert, Call
from penstock.telemetry import Level

AT_ONCE: Final = 8
FIRST: Final = 5 * SECOND
LONGEST: Final = 600 * SECOND
GIVEN_UP: Final = 86_400 * SECOND


class Calls:
    """Makes the calls that alerts want."""

    name = "alerts"

    def __init__(self, core: Core, guard: Guard) -> None:
        self._core = core
        self._guard = guard

    def turn(self) -> bool:
        """Make what is to be made now, several at once; False when there is no more."""
        now = self._core.clock.now()
        due = self._core.store.read(lambda tx: alerts.due_calls(tx, now, AT_ONCE))
        if not due:
            return False
        by_id = {each.id: each for each in self._core.store.read(alerts.every)}
        with ThreadPoolExecutor(AT_ONCE, "penstock-alert") as pool:
            done = list(pool.map(lambda call: self._made(call, by_id.get(call.alert)), due))
        for call, why in zip(due, done, strict=True):
            self._settle(call, *why)
        return len(due) == AT_ONCE

    def _made(self, call: Call, rule: Alert | None) -> tuple[str, bool]:
        """Make one call: why it was not taken (nothing where it was), and whether to try again."""
        if rule is None or not rule.url:
            return "The alert is no more.", False
        try:
            url = self._address(rule)
            headers = {"Content-Type": "application/json", "Idempotency-Key": call.id}
            answer = outward.post(url, call.body.encode(), headers, guard=self._guard)
        except AddressRefused as error:
            return error.sentence, False
        except PenstockError as error:
            return error.sentence, True
        if answer.taken:
            return "", False
        return f"It answers {answer.status}: {answer.text}", answer.worth_trying

    def _address(self, rule: Alert) -> str:
        if TEMPLATE not in rule.url:
            return rule.url
        calls = calls_in(self._core, rule.namespace, set())
        # a secret is all that it may ask for: a server reaches nowhere else because somebody has written so
        alone = {name: function for name, function in calls.functions.items() if name == "secret"}
        return str(expr.render(rule.url, {}, replace(calls, functions=alone)))

    def _settle(self, call: Call, why: str, again: bool) -> None:
        now = self._core.clock.now()
        say = self._core.notices.say
        wait = min(LONGEST, FIRST << min(call.tries, 10))
        if why and again and now + wait - call.made_at < GIVEN_UP:
            self._core.store.write(lambda tx: alerts.put_off(tx, call.id, call.tries + 1, now + wait))
            say("alert.untaken", now, Level.WARNING, alert=call.alert, why=why, again_in=wait // SECOND)
            return
        self._core.store.write(lambda tx: alerts.called(tx, call.id))
        if why:
            say("alert.given_up", now, Level.ERROR, alert=call.alert, why=why)
        else:
            say("alert.called", now, Level.INFO, alert=call.alert, tries=call.tries + 1)
