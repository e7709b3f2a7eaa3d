"""What has happened that rules watch for? Ends of runs, what is late, and what the feed tells of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from penstock.model.run import Run
from penstock.model.trigger import looks_for
from penstock.services.alerts import Word
from penstock.services.core import Core
from penstock.store import alerts, feed, positions, runs, triggers, workers
from penstock.store.alerts import Alert, End, Found, Open, Watches
from penstock.store.feed import Position
from penstock.store.triggers import State

OF_FEED: Final = "alerts by the feed"
BY_FEED: Final = frozenset({Watches.BREACHED, Watches.MISSED, Watches.LOST})
AT_ONCE: Final = 200
GOOD: Final = ("success", "warning")
Known = Mapping[tuple[str, str], Open]


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What the feed told since the last look: runs that have changed, triggers that have missed a date and workers
    that were found gone, each with when; where it stands after that (None: nobody reads it), and whether there is more.
    """

    runs: Sequence[Run] = ()
    missed: Sequence[tuple[State, int]] = ()
    lost: Sequence[tuple[str, int]] = ()
    further: Position | None = None
    more: bool = False


def news(core: Core, rules: Sequence[Alert]) -> News:
    """Read on in the feed, where a rule needs that; from its end on at first."""
    if not any(each.watches in BY_FEED for each in rules):
        return News()
    position = core.store.read(lambda tx: positions.get(tx, OF_FEED))
    if position is None:
        return News(further=core.store.read(feed.start))
    waited = core.store.lease_now()
    items, further = core.store.read(lambda tx: feed.read(tx, position, waited, AT_ONCE))
    changed = sorted({each.key for each in items if each.what == "run"})
    wanted = changed if any(each.watches is Watches.BREACHED for each in rules) else []
    found = core.store.read(lambda tx: runs.load_all(tx, wanted)) if wanted else []
    missed = {each.key: each.at for each in items if each.what == feed.MISSED}
    states = core.store.read(lambda tx: [triggers.get(tx, key) for key in missed])
    return News(
        runs=[run for run in found if not looks_for(run.flow)],
        missed=[(each, missed[each.key]) for each in states if each is not None],
        lost=[(each.key, each.at) for each in items if each.what == feed.LOST],
        further=further,
        more=len(items) >= AT_ONCE,
    )


def words(core: Core, rule: Alert, known: Known, ends: Sequence[End], told: News) -> Iterator[Word]:
    """What a rule has to tell: what is new, and what is over."""
    mine = {name: each for (alert, name), each in known.items() if alert == rule.id}
    match rule.watches:
        case Watches.FAILED:
            yield from _of_ends(rule, mine, ends)
        case Watches.BREACHED:
            yield from _of_breaches(core, rule, mine, told.runs)
        case Watches.LATE | Watches.BEHIND:
            yield from _of_waits(core, rule, mine)
        case Watches.MISSED:
            yield from _of_missed(core, rule, mine, told.missed)
        case Watches.LOST:
            yield from _of_lost(core, rule, mine, told.lost)


def _of_waits(core: Core, rule: Alert, mine: Mapping[str, Open]) -> Iterator[Word]:
    """Runs that take too long, or triggers that are behind."""
    now = core.clock.now()
    look = alerts.late if rule.watches is Watches.LATE else alerts.behind
    found = core.store.read(lambda tx: look(tx, now - rule.patience))
    there = {each.object: each for each in found if _concerns(rule, each.namespace, each.flow)}
    for name, each in there.items():
        if name not in mine:
            yield _of(rule, each, now)
    if len(found) < alerts.AT_ONCE:  # else what was not looked at may still be so
        yield from (_over(each) for name, each in mine.items() if name not in there)


def _of(rule: Alert, found: Found, now: int) -> Word:
    run = found.object if rule.watches is Watches.LATE else ""
    return Word(state="firing", object=found.object, since=now, namespace=found.namespace, flow=found.flow, run=run)


def _of_ends(rule: Alert, mine: Mapping[str, Open], ends: Sequence[End]) -> Iterator[Word]:
    """Flows whose newest run failed, or succeeded again."""
    newest = {
        f"{each.namespace}.{each.flow}": each
        for each in ends
        if _concerns(rule, each.namespace, each.flow) and each.status in (*GOOD, "failed")
    }
    for name, end in newest.items():
        was = mine.get(name)
        if (end.status == "failed") == (was is not None) or (was is not None and end.at < was.since):
            continue
        state, since = ("resolved", was.since) if was else ("firing", end.at)
        yield Word(state=state, object=name, since=since, namespace=end.namespace, flow=end.flow, run=end.id)


def _of_breaches(core: Core, rule: Alert, mine: Mapping[str, Open], changed: Sequence[Run]) -> Iterator[Word]:
    """Flows of which a run missed a service level, or a later one has kept them all."""
    now = core.clock.now()
    newest: dict[str, Run] = {}
    for run in sorted(changed, key=lambda each: each.created_at):
        if _concerns(rule, run.namespace, run.flow) and (run.breached or run.status.ended):
            newest[f"{run.namespace}.{run.flow}"] = run
    for name, run in newest.items():
        was = mine.get(name)
        if run.breached and was is None and (run.ended_at or now) >= rule.made_at:
            yield Word(state="firing", object=name, since=now, namespace=run.namespace, flow=run.flow, run=run.id)
        elif not run.breached and was is not None and run.created_at >= was.since:
            yield Word(
                state="resolved", object=name, since=was.since, namespace=run.namespace, flow=run.flow, run=run.id
            )


def _of_missed(
    core: Core, rule: Alert, mine: Mapping[str, Open], missed: Sequence[tuple[State, int]]
) -> Iterator[Word]:
    """Triggers that missed a date which is not made good, until they fire again, or are no more."""
    new = set()
    for state, at in missed:
        if state.key not in mine and at >= rule.made_at and _concerns(rule, state.namespace, state.flow):
            new.add(state.key)
            yield Word(state="firing", object=state.key, since=at, namespace=state.namespace, flow=state.flow)
    for name, each in mine.items():
        if name not in new and _fires_again(core, each):
            yield _over(each)


def _fires_again(core: Core, open_: Open) -> bool:
    state = core.store.read(lambda tx: triggers.get(tx, open_.object))
    if state is None or state.off_by:
        return True
    run_id = state.known.run
    run = core.store.read(lambda tx: runs.load(tx, run_id)) if run_id else None
    return run is not None and run.created_at > open_.since


def _of_lost(core: Core, rule: Alert, mine: Mapping[str, Open], lost: Sequence[tuple[str, int]]) -> Iterator[Word]:
    """Workers that were found gone, until one has come since then."""
    new = {name: at for name, at in lost if name not in mine and at >= rule.made_at}
    yield from (Word(state="firing", object=name, since=at) for name, at in new.items())
    if mine:
        there = core.store.read(workers.list_workers)
        for name, each in mine.items():
            if any(worker.id == name or worker.started_at > each.since for worker in there):
                yield _over(each)


def _over(each: Open) -> Word:
    return Word(state="resolved", object=each.object, since=each.since)


def _concerns(rule: Alert, namespace: str, flow: str) -> bool:
    if (namespace, flow) == (rule.tells_namespace, rule.tells):
        return False  # what tells must not tell of itself, which would go on for ever
    return rule.namespace in ("", namespace) or namespace.startswith(f"{rule.namespace}.")
