"""How does a trigger fire that a worker looks or listens for? The leader starts its looks, and takes what they saw.

A look is a run of a hidden flow. Each step is one transaction under the trigger's lock: a look starts and is held; a
look has ended, its run starts and what it keeps goes to the next one. Who dies between two steps leaves a row from
which the next leader goes on.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from penstock import expr
from penstock.errors import PenstockError
from penstock.errors.run import UnknownTrigger
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.policy import SECOND
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import Listening, Polling, looker
from penstock.services import firing, looking, starting
from penstock.services.core import Core
from penstock.services.preview import scope
from penstock.services.reading import unstow
from penstock.services.render import calls_in
from penstock.services.scheduler import exits
from penstock.services.scheduler.lead import Lead
from penstock.services.starting import Beginning, Start
from penstock.store import attempts, feed, outputs, prune, runs, triggers
from penstock.store.port import Tx
from penstock.store.triggers import State
from penstock.telemetry import Level

AT_ONCE: Final = 100
LONGEST: Final = 3_600 * SECOND
# Who listens begins again at once, and after a failure later each time; one that lasted so long begins to count anew.
AGAIN: Final = SECOND
LASTED: Final = 60 * SECOND
MOST_MISSES: Final = 30
# How long until one is looked at again that met a fault of ours.
PAUSE: Final = 60 * SECOND


class Seen(msgspec.Struct, frozen=True):
    """What a look came to: outputs where it saw something, what it keeps for the next one, why it failed."""

    outputs: dict[str, object] | None = None
    saved: dict[str, dict[str, object]] = {}
    problem: str = ""


class Move(msgspec.Struct, frozen=True):
    """Where a trigger goes on from, what starts, and the look that nobody needs any more."""

    state: State
    beginning: Beginning | None = None
    useless: str = ""


def at_work(core: Core) -> bool:
    """Whether the end of a look is waited for."""
    return core.store.read(lambda tx: triggers.awaited(tx, core.clock.now()))


def fire(core: Core, lead: Lead) -> bool:
    """Start the looks that are due, and take what others saw, some of them; False when there was none."""
    now = core.clock.now()
    due = core.store.read(lambda tx: triggers.looking(tx, now, AT_ONCE))
    if not due:
        return False
    return _written(core, lead, [_judged(core, state, now) for state in due], now)


def _written(core: Core, lead: Lead, moves: Sequence[Move], now: int) -> bool:
    led = True
    useless: list[str] = []

    def let(tx: Tx) -> Container[str]:
        nonlocal led
        useless.clear()
        led = lead.say(tx)
        if not led:
            return ()
        versions = triggers.locked(tx, [move.state.key for move in moves])
        mine = [move for move in moves if versions.get(move.state.key) == move.state.version - 1]
        triggers.put(tx, [move.state for move in mine])
        feed.append(tx, [("trigger", move.state.key, move.state.version) for move in mine], now)
        useless.extend(move.useless for move in mine if move.useless)
        prune.remove(tx, useless)
        return {move.beginning.run for move in mine if move.beginning is not None}

    starting.insert(core, [move.beginning for move in moves if move.beginning is not None], let)
    core.store.logs.forget(useless)
    return led


def _judged(core: Core, state: State, now: int) -> Move:
    """What becomes of a trigger that is due."""
    try:
        plan = core.plan(state.namespace, state.flow, state.revision)
        trigger = next((each for each in plan.flow.triggers if each.id == state.id), None)
        if not isinstance(trigger, Polling | Listening):
            raise UnknownTrigger(f'The flow {plan.flow.name} has no trigger "{state.id}" that looks.')
        look = Look(core, plan, trigger, state, now)
        return look.taken() if state.known.look else look.begun()
    except StoreError:
        raise
    except PenstockError as error:
        # It can never look as it is stored; the next revision of its flow has it looked at anew.
        core.notices.say("trigger.failed", now, Level.WARNING, trigger=state.key, why=str(error))
        return Move(_moved(state, None, problem=str(error), problem_at=now, look=""))
    except Exception as fault:
        # A fault of ours that one trigger meets must not keep all others from looking.
        core.notices.say("scheduler.fault", now, Level.ERROR, trigger=state.key, why=repr(fault))
        return Move(_moved(state, now + PAUSE, problem=f"A fault of Penstock's: {fault!r}", problem_at=now))


class Look:
    """What the leader does for one trigger at one moment."""

    def __init__(self, core: Core, plan: Plan, trigger: Polling | Listening, state: State, now: int) -> None:
        self._core = core
        self._plan = plan
        self._trigger = trigger
        self._state = state
        self._now = now
        self._calls = calls_in(core, plan.flow.namespace, set())

    def begun(self) -> Move:
        """A look begins, unless the end of its last run switches the trigger off."""
        core, state, now = self._core, self._state, self._now
        if (last := firing.stopping(core, self._trigger, state)) is not None:
            return Move(replace(_moved(state, now), off_by=f"stopAfter: run {last.id}"))
        plan = core.plan(state.namespace, looker(state.flow, state.id), state.known.looker)
        asked = Start(by=f"trigger {state.id}", key=f"look/{state.key}/{now}.{state.version}", trigger=self._about())
        beginning = starting.begin(core, plan, asked)
        held = replace(_moved(state, now, look=beginning.run, looked_at=now), holds=beginning.run)
        return Move(held, beginning)

    def taken(self) -> Move:
        """A look has ended: what it saw starts a run."""
        core, state, now = self._core, self._state, self._now
        run = core.store.read(lambda tx: runs.load(tx, state.known.look))
        state = replace(state, holds="", known=replace(state.known, look=""))
        if run is None or run.status in (RunStatus.KILLED, RunStatus.CANCELLED):
            return Move(_moved(state, now))
        seen = self._seen(run)
        if seen.problem:
            return self._failed(state, seen, run.id)
        known: dict[str, Any] = {"misses": 0, "problem": "", "problem_at": None, "saved": seen.saved}
        state = _moved(state, self._next_look(0), **known)
        if state.known.run > run.id:  # ids sort by time: it has fired by itself
            return Move(self._holding(state) if isinstance(self._trigger, Polling) else state)
        if seen.outputs is None or isinstance(self._trigger, Listening):
            return Move(state, useless=run.id)
        return self._fired(state, run.id, seen.outputs)

    def _failed(self, state: State, seen: Seen, look: str) -> Move:
        lasted = isinstance(self._trigger, Listening) and self._now - (state.known.looked_at or 0) > LASTED
        misses = 1 if lasted else min(state.known.misses + 1, MOST_MISSES)
        self._core.notices.say("trigger.failed", self._now, Level.WARNING, trigger=state.key, why=seen.problem)
        told = {"problem": seen.problem, "problem_at": self._now, "misses": misses, "saved": seen.saved}
        moved = _moved(state, self._next_look(misses), **told)
        if not self._trigger.fails_run:
            return Move(moved)
        asked = Start(by=f"trigger {state.id}", key=f"failed/{state.key}/{look}", trigger=self._about())
        failure = Failure(ErrorKind.TASK, f"The trigger {state.id}: {seen.problem}")
        beginning = starting.stillborn(self._core, self._plan, asked, failure)
        return Move(replace(moved, known=replace(moved.known, run=beginning.run)), beginning)

    def _next_look(self, misses: int) -> int:
        """When to look again: after the interval, which doubles with each look that fails."""
        if isinstance(self._trigger, Listening):
            return self._now + min(AGAIN << misses, LONGEST)
        interval = self._trigger.interval
        began = self._state.known.looked_at or self._now
        return max(self._now, began + min(interval << misses, max(interval, LONGEST)))

    def _seen(self, run: Run) -> Seen:
        core, kept = self._core, self._state.known.saved

        def read(tx: Tx) -> tuple[Outcome | None, dict[str, object] | None, outputs.Output | None]:
            tried = attempts.of_step(tx, run.id, looking.TASK)
            state = attempts.last_state(tx, run.id, looking.TASK)
            found = outputs.load(tx, run.id, [looking.TASK]).get(looking.TASK)
            return tried[-1].outcome if tried else None, state, found

        outcome, state, found = core.store.read(read)
        kind = core.plan(run.namespace, run.flow, run.revision).node(looking.TASK)
        saved = kept if state is None else kept | {getattr(kind, "type", ""): state}
        given = unstow(core, found) if found is not None else {}
        if looking.runs_script(self._trigger) and (outcome is Outcome.DONE or "exitCode" in given):
            return self._judged_script(given, saved)
        match outcome:
            case Outcome.DONE | Outcome.WARNING:
                return Seen(given, saved)
            case Outcome.SKIPPED:
                return Seen(None, saved)
            case _:
                why = run.failure.message if run.failure else "it did not end well"
                return Seen(None, saved, f"Run {run.id}: {why}")

    def _judged_script(self, given: dict[str, object], saved: dict[str, dict[str, object]]) -> Seen:
        try:
            asked = expr.render(self._judges(), scope(self._plan.flow, self._about()), self._calls)
            assert isinstance(asked, dict)
            met, outputs_ = exits.judged(asked, given, saved.get(exits.KEPT, {}), self._now)
        except StoreError:
            raise
        except PenstockError as error:
            return Seen(None, saved, str(error))
        return Seen(outputs_, saved | {exits.KEPT: {"met": met}})

    def _judges(self) -> dict[str, object]:
        return {name: value for name, value in self._trigger.properties.items() if name in looking.JUDGES}

    def _fired(self, state: State, look: str, seen: dict[str, object]) -> Move:
        """What is started by what a look saw."""
        beginning, problem = firing.begun(self._core, self._plan, self._trigger, f"seen/{state.key}/{look}", seen)
        if beginning is None:
            return Move(state)
        # The version has moved already, with all else that becomes of the trigger.
        moved = replace(firing.fired(state, beginning, problem, self._now), version=state.version)
        return Move(self._holding(moved), beginning)

    def _holding(self, state: State) -> State:
        return state if self._trigger.side_by_side else replace(state, holds=state.known.run)

    def _about(self) -> dict[str, object]:
        return {"id": self._trigger.id, "type": self._trigger.type}


def _moved(state: State, next_at: int | None, **known: Any) -> State:
    fresh = replace(state, next_at=next_at, version=state.version + 1)
    return replace(fresh, known=replace(state.known, **known)) if known else fresh
