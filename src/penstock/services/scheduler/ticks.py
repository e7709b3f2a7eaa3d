"""How does a schedule fire? Its dates that have come start a run each, in the transaction that moves the trigger on."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Container, Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from penstock import expr
from penstock.engine import calendar
from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.run import ErrorKind, Failure
from penstock.model.trigger import Dates, Missed, Schedule
from penstock.services import starting
from penstock.services.core import Core
from penstock.services.preview import firings
from penstock.services.render import calls_in
from penstock.services.scheduler.lead import Lead
from penstock.services.starting import Beginning, Start
from penstock.store import feed, runs, triggers
from penstock.store.port import Tx
from penstock.store.triggers import State
from penstock.telemetry import Level

AT_ONCE: Final = 100
# Dates that are passed over in one look, so that a trigger with a long past does not keep the others waiting.
PASSED_OVER: Final = 1_000
# A date is missed when nobody looked: a change of leaders is none.
RECENT: Final = 60 * 1_000_000


class Move(msgspec.Struct, frozen=True):
    """Where a trigger goes on from, and the run that it starts."""

    state: State
    beginning: Beginning | None = None


def fire(core: Core, lead: Lead) -> bool:
    """Fire the schedules that are due, some of them; False when there was none, or another leads by now."""
    now = core.clock.now()
    due = core.store.read(lambda tx: triggers.due(tx, now, AT_ONCE))
    if not due:
        return False
    moves = [move for state in due if (move := _judged(core, state, now)) is not None]
    return _written(core, lead, moves, now)


def recover(core: Core, lead: Lead) -> None:
    """Deal with the dates that went by while nobody looked, as each schedule wants: all, the last one, or none."""
    now, after = core.clock.now(), ""
    while page := core.store.read(partial(triggers.list_states, limit=AT_ONCE, after=after)):
        after = page[-1].key
        missed = [state for state in page if state.next_at is not None and state.next_at < now - RECENT]
        moves = [move for state in missed if (move := _recovered(core, state, now)) is not None]
        if moves and not _written(core, lead, moves, now):
            return


def _written(core: Core, lead: Lead, moves: Sequence[Move], now: int) -> bool:
    led = True

    def let(tx: Tx) -> Container[str]:
        nonlocal led
        led = lead.say(tx)
        if not led:
            return ()
        versions = triggers.locked(tx, [move.state.key for move in moves])
        mine = [move for move in moves if versions.get(move.state.key) == move.state.version - 1]
        triggers.put(tx, [move.state for move in mine])
        feed.append(tx, [("trigger", move.state.key, move.state.version) for move in mine], now)
        return {move.beginning.run for move in mine if move.beginning is not None}

    starting.insert(core, [move.beginning for move in moves if move.beginning is not None], let)
    return led


def _judged(core: Core, state: State, now: int) -> Move | None:
    """What becomes of a trigger that is due; None when it cannot be told yet, for the store is away."""
    try:
        plan = core.plan(state.namespace, state.flow, state.revision)
        trigger = next(each for each in plan.flow.triggers if each.id == state.id)
        assert isinstance(trigger, Schedule | Dates)
        return _looked_at(core, state, plan, trigger, now)
    except StoreError:
        raise
    except (PenstockError, StopIteration) as error:
        # It can never fire as it is stored; the next revision of its flow has it looked at anew.
        why = str(error) or "Its flow does not have it."
        core.notices.say("trigger.failed", now, Level.WARNING, trigger=state.key, why=why)
        return Move(_moved(state, None, problem=why, problem_at=now))


def _looked_at(core: Core, state: State, plan: Plan, trigger: Schedule | Dates, now: int) -> Move:
    since = state.known.since
    if since is None:
        return Move(_moved(state, _next(trigger, now), since=now))
    if by := _stopped(core, state, trigger):
        return Move(replace(_moved(state, state.next_at), off_by=by))
    calls = calls_in(core, plan.flow.namespace, set())
    after = since if state.last_at is None else max(state.last_at, since)
    for date in itertools.islice(calendar.dates_after(trigger, after), PASSED_OVER):
        at = micros(date)
        if at > now:
            return Move(_moved(state, at))
        late = isinstance(trigger, Schedule) and trigger.late is not None and now - at > trigger.late
        started = None if late else _started(core, state, plan, trigger, at, calls)
        if started is None:
            state = replace(state, last_at=at)
            continue
        beginning, problem = started
        holds = "" if trigger.side_by_side else beginning.run
        told = {"problem": problem, "problem_at": now if problem else None}
        moved = _moved(state, _next(trigger, at), run=beginning.run, **told)
        return Move(replace(moved, last_at=at, holds=holds), beginning)
    return Move(_moved(state, _next(trigger, state.last_at or after)))


def _started(
    core: Core, state: State, plan: Plan, trigger: Schedule | Dates, at: int, calls: expr.Calls
) -> tuple[Beginning, str] | None:
    """The run that a date starts, and what is wrong with it; None when the trigger's conditions pass the date over."""
    asked = Start(
        by=f"trigger {trigger.id}",
        key=f"tick/{state.key}/{calendar.EPOCH + datetime.timedelta(microseconds=at):%Y-%m-%dT%H:%M:%S.%fZ}",
        logical_date=at,
        trigger={"id": trigger.id, "type": trigger.type, "date": _date(trigger, at)},
    )
    try:
        firing = next(firings(plan.flow, trigger, at - 1, calls, skipped=True))
        if firing.skipped:
            return None
        labels = {name: value if isinstance(value, str) else str(value) for name, value in firing.labels.items()}
        given = replace(asked, inputs=firing.inputs, labels=labels, trigger=asked.trigger | firing.variables)
        return starting.begin(core, plan, given), ""
    except StoreError:
        raise
    except PenstockError as error:
        failure = Failure(ErrorKind.EXPRESSION, f"The trigger {trigger.id}: {error}", None, error.code)
        return starting.stillborn(core, plan, asked, failure), str(error)


def _recovered(core: Core, state: State, now: int) -> Move | None:
    """A trigger as it goes on when dates were missed; None when it is as it was, or has not begun to count."""
    if state.known.since is None or state.off_by or state.kind not in ("schedule", "dates"):
        return None
    try:
        plan = core.plan(state.namespace, state.flow, state.revision)
        trigger = next(each for each in plan.flow.triggers if each.id == state.id)
        assert isinstance(trigger, Schedule | Dates)
        if trigger.missed is Missed.ALL:
            return None
        last = None
        after = state.known.since if state.last_at is None else max(state.last_at, state.known.since)
        for date in calendar.dates_after(trigger, after):
            if micros(date) > now:
                break
            last = micros(date)
    except StoreError:
        raise
    except (PenstockError, StopIteration):
        return None  # it is told when the trigger is looked at
    if last is None:
        return None
    # Just before the last one, that one fires; at the last one, the next one does.
    until = last - 1 if trigger.missed is Missed.LAST else last
    return Move(replace(_moved(state, _next(trigger, until)), last_at=until))


def _stopped(core: Core, state: State, trigger: Schedule | Dates) -> str:
    """Who switched it off: the end of its last run, where that is one that the trigger names."""
    if not trigger.stop_after or not state.known.run:
        return ""
    last = core.store.read(lambda tx: runs.load(tx, state.known.run))
    return f"stopAfter: run {last.id}" if last is not None and last.status in trigger.stop_after else ""


def _moved(state: State, next_at: int | None, **known: object) -> State:
    fresh = replace(state, next_at=next_at, version=state.version + 1)
    return replace(fresh, known=replace(state.known, **known)) if known else fresh


def _next(trigger: Schedule | Dates, after: int) -> int | None:
    found = next(calendar.dates_after(trigger, after), None)
    return None if found is None else micros(found)


def _date(trigger: Schedule | Dates, at: int) -> str:
    return next(calendar.dates_after(trigger, at - 1)).isoformat()


def micros(date: datetime.datetime) -> int:
    """An instant in microseconds."""
    return (date - calendar.EPOCH) // datetime.timedelta(microseconds=1)
