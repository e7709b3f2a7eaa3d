"""How do runs of other flows start runs? The feed tells what became of every run; who waited for that fires.

A run's history has every status that it came to. Each is looked at once by each trigger: what is started has a key made
of both, and what is waited for is kept under a name. The place in the feed moves in the same transaction.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from penstock import expr
from penstock.engine.scope import nested
from penstock.engine.windows import window_at
from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.model.plan import Plan
from penstock.model.run import Change, ErrorKind, Failure, Run
from penstock.model.status import Outcome, RunStatus
from penstock.model.trigger import OnRuns, looks_for
from penstock.services import starting
from penstock.services.core import Core
from penstock.services.preview import failing, scope
from penstock.services.render import calls_in
from penstock.services.scheduler.lead import Lead
from penstock.services.secrets.given import holding, visible
from penstock.services.starting import Beginning, Start
from penstock.store import attempts, feed, positions, runs, triggers
from penstock.store.feed import Position
from penstock.store.port import Tx
from penstock.store.positions import OF_RUNS
from penstock.store.triggers import State
from penstock.telemetry import Level

AT_ONCE: Final = 200
# A row of the feed tells of statuses that its commit brought; older ones were told by earlier rows.
FRESH: Final = 3_600 * 1_000_000
# What a condition may ask for that has to be read apart, and what it calls the ends of attempts.
RETRIED: Final = b"trigger.retriedStates"
ATTEMPTS: Final = {
    Outcome.DONE: "SUCCESS",
    Outcome.WARNING: "WARNING",
    Outcome.FAILED: "FAILED",
    Outcome.LOST: "FAILED",
    Outcome.KILLED: "KILLED",
}


class Watcher(msgspec.Struct, frozen=True):
    """A trigger that waits for runs, with the flow that it starts."""

    state: State
    plan: Plan
    trigger: OnRuns


class Round:
    """One look at the feed: what each trigger has become, and what is to be started."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.beginnings: list[Beginning] = []


def watches(core: Core) -> bool:
    """Whether any trigger waits for runs."""
    return core.store.glance(lambda tx: positions.get(tx, OF_RUNS)) is not None


def fire(core: Core, lead: Lead) -> bool:
    """Look at what became of runs since the last look, some of it; False when there was nothing new."""
    position = core.store.glance(lambda tx: positions.get(tx, OF_RUNS))
    if position is None:
        return False
    now = core.clock.now()
    # How long a hole has been waited for is told by the clock of leases: a wall clock may be set forward over it.
    waited = core.store.lease_now()
    items, further = core.store.read(lambda tx: feed.read(tx, position, waited, AT_ONCE))
    if not items:
        if further != position:
            _keep(core, lead, further)
        return False
    states = core.store.read(lambda tx: triggers.of_kind(tx, "runs"))
    if not states:
        _keep(core, lead, None)
        return False
    changed: dict[str, int] = {}
    for item in items:
        if item.what == "run":
            changed[item.key] = min(item.at, changed.get(item.key, item.at))
    done = Round()
    watchers = [made for state in states if (made := _watcher(core, state)) is not None]
    if watchers and changed:
        found = core.store.read(lambda tx: runs.load_all(tx, list(changed)))
        for run in sorted((each for each in found if not looks_for(each.flow)), key=lambda run: run.id):
            for change in run.history:
                if change.at >= changed[run.id] - FRESH:
                    _came(core, watchers, run, change, done)
    return _written(core, lead, done, further, now)


def _keep(core: Core, lead: Lead, position: Position | None) -> None:
    def work(tx: Tx) -> None:
        if not lead.say(tx):
            return
        if position is not None:
            positions.put(tx, OF_RUNS, position)
        elif not triggers.of_kind(tx, "runs"):
            positions.drop(tx, OF_RUNS)

    core.store.write(work)


def _written(core: Core, lead: Lead, done: Round, further: Position, now: int) -> bool:
    led = True
    moved = {key: replace(state, version=state.version + 1) for key, state in done.states.items()}

    def let(tx: Tx) -> Container[str]:
        nonlocal led
        led = lead.say(tx)
        if not led:
            return ()
        versions = triggers.locked(tx, sorted(moved))
        if any(versions.get(key) != state.version - 1 for key, state in moved.items()):
            # A flow was stored meanwhile, say: with the place moved on, what its trigger waits for would be lost to it.
            return ()
        triggers.put(tx, list(moved.values()))
        feed.append(tx, [("trigger", state.key, state.version) for state in moved.values()], now)
        positions.put(tx, OF_RUNS, further)
        return {each.run for each in done.beginnings}

    starting.insert(core, done.beginnings, let)
    return led


def _watcher(core: Core, state: State) -> Watcher | None:
    try:
        plan = core.plan(state.namespace, state.flow, state.revision)
    except StoreError:
        raise
    except PenstockError:
        return None
    trigger = next((each for each in plan.flow.triggers if each.id == state.id), None)
    if not isinstance(trigger, OnRuns) or trigger.disabled or plan.flow.disabled:
        return None
    return Watcher(state, plan, trigger)


def _came(core: Core, watchers: list[Watcher], run: Run, change: Change, done: Round) -> None:
    """A run came to a status: see for each trigger whether that is what it waits for."""
    wanted = [each for each in watchers if _may_fire(each, run, change)]
    keys = {each.state.key: _key(each.state, run, change) for each in wanted}
    known = core.store.read(lambda tx: runs.known_keys(tx, list(keys.values())))
    for each in wanted:
        if keys[each.state.key] in known:
            continue
        state = done.states.get(each.state.key, each.state)
        try:
            _looked_at(core, replace(each, state=state), run, change, done)
        except StoreError:
            raise
        except PenstockError as error:
            _refused(core, replace(each, state=state), run, change, error, done)
        except Exception as fault:
            # A fault of ours that one trigger meets must not keep all others from firing.
            core.notices.say("scheduler.fault", core.clock.now(), Level.ERROR, trigger=state.key, why=repr(fault))
            problem = f"Run {run.id}: a fault of Penstock's: {fault!r}"
            done.states[state.key] = _knows(state, problem=problem, problem_at=change.at)


def _may_fire(watcher: Watcher, run: Run, change: Change) -> bool:
    flow = watcher.plan.flow
    if (run.namespace, run.flow) == (flow.namespace, flow.id):
        return False  # never for its own runs, which would go on for ever
    if watcher.state.known.since is not None and change.at < watcher.state.known.since:
        return False
    return not watcher.trigger.states or change.status in watcher.trigger.states


def _looked_at(core: Core, watcher: Watcher, run: Run, change: Change, done: Round) -> None:
    flow, trigger, state = watcher.plan.flow, watcher.trigger, watcher.state
    used: set[str] = set()
    calls = calls_in(core, flow.namespace, used)
    variables = variables_of(run, change)
    if RETRIED in msgspec.json.encode((trigger.when, trigger.waits_for)):
        variables["retriedStates"] = _retried(core, run)
    around = scope(flow, variables)
    if any(failing(each, around, calls) for each in trigger.when):
        return
    if trigger.waits_for:
        names = _met_by(trigger, around, calls)
        if not names:
            return
        state = _met(state, trigger, run, change, names)
        done.states[state.key] = state
        if len(state.known.met) < (trigger.least or len(trigger.waits_for)):
            return
        variables["outputs"] = _outputs(core, state, run)
        around = scope(flow, variables)
    inputs, labels = (expr.render(each, around, calls) for each in (trigger.inputs, trigger.labels))
    assert isinstance(inputs, dict)
    assert isinstance(labels, dict)
    asked = replace(
        _asked(watcher, run, change, variables),
        inputs=inputs,
        labels={k: str(v) for k, v in visible(labels, used).items()},
        secrets=holding(inputs, used),
    )
    _fired(done, trigger, state, starting.begin(core, watcher.plan, asked), "", change.at)


def _refused(core: Core, watcher: Watcher, run: Run, change: Change, error: PenstockError, done: Round) -> None:
    """Tell that a trigger could not fire; from version 2 of the language on by a run that failed."""
    problem = f"Run {run.id}: {error}"
    core.notices.say("trigger.failed", core.clock.now(), Level.WARNING, trigger=watcher.state.key, why=problem)
    if watcher.plan.flow.language.version != "2":
        done.states[watcher.state.key] = _knows(watcher.state, problem=problem, problem_at=change.at)
        return
    asked = _asked(watcher, run, change, variables_of(run, change))
    failure = Failure(ErrorKind.EXPRESSION, f"The trigger {watcher.trigger.id}: {error}", None, error.code)
    beginning = starting.stillborn(core, watcher.plan, asked, failure)
    _fired(done, watcher.trigger, watcher.state, beginning, problem, change.at)


def _fired(done: Round, trigger: OnRuns, state: State, beginning: Beginning, problem: str, at: int) -> None:
    known: dict[str, Any] = {"run": beginning.run, "problem": problem, "problem_at": at if problem else None}
    if trigger.waits_for and trigger.reset:
        known["met"] = {}
    done.states[state.key] = replace(_knows(state, **known), last_at=at)
    done.beginnings.append(beginning)


def _asked(watcher: Watcher, run: Run, change: Change, variables: dict[str, object]) -> Start:
    trigger = watcher.trigger
    return Start(
        by=f"trigger {trigger.id}",
        key=_key(watcher.state, run, change),
        trigger={"id": trigger.id, "type": trigger.type, **variables},
    )


def _met(state: State, trigger: OnRuns, run: Run, change: Change, names: list[str]) -> State:
    """What is met by now within the window that holds this status."""
    window = window_at(trigger.window, change.at)
    if window is None:
        return _knows(state, met={})
    kept = {name: (who, at) for name, (who, at) in state.known.met.items() if window[0] <= at < window[1]}
    return _knows(state, met=kept | dict.fromkeys(names, (run.id, change.at)))


def _met_by(trigger: OnRuns, around: dict[str, object], calls: expr.Calls) -> list[str]:
    """What of all that is waited for a run meets; an error where it meets nothing, and something cannot be told."""
    names: list[str] = []
    broken: PenstockError | None = None
    for each in trigger.waits_for:
        try:
            names += [each.name] if _meets(each.when, around, calls) else []
        except StoreError:
            raise
        except PenstockError as error:
            broken = error  # it may ask for an output that only runs of its own flow have
    if broken is not None and not names:
        raise broken
    return names


def _meets(conditions: tuple[Any, ...], around: dict[str, object], calls: expr.Calls) -> bool:
    return not any(failing(each, around, calls) for each in conditions)


def _outputs(core: Core, state: State, last: Run) -> dict[str, object]:
    """The outputs of all runs that were waited for, by their flows' ids, and those of the last one as they are."""
    ids = sorted({who for who, _ in state.known.met.values()} - {last.id})
    several = [*core.store.read(lambda tx: runs.load_all(tx, ids)), last] if ids else [last]
    return {run.flow: run.outputs or {} for run in several} | (last.outputs or {})


def variables_of(run: Run, change: Change) -> dict[str, object]:
    """What expressions see of a run as `trigger`, at a status that it came to."""
    ended = change.status is run.status and run.status.ended
    return {
        "executionId": run.id,
        "namespace": run.namespace,
        "flowId": run.flow,
        "flowRevision": run.revision,
        "state": _word(change.status),
        "labels": nested({name: value for name, value in run.labels.items() if not name.startswith(starting.SYSTEM)}),
        "outputs": (run.outputs or {}) if ended else {},
    }


def _retried(core: Core, run: Run) -> list[str]:
    """How the attempts of those steps ended of which there were several."""
    found: dict[str, list[str]] = {}
    for each in core.store.read(lambda tx: attempts.every(tx, run.id)):
        if each.outcome in ATTEMPTS:
            found.setdefault(each.step, []).append(ATTEMPTS[each.outcome])
    return sorted({state for several in found.values() if len(several) > 1 for state in several})


def _word(status: RunStatus) -> str:
    return "CREATED" if status is RunStatus.QUEUED else status.upper()


def _key(state: State, run: Run, change: Change) -> str:
    return f"run/{state.key}/{run.id}/{change.status}/{change.at}"


def _knows(state: State, **known: Any) -> State:
    return replace(state, known=replace(state.known, **known))
