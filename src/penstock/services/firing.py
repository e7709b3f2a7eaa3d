"""How does what a look saw, a listener heard, or a request said, start a run of its flow? Once for each key."""

from __future__ import annotations

from collections.abc import Container, Mapping

from msgspec.structs import replace

from penstock import expr
from penstock.errors import PenstockError
from penstock.errors.store import StoreError
from penstock.errors.task import Refused
from penstock.model.plan import Plan
from penstock.model.run import ErrorKind, Failure, Run
from penstock.model.trigger import Listening, Polling, Webhook, looks_for
from penstock.services import looking, starting
from penstock.services.core import Core
from penstock.services.preview import failing, scope
from penstock.services.render import calls_in, hide
from penstock.services.secrets.given import holding, visible
from penstock.services.starting import Beginning, Start
from penstock.store import feed, runs, triggers
from penstock.store.port import Tx
from penstock.store.triggers import State
from penstock.telemetry import Level


def begun(
    core: Core,
    plan: Plan,
    trigger: Polling | Listening | Webhook,
    key: str,
    seen: Mapping[str, object],
    trace: str = "",
) -> tuple[Beginning | None, str]:
    """The run that a trigger starts for what was seen, and what is wrong with it: it fails where it cannot be made out.

    Nothing where a condition does not hold. Raises StoreError.
    """
    variables = {"id": trigger.id, "type": trigger.type, **seen}
    asked = Start(by=f"trigger {trigger.id}", key=key, trigger=variables, trace=trace)
    used: set[str] = set()
    try:
        calls, around = calls_in(core, plan.flow.namespace, used), scope(plan.flow, variables)
        if any(failing(each, around, calls) for each in trigger.when):
            return None, ""
        given = expr.render({"inputs": trigger.inputs, "labels": trigger.labels}, around, calls)
        assert isinstance(given, dict)
        labels = {str(name): str(value) for name, value in visible(given["labels"], used).items()}
        full = replace(asked, inputs=given["inputs"], labels=labels, secrets=holding(given["inputs"], used))
        return starting.begin(core, plan, full), ""
    except StoreError:
        raise
    except PenstockError as error:
        hide(error, used)
        failure = Failure(ErrorKind.EXPRESSION, f"The trigger {trigger.id}: {error}", None, error.code)
        return starting.stillborn(core, plan, asked, failure), str(error)


def fired(state: State, beginning: Beginning, problem: str, now: int) -> State:
    """A trigger that has started a run."""
    known = replace(state.known, run=beginning.run, problem=problem, problem_at=now if problem else None)
    return replace(state, known=known, last_at=now, version=state.version + 1)


def stopping(core: Core, trigger: Polling | Listening, state: State) -> Run | None:
    """The last run of a trigger, where its end is one after which it is switched off."""
    if not trigger.stop_after or not state.known.run:
        return None
    last = core.store.read(lambda tx: runs.load(tx, state.known.run))
    return last if last is not None and last.status in trigger.stop_after else None


def heard(core: Core, run: Run, seen: Mapping[str, object], key: str) -> str | None:
    """Start the run for what a look's run says it has seen, while that is the look that is held; gives its id, or
    nothing where a condition does not hold. Raises Refused, StoreError.
    """
    state = core.store.read(lambda tx: _held(tx, run))
    whole = f"heard/{state.key}/{key}"
    if (known := core.store.read(lambda tx: runs.by_key(tx, whole))) is not None:
        return known
    plan = core.plan(state.namespace, state.flow, state.revision)
    trigger = next((each for each in plan.flow.triggers if each.id == state.id), None)
    if not isinstance(trigger, Polling | Listening):
        raise _gone(run)
    now = core.clock.now()
    if (last := stopping(core, trigger, state)) is not None:
        _switch_off(core, run, f"stopAfter: run {last.id}", now)
        raise _gone(run)
    beginning, problem = begun(core, plan, trigger, whole, seen)
    if beginning is None:
        return None
    if problem:
        core.notices.say("trigger.failed", now, Level.WARNING, trigger=state.key, why=problem)

    def let(tx: Tx) -> Container[str]:
        triggers.locked(tx, [state.key])
        # It may have been switched off, changed or removed meanwhile: then somebody else asks again, or nobody.
        moved = fired(_held(tx, run), beginning, problem, now)
        triggers.put(tx, [moved])
        feed.append(tx, [("trigger", moved.key, moved.version)], now)
        return {beginning.run}

    return starting.insert(core, [beginning], let)[0]


def _switch_off(core: Core, run: Run, by: str, now: int) -> None:
    """Switch the trigger off that a run listens for, and have the run end."""

    def work(tx: Tx) -> None:
        state = _held(tx, run)
        triggers.locked(tx, [state.key])
        moved = replace(_held(tx, run), off_by=by, version=state.version + 1)
        triggers.put(tx, [moved])
        feed.append(tx, [("trigger", moved.key, moved.version)], now)
        looking.stop(tx, run.id, now, f"trigger {state.id}")

    core.store.write(work)


def _held(tx: Tx, run: Run) -> State:
    found = looks_for(run.flow)
    if found is None:
        raise Refused("Only what looks or listens for a trigger fires it.")
    state = triggers.get(tx, triggers.key_of(run.namespace, *found))
    if state is None or state.off_by or state.known.look != run.id:
        raise _gone(run)
    return state


def _gone(run: Run) -> Refused:
    return Refused(f"The trigger that run {run.id} looks for is switched off, has changed, or is gone.")
