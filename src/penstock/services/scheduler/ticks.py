"""How does a schedule fire? Its dates that have come start a run each, in the transaction that moves the trigger on."""

from __future__ import annotations

import datetime
from collections.abc import Container, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from penstock.engine import calendar
from penstock.errors import PenstockError
from penstock.errors.run import UnknownTrigger
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure
from penstock.model.status import RunStatus
from penstock.model.trigger import OnTime
from penstock.services import starting
from penstock.services.core import Core
from penstock.services.preview import firing, why_not
from penstock.services.render import calls_in, hide
from penstock.services.scheduler.lead import Lead
from penstock.services.secrets.given import holding, visible
from penstock.services.starting import Beginning, Start
from penstock.store import feed, runs, triggers
from penstock.store.feed import MISSED
from penstock.store.port import Tx
from penstock.store.triggers import State
from penstock.telemetry import Level

# As many plans as that are remembered.
AT_ONCE: Final = 200
# Dates of one trigger that are looked at in one go, so that a long past does not keep the others waiting.
DATES: Final = 50
# How long until a trigger is looked at again that waits for more than the end of one run.
PATIENCE: Final = 2 * SECOND
# How long until one is looked at again that met a fault of ours.
PAUSE: Final = 60 * SECOND


class Move(msgspec.Struct, frozen=True):
    """Where a trigger goes on from, and the runs that it starts; `missed` is the last date that is not made good."""

    state: State
    beginnings: tuple[Beginning, ...] = ()
    missed: int | None = None


def fire(core: Core, lead: Lead) -> bool:
    """Fire the schedules that are due, some of them; False when there was none, or another leads by now."""
    now = core.clock.now()
    due = core.store.read(lambda tx: triggers.due(tx, now, AT_ONCE))
    if not due:
        return False
    core.plans.read_ahead(core.store, due)
    return _written(core, lead, [_judged(core, lead, state, now) for state in due], now)


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
        feed.append(tx, [(MISSED, move.state.key, move.missed) for move in mine if move.missed is not None], now)
        return {each.run for move in mine for each in move.beginnings}

    starting.insert(core, [each for move in moves for each in move.beginnings], let)
    return led


def _judged(core: Core, lead: Lead, state: State, now: int) -> Move:
    """What becomes of a trigger that is due."""
    try:
        plan = core.plan(state.namespace, state.flow, state.revision)
        trigger = next((each for each in plan.flow.triggers if each.id == state.id), None)
        if not isinstance(trigger, OnTime):
            raise UnknownTrigger(f'The flow {plan.flow.name} has no schedule "{state.id}".')
        return Look(core, plan, trigger, state, now).taken(lead.since)
    except StoreError:
        raise
    except PenstockError as error:
        # It can never fire as it is stored; the next revision of its flow has it looked at anew.
        core.notices.say("trigger.failed", now, Level.WARNING, trigger=state.key, why=str(error))
        return Move(_moved(state, None, problem=str(error), problem_at=now))
    except Exception as fault:
        # A fault of ours that one trigger meets must not keep all others from firing.
        core.notices.say("scheduler.fault", now, Level.ERROR, trigger=state.key, why=repr(fault))
        return Move(_moved(state, now + PAUSE, problem=f"A fault of Penstock's: {fault!r}", problem_at=now))


class Look:
    """One look at a trigger that is due: which of its dates start runs, and when to look again."""

    def __init__(self, core: Core, plan: Plan, trigger: OnTime, state: State, now: int) -> None:
        self._core = core
        self._plan = plan
        self._trigger = trigger
        self._state = state
        self._now = now
        self._used: set[str] = set()
        self._calls = calls_in(core, plan.flow.namespace, self._used)
        self._broken: dict[int, PenstockError] = {}
        is_closed, unmet = core.calendars.of(trigger), self._unmet if trigger.when else calendar.always
        self._around = calendar.Around(flow=plan.flow.name, is_closed=is_closed, unmet=unmet)

    def taken(self, led_since: int) -> Move:
        """Where the trigger goes on from, and what it starts. Raises BadSchedule, StoreError."""
        state, known, trigger = self._state, self._state.known, self._trigger
        around = replace(self._around, since=led_since)
        if known.since is None:
            found = calendar.due(trigger, None, self._now, around)
            return Move(_moved(state, found.wake, since=self._now))
        if (waiting := self._waits()) is not None:
            return waiting
        last = known.since if state.last_at is None else max(state.last_at, known.since)
        found = calendar.due(trigger, last, self._now, around, DATES)
        several = trigger.side_by_side and not trigger.at_once and not trigger.depends_on_past
        beginnings: list[Beginning] = []
        missed: int | None = None
        for tick in found.ticks:
            state = replace(state, last_at=tick.logical)
            if tick.skipped:
                missed = tick.logical if tick.missed else missed
                continue
            beginning, problem = self._begun(tick)
            told = {"problem": problem, "problem_at": self._now if problem else None}
            state = replace(state, known=replace(state.known, run=beginning.run, **told))
            beginnings.append(beginning)
            if not several:
                break
        stood = state.last_at == last or (bool(found.ticks) and state.last_at == found.ticks[-1].logical)
        moved = _moved(state, found.wake if stood or not found.ticks else self._now)
        if beginnings and not several:
            moved = self._held(moved)
        return Move(moved, tuple(beginnings), missed)

    def _waits(self) -> Move | None:
        """What keeps it from firing: the end of its last run, or how that ended, or that as many go as may."""
        state, trigger, run_id = self._state, self._trigger, self._state.known.run
        if not run_id or not (trigger.stop_after or trigger.depends_on_past or trigger.at_once > 1):
            return None
        going = self._core.store.read(lambda tx: runs.load_all(tx, [run_id, *state.known.going]))
        last = next((run for run in going if run.id == run_id), None)
        if last is not None and last.status in trigger.stop_after:
            return Move(replace(_moved(state, state.next_at), off_by=f"stopAfter: run {last.id}"))
        if trigger.depends_on_past and last is not None and last.status is not RunStatus.SUCCESS:
            why = f"It waits until run {last.id}, which is {last.status}, is a success."
            return Move(_moved(state, self._now + PATIENCE, problem=why, problem_at=self._now))
        open_runs = tuple(run.id for run in going if not run.status.ended)
        if trigger.at_once > 1 and len(open_runs) >= trigger.at_once:
            return Move(_moved(state, self._now + PATIENCE, going=open_runs))
        self._state = replace(state, known=replace(state.known, going=open_runs))
        return None

    def _held(self, state: State) -> State:
        """What must end before it fires again."""
        trigger, run_id = self._trigger, state.known.run
        if trigger.at_once > 1:
            return replace(state, known=replace(state.known, going=(*state.known.going, run_id)))
        return replace(state, holds="" if trigger.side_by_side and not trigger.at_once else run_id)

    def _unmet(self, date: datetime.datetime) -> str:
        """Why a date does not meet the conditions; one that cannot be told meets them, for a run that tells why."""
        try:
            return why_not(self._plan.flow, self._trigger, date, self._calls)
        except StoreError:
            raise
        except PenstockError as error:
            self._broken[calendar.micros(date)] = error
            return ""

    def _begun(self, tick: calendar.Tick) -> tuple[Beginning, str]:
        """The run that a date starts, and what is wrong with it."""
        core, plan, trigger = self._core, self._plan, self._trigger
        date = tick.date.astimezone(datetime.UTC)
        asked = Start(
            by=f"trigger {trigger.id}",
            key=f"tick/{self._state.key}/{date:%Y-%m-%dT%H:%M:%S.%fZ}",
            logical_date=tick.logical,
            interval_start=calendar.micros(tick.start),
            interval_end=tick.logical,
            trigger={"id": trigger.id, "type": trigger.type, "date": tick.date.isoformat()},
        )
        try:
            if (error := self._broken.get(tick.logical)) is not None:
                raise error
            given = firing(plan.flow, trigger, tick, self._around, self._calls)
            labels = {name: str(value) for name, value in visible(given.labels, self._used).items()}
            full = replace(
                asked,
                inputs=given.inputs,
                labels=labels,
                trigger=asked.trigger | given.variables,
                secrets=holding(given.inputs, self._used),
            )
            return starting.begin(core, plan, full), ""
        except StoreError:
            raise
        except PenstockError as error:
            hide(error, self._used)
            failure = Failure(ErrorKind.EXPRESSION, f"The trigger {trigger.id}: {error}", None, error.code)
            return starting.stillborn(core, plan, asked, failure), str(error)


def _moved(state: State, next_at: int | None, **known: Any) -> State:
    fresh = replace(state, next_at=next_at, version=state.version + 1)
    return replace(fresh, known=replace(state.known, **known)) if known else fresh
