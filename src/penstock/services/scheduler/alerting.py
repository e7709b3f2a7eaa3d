"""Who is told when something goes wrong, and when it is over? The leader looks, whatever became of workers.

What was told stands in a row until it is over, and moves in the transaction that starts the run which tells: once each.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.policy import SECOND
from penstock.services.alerts import Word, telling
from penstock.services.core import Core
from penstock.services.scheduler.lead import Lead
from penstock.services.starting import Beginning, insert
from penstock.store import alerts, positions
from penstock.store.alerts import Alert, End, Found, Open, Watches
from penstock.store.feed import Position
from penstock.store.port import Tx
from penstock.telemetry import Level

NAME: Final = "alerts"
EVERY: Final = 2 * SECOND
# An end may be committed a while after its instant.
OVERLAP: Final = 10 * SECOND
GOOD: Final = ("success", "warning")


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
            core.store.write(lambda tx: positions.drop(tx, NAME) if lead.say(tx) else None)
        return False
    now = core.clock.now()
    since = position.after if position else now
    ends = core.store.read(lambda tx: alerts.ends(tx, since - OVERLAP))
    known = {(each.alert, each.object): each for each in standing}
    words = [(rule, word) for rule in rules for word in _words(core, rule, known, ends, now)]
    full = len(ends) == alerts.AT_ONCE
    _written(core, lead, words, Position(max(since, ends[-1].at) if full else now))
    return full


def _words(core: Core, rule: Alert, known: dict[tuple[str, str], Open], ends: list[End], now: int) -> list[Word]:
    """What a rule has to tell: what is new, and what is over."""
    if rule.watches is Watches.FAILED:
        return _of_ends(rule, known, ends)
    look = alerts.late if rule.watches is Watches.LATE else alerts.behind
    found = core.store.read(lambda tx: look(tx, now - rule.patience))
    there = {each.object: each for each in found if _concerns(rule, each.namespace, each.flow)}
    new = [_of(rule, each, now) for name, each in there.items() if (rule.id, name) not in known]
    over = [each for (alert, name), each in known.items() if alert == rule.id and name not in there]
    if len(found) == alerts.AT_ONCE:
        over = []  # what was not looked at may still be so
    return [*new, *(Word(state="resolved", object=each.object, since=each.since) for each in over)]


def _of(rule: Alert, found: Found, now: int) -> Word:
    run = found.object if rule.watches is Watches.LATE else ""
    return Word(state="firing", object=found.object, since=now, namespace=found.namespace, flow=found.flow, run=run)


def _of_ends(rule: Alert, known: dict[tuple[str, str], Open], ends: list[End]) -> list[Word]:
    """Flows whose newest run failed, or succeeded again."""
    newest = {
        f"{each.namespace}.{each.flow}": each
        for each in ends
        if _concerns(rule, each.namespace, each.flow) and each.status in (*GOOD, "failed")
    }
    words = []
    for name, end in newest.items():
        was = known.get((rule.id, name))
        if (end.status == "failed") == (was is not None):
            continue
        if was is not None and end.at < was.since:
            continue
        words.append(
            Word(
                state="resolved" if was else "firing",
                object=name,
                since=was.since if was else end.at,
                namespace=end.namespace,
                flow=end.flow,
                run=end.id,
            )
        )
    return words


def _concerns(rule: Alert, namespace: str, flow: str) -> bool:
    if (namespace, flow) == (rule.tells_namespace, rule.tells):
        return False  # what tells must not tell of itself, which would go on for ever
    return rule.namespace in ("", namespace) or namespace.startswith(f"{rule.namespace}.")


def _written(core: Core, lead: Lead, words: list[tuple[Alert, Word]], further: Position) -> None:
    beginnings: list[Beginning] = []
    for rule, word in words:
        try:
            beginnings.append(telling(core, rule, word))
        except StoreError:
            raise
        except PenstockError as error:
            core.notices.say("alert.untold", core.clock.now(), Level.ERROR, alert=rule.id, why=str(error))
    moved = [(word.state, Open(rule.id, word.object, word.since)) for rule, word in words]

    def let(tx: Tx) -> Container[str]:
        if not lead.say(tx):
            return ()
        alerts.begin(tx, [each for state, each in moved if state == "firing"])
        alerts.close(tx, [each for state, each in moved if state == "resolved"])
        positions.put(tx, NAME, further)
        return {each.run for each in beginnings}

    insert(core, beginnings, let)
