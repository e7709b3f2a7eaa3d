"""Who is told when something goes wrong, and when it is over? The leader looks, whatever became of workers.

What was told stands in a row until it is over, and moves in the transaction that starts the run which tells, and that
wants the call made: once each.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.policy import SECOND
from penstock.services.alerts import Word, calling, telling
from penstock.services.core import Core
from penstock.services.scheduler.lead import Lead
from penstock.services.scheduler.watched import OF_FEED, news, words
from penstock.services.starting import Beginning, insert
from penstock.store import alerts, positions
from penstock.store.alerts import Alert, Open
from penstock.store.feed import Position
from penstock.store.port import Tx
from penstock.telemetry import Level

NAME: Final = "alerts"
EVERY: Final = 2 * SECOND
# An end may be committed a while after its instant.
OVERLAP: Final = 10 * SECOND


def fire(core: Core, lead: Lead) -> bool:
    """Look, once in a while, whether there is something to tell; False: the next look can wait."""
    steady = core.clock.steady()
    if steady - int(core.marks.get(NAME, -EVERY)) < EVERY:
        return False
    core.marks[NAME] = str(steady)
    rules, standing, position = core.store.read(
        lambda tx: (alerts.every(tx), alerts.standing(tx), positions.get(tx, NAME))
    )
    if not rules:
        if position is not None:
            core.store.write(lambda tx: _forget(tx) if lead.say(tx) else None)
        return False
    now = core.clock.now()
    since = position.after if position else now
    ends = core.store.read(lambda tx: alerts.ends(tx, since - OVERLAP))
    told = news(core, rules)
    known = {(each.alert, each.object): each for each in standing}
    found = [(rule, word) for rule in rules for word in words(core, rule, known, ends, told)]
    full = len(ends) == alerts.AT_ONCE
    places = {NAME: Position(max(since, ends[-1].at) if full else now), OF_FEED: told.further}
    _written(core, lead, found, {name: each for name, each in places.items() if each is not None})
    return full or told.more


def _forget(tx: Tx) -> None:
    positions.drop(tx, NAME)
    positions.drop(tx, OF_FEED)


def _written(core: Core, lead: Lead, words: list[tuple[Alert, Word]], places: dict[str, Position]) -> None:
    beginnings: list[Beginning] = []
    for rule, word in words:
        try:
            if rule.tells:
                beginnings.append(telling(core, rule, word))
        except StoreError:
            raise
        except PenstockError as error:
            core.notices.say("alert.untold", core.clock.now(), Level.ERROR, alert=rule.id, why=str(error))
    moved = [(word.state, Open(rule.id, word.object, word.since)) for rule, word in words]
    wanted = [calling(core, rule, word) for rule, word in words if rule.url]

    def let(tx: Tx) -> Container[str]:
        if not lead.say(tx):
            return ()
        alerts.begin(tx, [each for state, each in moved if state == "firing"])
        alerts.close(tx, [each for state, each in moved if state == "resolved"])
        alerts.call(tx, wanted)
        for name, place in places.items():
            positions.put(tx, name, place)
        return {each.run for each in beginnings}

    insert(core, beginnings, let)
